-- The handler of a suspected entry starts now: from here on the death of its process counts again.
-- KEYS inbox held   ARGV consumer id deliveries field

local consumer, id, deliveries, field = arg(), arg(), arg(), arg()
local wrong = wrong_type('stream', KEYS[1]) or wrong_type('hash', KEYS[2])
if wrong then return wrong end
if not holds(KEYS[1], consumer, id, deliveries) then return {'lost'} end
if redis.call('HGET', KEYS[2], field) == 'w' then redis.call('HDEL', KEYS[2], field) end
return {'ok'}
