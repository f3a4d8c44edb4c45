-- Messages a handler sends while it works: the checks of a commit, but no board, no timers and no ack.
-- It shows progress: the death of the process after this is no failure of the message.
-- KEYS inbox journal seq done failures held counts <destination inbox>...
-- ARGV consumer id deliveries field member keep_ms limit entry  n (destination json)*

local inbox, journal, seq, done, failures, held, counts = unpack(KEYS, 1, 7)
local consumer, id, deliveries, field = arg(), arg(), arg(), arg()
local member, keep_ms, limit, entry = arg(), arg(), arg(), arg()
local messages = rows(2)

local wrong = wrong_type('stream', inbox) or wrong_log(journal, seq) or wrong_type('zset', done)
  or wrong_type('hash', failures, held) or wrong_destination(8)
if wrong then return wrong end

local now = now_ms()
if is_done(done, member, now) then return {'done'} end
if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end
local full = full_inbox(limit, 7, messages)
if full then return full end

for _, message in ipairs(messages) do redis.call('XADD', KEYS[7 + message[1]], '*', 'm', message[2]) end
local count = record(journal, seq, now, entry)
remember(done, now, keep_ms, member)
local raised, _, error = failures_of(failures, field)
set_failures(failures, field, raised, 0, error)
redis.call('HSET', held, field, '1')
return {'ok', count}
