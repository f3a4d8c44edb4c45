-- Given back by somebody against whom nothing is known: free after a delay, and its failures are forgotten.
-- KEYS inbox failures held counts   ARGV consumer id deliveries field after_ms

local inbox, failures, held, counts = unpack(KEYS, 1, 4)
local consumer, id, deliveries, field, after_ms = arg(), arg(), arg(), arg(), tonumber(arg())
local wrong = wrong_type('stream', inbox) or wrong_type('hash', failures, held)
if wrong then return wrong end
if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end

redis.call('HDEL', failures, field)
if after_ms > 0 then
  redis.call('HSET', held, field, 'p' .. whole(now_ms() + after_ms))
else
  redis.call('HDEL', held, field)
end
redis.call('XCLAIM', inbox, GROUP, RELEASED, 0, id, 'JUSTID')
return {'ok'}
