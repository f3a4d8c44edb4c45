-- The handler raised: one failure more. Below `most` the entry is put back, free after a delay; at `most` it stays with
-- this consumer, who buries it next.
-- KEYS inbox failures held counts   ARGV consumer id deliveries field error after_ms most   -> ok, failures

local inbox, failures, held, counts = unpack(KEYS, 1, 4)
local consumer, id, deliveries, field, error, after_ms, most = arg(), arg(), arg(), arg(), arg(), arg(), tonumber(arg())
local wrong = wrong_type('stream', inbox) or wrong_type('hash', failures, held)
if wrong then return wrong end
if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end

local raised, died = failures_of(failures, field)
if raised + died < most then raised = raised + 1 end
set_failures(failures, field, raised, died, error)
if raised + died < most then
  redis.call('HSET', held, field, 'p' .. whole(now_ms() + after_ms))
  redis.call('XCLAIM', inbox, GROUP, RELEASED, 0, id, 'JUSTID')
end
return {'ok', raised + died}
