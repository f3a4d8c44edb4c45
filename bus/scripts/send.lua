-- What starts a chain: a message from outside, or the first document of a run. Nothing is held, so there is no fence.
-- KEYS journal seq done board <destination inbox>...
-- ARGV member keep_ms limit entry  n (destination json)*  n (board field, expected version, doc)*

local journal, seq, done, board = unpack(KEYS, 1, 4)
local member, keep_ms, limit, entry = arg(), arg(), arg(), arg()
local messages, changes = rows(2), rows(3)

local wrong = wrong_log(journal, seq) or wrong_type('zset', done) or wrong_type('hash', board) or wrong_destination(5)
if wrong then return wrong end

local now = now_ms()
if is_done(done, member, now) then return {'done'} end
local refused = full_inbox(limit, 4, messages) or stale_field(board, changes)
if refused then return refused end

for _, message in ipairs(messages) do redis.call('XADD', KEYS[4 + message[1]], '*', 'm', message[2]) end
for _, change in ipairs(changes) do redis.call('HSET', board, change[1], change[3]) end
local count = record(journal, seq, now, entry)
remember(done, now, keep_ms, member)
return {'ok', count}
