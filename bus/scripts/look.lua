-- What is new in the journal, and how much there is of everything, at one moment; writes nothing.
-- KEYS journal seq board timers dead spend reserved inbox*   ARGV after limit   -> ok, seq, rows, one size for each key but two

local journal, seq, board, timers, dead, spend, reserved = unpack(KEYS, 1, 7)
local after, limit = arg(), arg()
local wrong = wrong_log(journal, seq) or wrong_type('hash', board, spend, reserved) or wrong_type('zset', timers)
  or wrong_type('stream', dead) or wrong_destination(8)
if wrong then return wrong end

local rows = redis.call('XRANGE', journal, after == '' and '-' or '(' .. after, '+', 'COUNT', limit)
local sizes = {redis.call('HLEN', board), redis.call('ZCARD', timers), redis.call('XLEN', dead),
  redis.call('HLEN', spend), redis.call('HLEN', reserved)}
for i = 8, #KEYS do sizes[#sizes + 1] = redis.call('XLEN', KEYS[i]) end
return {'ok', redis.call('GET', seq) or '0', rows, sizes}
