-- Renew leases, each only while this consumer still holds the entry at this delivery: a bare XCLAIM from a paused
-- process would steal it back from its new owner.
-- KEYS inbox   ARGV consumer  n (id deliveries)*   -> one 1 or 0 for each

local consumer = arg()
local held = {}
for i, row in ipairs(rows(2)) do
  held[i] = 0
  if holds(KEYS[1], consumer, row[1], row[2]) then
    redis.call('XCLAIM', KEYS[1], GROUP, consumer, 0, row[1], 'JUSTID')
    held[i] = 1
  end
end
return held
