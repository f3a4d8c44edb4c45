-- A clean stop: the entry is free at once, and its failures are forgotten.
-- KEYS inbox failures held   ARGV consumer id deliveries field

local inbox, failures, held = unpack(KEYS, 1, 3)
local consumer, id, deliveries, field = arg(), arg(), arg(), arg()
local wrong = wrong_type('stream', inbox) or wrong_type('hash', failures, held)
if wrong then return wrong end
if not holds(inbox, consumer, id, deliveries) then return {'lost'} end

redis.call('HDEL', failures, field)
redis.call('HDEL', held, field)
redis.call('XCLAIM', inbox, GROUP, RELEASED, 0, id, 'JUSTID')
return {'ok'}
