-- How much there is of everything at this moment. Writes nothing.
-- KEYS seq dead timers failures counts <inbox>...
-- -> ok, now ms, seq, dead letters, timers, failing, redeliveries, fenced, then {length, ever added, pending, age of the oldest ms or -1, redelivered}...

local LOOK = 1000 -- pending entries of one inbox that are looked at for their delivery count

local function facts_of(reply)
  local facts = {}
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
  return facts
end

local function redelivered(inbox)
  local count = 0
  for _, row in ipairs(redis.call('XPENDING', inbox, GROUP, '-', '+', LOOK)) do
    if row[4] > 1 then count = count + 1 end
  end
  return count
end

local function gauge(inbox, now)
  local info = redis.pcall('XINFO', 'STREAM', inbox)
  if info.err then return {0, 0, 0, -1, 0} end -- nothing was ever sent to it
  local stream, oldest = facts_of(info), -1
  local first = stream['first-entry']
  if first then oldest = now - tonumber(string.match(first[1], '^%d+')) end
  local pending = redis.pcall('XPENDING', inbox, GROUP)
  if pending.err then return {stream['length'], stream['entries-added'], 0, oldest, 0} end -- nobody ever read it
  return {stream['length'], stream['entries-added'], pending[1], oldest, redelivered(inbox)}
end

local now = now_ms()
local reply = {
  'ok', now, tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('XLEN', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('HLEN', KEYS[4]), tonumber(redis.call('HGET', KEYS[5], 'redelivered') or 0),
  tonumber(redis.call('HGET', KEYS[5], 'fenced') or 0),
}
for i = 6, #KEYS do reply[#reply + 1] = gauge(KEYS[i], now) end
return reply
