-- Send timers whose time has come by the server's clock; one that another process sent meanwhile is passed over, and one
-- whose stream takes no more stays.
-- KEYS timers journal seq <destination inbox>...   ARGV n (destination json entry)*   -> ok, sent

local timers, journal, seq = unpack(KEYS, 1, 3)
local alarms = rows(3)
local wrong = wrong_type('zset', timers) or wrong_log(journal, seq) or wrong_destination(4)
if wrong then return wrong end

local now, sent = now_ms(), 0
for _, alarm in ipairs(alarms) do
  local due = redis.call('ZSCORE', timers, alarm[2])
  if due and tonumber(due) <= now then
    local added = redis.pcall('XADD', KEYS[3 + alarm[1]], '*', 'm', alarm[2])
    if not (type(added) == 'table' and added.err) then
      redis.call('ZREM', timers, alarm[2])
      record(journal, seq, now, alarm[3])
      sent = sent + 1
    end
  end
end
return {'ok', sent}
