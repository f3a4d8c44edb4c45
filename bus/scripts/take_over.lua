-- Take entries whose consumer is gone, from `cursor` on; XAUTOCLAIM with its rules in one place.
-- Free to take: what was released (once its delay is over), what this consumer was given without knowing (the reply was
-- lost), what has not been renewed for idle_ms, and with a host given, what another process of that host held.
-- A process that died without an emit since delivery counts as a failure, unless it had not begun (mark `w`).
-- KEYS inbox failures held counts
-- ARGV consumer name idle_ms host cursor limit most  n (known id)*
-- -> next cursor ('' = wrapped), then {id, m, former deliveries, deliveries, raised, died, error}...

local SCAN = 256
local inbox, failures, held, counts = unpack(KEYS, 1, 4)
local consumer, name, idle_ms, host, cursor = arg(), arg(), tonumber(arg()), arg(), arg()
local limit, most, known = tonumber(arg()), tonumber(arg()), {}
for _, row in ipairs(rows(1)) do known[row[1]] = true end

local wrong = wrong_type('stream', inbox) or wrong_type('hash', failures, held)
if wrong then return wrong end

local now = now_ms()

local function is_free(id, owner, idle, mark)
  if owner == RELEASED then
    local after = string.match(mark, '^p(%d+)$')
    return not after or now >= tonumber(after)
  end
  if owner == consumer then return not known[id] end
  return idle >= idle_ms or (host ~= '' and string.match(owner, '^[^.]*%.(.*)%.[^.]*$') == host)
end

local function take(id, owner, deliveries, mark, field)
  local entry = redis.call('XCLAIM', inbox, GROUP, consumer, 0, id)[1]
  if not entry then return nil end
  redis.pcall('HINCRBY', counts, 'redelivered', 1)
  local raised, died, error = failures_of(failures, field)
  if owner ~= RELEASED and owner ~= consumer and mark == '' and raised + died < most then
    died = died + 1
    set_failures(failures, field, raised, died, error)
  end
  if died > 0 then redis.call('HSET', held, field, 'w') else redis.call('HDEL', held, field) end
  local values = {}
  for i = 1, #entry[2], 2 do values[entry[2][i]] = entry[2][i + 1] end
  return {id, values['m'] or '', values['d'] or '0', deliveries + 1, raised, died, error}
end

local reply = {'ok', ''}
local pending = redis.call('XPENDING', inbox, GROUP, cursor == '' and '-' or '(' .. cursor, '+', SCAN)
for i, row in ipairs(pending) do
  local id, owner, idle, deliveries = unpack(row, 1, 4)
  local field = name .. '/' .. id
  local mark = redis.call('HGET', held, field) or ''
  if is_free(id, owner, idle, mark) then reply[#reply + 1] = take(id, owner, deliveries, mark, field) end
  if #reply - 2 >= limit or (i == #pending and #pending == SCAN) then
    reply[2] = id
    break
  end
end
return reply
