-- As little as a commit can be: what is new is written down and remembered, all of it is acknowledged and deleted.
-- KEYS inbox journal done   ARGV now_ms (entry id, message id, journal entry)*
local sent = 0
for i = 2, #ARGV, 3 do
  if redis.call('ZADD', KEYS[3], 'NX', ARGV[1] + 3600000, ARGV[i + 1]) == 1 then
    redis.call('XADD', KEYS[2], '*', 'entry', ARGV[i + 2])
    sent = sent + 1
  end
  redis.call('XACK', KEYS[1], 'g', ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
return sent
