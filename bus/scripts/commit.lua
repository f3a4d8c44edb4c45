-- Handling one message, in one step: what follows from it is sent, the board changes, and it is acknowledged.
-- KEYS inbox journal seq done failures held board timers <destination inbox>...
-- ARGV consumer id deliveries field member keep_ms entry
--      n (destination json)*  n (board field, expected version, doc)*  n (board field, expected version)*  n (after_ms json)*

local inbox, journal, seq, done, failures, held, board, timers = unpack(KEYS, 1, 8)
local consumer, id, deliveries, field, member, keep_ms, entry = arg(), arg(), arg(), arg(), arg(), arg(), arg()
local messages, changes, guards, alarms = rows(2), rows(3), rows(2), rows(2)

local wrong = wrong_type('stream', inbox) or wrong_log(journal, seq) or wrong_type('zset', done, timers)
  or wrong_type('hash', failures, held, board) or wrong_destination(9)
if wrong then return wrong end

local now = now_ms()
local own = member .. '/' .. consumer .. '/' .. id .. '/' .. deliveries
-- Before the fence: the commit that went through took the entry away, and its repeat must hear that it is done.
if is_done(done, own, now) then return {'done'} end
if not holds(inbox, consumer, id, deliveries) then return {'lost'} end
-- The same message once more, in an entry of its own: it is handled already.
if is_done(done, member, now) then
  forget(inbox, id, failures, held, field)
  return {'done'}
end
local stale = stale_field(board, changes) or stale_field(board, guards)
if stale then return stale end

for _, message in ipairs(messages) do redis.call('XADD', KEYS[8 + message[1]], '*', 'm', message[2]) end
for _, change in ipairs(changes) do redis.call('HSET', board, change[1], change[3]) end
for _, alarm in ipairs(alarms) do redis.call('ZADD', timers, whole(now + alarm[1]), alarm[2]) end
local count = record(journal, seq, now, entry)
remember(done, now, keep_ms, member, own)
forget(inbox, id, failures, held, field)
return {'ok', count}
