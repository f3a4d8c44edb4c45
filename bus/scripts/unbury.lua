-- Take a dead letter away, and with `again` put its message back into its inbox: the very bytes, with the number of its
-- former deliveries (`d`), so that what it emits now does not repeat ids of its former life.
-- KEYS dead inbox journal seq done   ARGV id member keep_ms again entry

local dead, inbox, journal, seq, done = unpack(KEYS, 1, 5)
local id, member, keep_ms, again, entry = arg(), arg(), arg(), arg(), arg()
local wrong = wrong_type('stream', dead, inbox) or wrong_log(journal, seq) or wrong_type('zset', done)
if wrong then return wrong end

local now = now_ms()
if is_done(done, member, now) then return {'done'} end
local found = redis.call('XRANGE', dead, id, id)[1]
if not found then return {'lost'} end
local values = {}
for i = 1, #found[2], 2 do values[found[2][i]] = found[2][i + 1] end

if again == '1' then redis.call('XADD', inbox, '*', 'm', values['m'] or '', 'd', values['lives'] or '0') end
redis.call('XDEL', dead, id)
local count = record(journal, seq, now, entry)
remember(done, now, keep_ms, member)
return {'ok', count}
