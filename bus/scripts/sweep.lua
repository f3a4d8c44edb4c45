-- Forget consumers of dead processes. Only those that hold nothing: deleting a consumer drops what is pending for it.
-- KEYS inbox   ARGV consumer idle_ms   -> ok, deleted

local consumer, idle_ms, deleted = arg(), tonumber(arg()), 0
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], GROUP)
if consumers.err then return {'ok', 0} end -- no inbox, or no group, any more
for _, row in ipairs(consumers) do
  local facts = {}
  for i = 1, #row, 2 do facts[row[i]] = row[i + 1] end
  if facts['name'] ~= consumer and facts['name'] ~= RELEASED and facts['pending'] == 0 and facts['idle'] >= idle_ms then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], GROUP, facts['name'])
    deleted = deleted + 1
  end
end
return {'ok', deleted}
