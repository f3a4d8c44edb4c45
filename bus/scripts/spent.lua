-- What was spent and what is held back, at one moment; writes nothing.
-- KEYS spend reserved   -> ok, (field, amount)*, call*

local wrong = wrong_type('hash', KEYS[1], KEYS[2])
if wrong then return wrong end
return {'ok', redis.call('HGETALL', KEYS[1]), redis.call('HVALS', KEYS[2])}
