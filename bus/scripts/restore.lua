-- Write what the server has lost, all in one step, if nothing was recorded since it was looked at.
-- Stream ids begin above everything that was there: who reads on from an old place misses nothing.
-- KEYS journal seq readers failures held <key>...
-- ARGV seen count at archived  n (seq at entry)*  then for each further key its kind (keep, hash, zset, inbox, dead) and rows
--      count '' = the journal stays as it is
-- -> ok, 1; or ok, 0: something was recorded meanwhile

local journal, seq, readers, failures, held = unpack(KEYS, 1, 5)
local seen, count, at, archived = arg(), arg(), tonumber(arg()), arg()
local entries = rows(3)
if (redis.call('GET', seq) or '0') ~= seen then return {'ok', 0} end

local ms, added = math.max(now_ms(), at + 1), 0
local function next_id()
  added = added + 1
  return whole(ms) .. '-' .. added
end

if count ~= '' then
  redis.call('DEL', journal, readers, failures, held)
  redis.call('XDEL', journal, redis.call('XADD', journal, next_id(), 'seq', '0')) -- its last id is kept
  for _, entry in ipairs(entries) do
    redis.call('XADD', journal, next_id(), 'seq', entry[1], 'at', entry[2], 'entry', entry[3])
  end
  redis.call('SET', seq, count)
  redis.call('HSET', readers, 'archive', archived)
end

local write = {}
function write.keep() end
function write.hash(key)
  redis.call('DEL', key)
  for _, row in ipairs(rows(2)) do redis.call('HSET', key, row[1], row[2]) end
end
function write.zset(key)
  redis.call('DEL', key)
  for _, row in ipairs(rows(2)) do redis.call('ZADD', key, row[1], row[2]) end
end
function write.dead(key)
  redis.call('DEL', key)
  for _, row in ipairs(rows(8)) do
    redis.call('XADD', key, next_id(), 'seq', row[1], 'm', row[2], 'inbox', row[3], 'reason', row[4], 'error', row[5],
      'failures', row[6], 'lives', row[7], 'at', row[8])
  end
end
function write.inbox(key)
  local name = string.match(key, ':inbox:(.*)$')
  for _, hash in ipairs({failures, held}) do
    for _, field in ipairs(redis.call('HKEYS', hash)) do
      if string.sub(field, 1, #name + 1) == name .. '/' then redis.call('HDEL', hash, field) end
    end
  end
  redis.call('DEL', key)
  redis.call('XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM')
  for _, row in ipairs(rows(2)) do redis.call('XADD', key, next_id(), 'm', row[1], 'd', row[2]) end
end
for i = 6, #KEYS do write[arg()](KEYS[i]) end
return {'ok', 1}
