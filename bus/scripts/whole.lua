-- All that is to be kept of a run, at one moment; writes nothing.
-- KEYS seq board timers dead spend reserved done inbox*
-- -> ok, seq, now, board, timers, dead, spend, reserved, done, then for each inbox {m, deliveries}*

local seq, board, timers, dead, spend, reserved, done = unpack(KEYS, 1, 7)
local wrong = wrong_type('string', seq) or wrong_type('hash', board, spend, reserved) or wrong_type('zset', timers, done)
  or wrong_type('stream', dead) or wrong_destination(8)
if wrong then return wrong end

local function value(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return nil
end

local reply = {'ok', redis.call('GET', seq) or '0', whole(now_ms()), redis.call('HGETALL', board),
  redis.call('ZRANGE', timers, 0, -1, 'WITHSCORES'), {}, redis.call('HGETALL', spend), redis.call('HGETALL', reserved),
  redis.call('ZRANGE', done, 0, -1, 'WITHSCORES')}
for i, row in ipairs(redis.call('XRANGE', dead, '-', '+')) do reply[6][i] = row[2] end
for i = 8, #KEYS do
  local deliveries, waiting = {}, {}
  local pending = redis.pcall('XPENDING', KEYS[i], GROUP, '-', '+', redis.call('XLEN', KEYS[i]) + 1)
  if not pending.err then
    for _, row in ipairs(pending) do deliveries[row[1]] = row[4] end
  end
  for n, row in ipairs(redis.call('XRANGE', KEYS[i], '-', '+')) do
    local former = tonumber(value(row[2], 'd') or '0')
    waiting[n] = {value(row[2], 'm') or '', former + (deliveries[row[1]] or 0)}
  end
  reply[#reply + 1] = waiting
end
return reply
