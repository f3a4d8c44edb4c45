-- Handling messages, many in one call: what follows from each is sent, the board changes, and it is acknowledged.
-- Each commit's answer is its own; one that is refused writes nothing and leaves its neighbours alone.
-- KEYS journal seq done failures held board timers counts <stream>...
-- ARGV keep_ms  n (the inbox's place among the streams, consumer id deliveries field member entry
--      n (destination json)*  n (board field, expected version, doc)*  n (board field, expected version)*  n (after_ms begins json)*)*
--      begins: how timers begin that are taken away before; '' = none. No json: nothing is set in their place
-- -> ok, the answer of each: ok count | done | lost | stale ... | type ... | error said

local OTHERS = 8
local journal, seq, done, failures, held, board, timers, counts = unpack(KEYS, 1, OTHERS)
local wrong = wrong_log(journal, seq) or wrong_type('zset', done, timers) or wrong_type('hash', failures, held, board)
if wrong then return wrong end
local wrong_streams = {}
for i = OTHERS + 1, #KEYS do wrong_streams[i - OTHERS] = wrong_type('stream', KEYS[i]) end

local now, keep_ms = now_ms(), arg()
-- What the commits of this call have done already; written at its end, in few commands.
local fresh, known, finished, fields = {}, {}, {}, {}

local function is_known(member)
  return fresh[member] or is_done(done, member, now)
end

local function finish(inbox, id, field)
  finished[inbox] = finished[inbox] or {}
  table.insert(finished[inbox], id)
  table.insert(fields, field)
end

local function note(member)
  fresh[member] = true
  table.insert(known, whole(now + keep_ms))
  table.insert(known, member)
end

-- A run has some dozens of timers, and few commits name one.
local function forget(begins)
  for _, set in ipairs(redis.call('ZRANGE', timers, 0, -1)) do
    if string.sub(set, 1, #begins) == begins then redis.call('ZREM', timers, set) end
  end
end

local function commit()
  local place, consumer, id, deliveries, field, member, entry = arg(), arg(), arg(), arg(), arg(), arg(), arg()
  local messages, changes, guards, alarms = rows(2), rows(3), rows(2), rows(3)
  local inbox = KEYS[OTHERS + place]

  local wrong = wrong_streams[tonumber(place)]
  for _, message in ipairs(messages) do wrong = wrong or wrong_streams[tonumber(message[1])] end
  if wrong then return wrong end

  local own = member .. '/' .. consumer .. '/' .. id .. '/' .. deliveries
  -- Before the fence: the commit that went through took the entry away, and its repeat must hear that it is done.
  if is_known(own) then return {'done'} end
  if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end
  -- The same message once more, in an entry of its own: it is handled already.
  if is_known(member) then
    finish(inbox, id, field)
    return {'done'}
  end
  local stale = stale_field(board, changes) or stale_field(board, guards)
  if stale then return stale end

  for _, message in ipairs(messages) do
    local sent = redis.pcall('XADD', KEYS[OTHERS + message[1]], '*', 'm', message[2])
    if type(sent) == 'table' and sent.err then return {'error', sent.err} end
  end
  for _, change in ipairs(changes) do redis.call('HSET', board, change[1], change[3]) end
  for _, alarm in ipairs(alarms) do
    if alarm[2] ~= '' then forget(alarm[2]) end
    if alarm[3] ~= '' then redis.call('ZADD', timers, whole(now + alarm[1]), alarm[3]) end
  end
  local count = record(journal, seq, now, entry)
  note(member)
  note(own)
  finish(inbox, id, field)
  return {'ok', count}
end

local answers = {'ok'}
for i = 1, tonumber(arg()) do answers[i + 1] = commit() end

if #known > 0 then
  redis.call('ZREMRANGEBYSCORE', done, '-inf', whole(now))
  redis.call('ZADD', done, unpack(known))
end
for inbox, ids in pairs(finished) do
  redis.call('XACK', inbox, GROUP, unpack(ids))
  redis.call('XDEL', inbox, unpack(ids))
end
if #fields > 0 then
  redis.call('HDEL', failures, unpack(fields))
  redis.call('HDEL', held, unpack(fields))
end
return answers
