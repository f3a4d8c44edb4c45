-- Make the entry a dead letter; its id is the journal's count. How often it failed is given, so that the journal says the same.
-- KEYS inbox journal seq failures held dead counts   ARGV consumer id deliveries field name reason error failures lives entry cut
-- `cut`: the beginning of a message that is too large to be copied; '' = the message as it is.

local inbox, journal, seq, failures, held, dead, counts = unpack(KEYS, 1, 7)
local consumer, id, deliveries, field, name, reason, error = arg(), arg(), arg(), arg(), arg(), arg(), arg()
local count_of_failures, lives, entry, cut = arg(), arg(), arg(), arg()
local wrong = wrong_type('stream', inbox, dead) or wrong_log(journal, seq) or wrong_type('hash', failures, held)
if wrong then return wrong end
if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end

local message = cut
local found = cut == '' and redis.call('XRANGE', inbox, id, id)[1]
if found then
  for i = 1, #found[2], 2 do
    if found[2][i] == 'm' then message = found[2][i + 1] end
  end
end
local now = now_ms()
local count = record(journal, seq, now, entry)
redis.call('XADD', dead, '*', 'seq', count, 'm', message, 'inbox', name, 'reason', reason, 'error', error,
  'failures', count_of_failures, 'lives', lives, 'at', whole(now))
forget(inbox, id, failures, held, field)
return {'ok', count}
