-- A reader of the journal says how far it has read. What all of them have read and the archive has confirmed goes, one slice
-- a call; the newest entries stay.
-- KEYS journal seq readers   ARGV keep slice  n (reader seq)*   -> ok, removed

local journal, seq, readers = unpack(KEYS, 1, 3)
local keep, slice = tonumber(arg()), tonumber(arg())
local wrong = wrong_log(journal, seq) or wrong_type('hash', readers)
if wrong then return wrong end

for _, row in ipairs(rows(2)) do redis.call('HSET', readers, row[1], row[2]) end
if redis.call('HEXISTS', readers, 'archive') == 0 then return {'ok', 0} end
local floor = tonumber(redis.call('GET', seq) or '0') - keep
for _, read_to in ipairs(redis.call('HVALS', readers)) do floor = math.min(floor, tonumber(read_to)) end
if floor <= 0 then return {'ok', 0} end

local ids = {}
for _, row in ipairs(redis.call('XRANGE', journal, '-', '+', 'COUNT', slice)) do
  local number
  for i = 1, #row[2], 2 do
    if row[2][i] == 'seq' then number = tonumber(row[2][i + 1]) end
  end
  if not number or number > floor then break end
  ids[#ids + 1] = row[1]
end
if #ids > 0 then redis.call('XDEL', journal, unpack(ids)) end
return {'ok', #ids}
