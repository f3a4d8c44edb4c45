-- A call is paid for: its reservation goes, what it did cost is added, and the journal says so, in one step.
-- KEYS journal seq spend reserved   ARGV id entry  n (field of spend, amount)*

local journal, seq, spend, reserved = unpack(KEYS, 1, 4)
local id, entry = arg(), arg()
local amounts = rows(2)
local wrong = wrong_log(journal, seq) or wrong_type('hash', spend, reserved)
if wrong then return wrong end
-- No reservation: it was settled before.
if redis.call('HDEL', reserved, id) == 0 then return {'done'} end

for _, row in ipairs(amounts) do redis.call('HINCRBY', spend, row[1], row[2]) end
return {'ok', record(journal, seq, now_ms(), entry)}
