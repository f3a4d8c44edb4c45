-- Prepended to every other script. A reply is an array that starts with a word:
-- ok, done (it went through before), lost (the fence), stale (the board), type (a key of another type), full (an inbox).
-- A script is atomic but is not rolled back, so each checks everything before its first write.

local GROUP = 'agent'
local RELEASED = 'released' -- the consumer that holds what nobody works on; bus/inbox.py

local read = 0
local function arg()
  read = read + 1
  return ARGV[read]
end

local function rows(width)
  local all = {}
  for i = 1, tonumber(arg()) do
    all[i] = {}
    for j = 1, width do all[i][j] = arg() end
  end
  return all
end

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function wrong_type(kind, ...)
  for _, key in ipairs({...}) do
    local is = redis.call('TYPE', key).ok
    if is ~= 'none' and is ~= kind then return {'type', key, is, kind} end
  end
  return nil
end

local function wrong_log(journal, seq)
  local wrong = wrong_type('stream', journal) or wrong_type('string', seq)
  if wrong then return wrong end
  local count = redis.call('GET', seq)
  if count and not string.match(count, '^%d+$') then return {'type', seq, 'text', 'integer'} end
  return nil
end

local function wrong_destination(first)
  for i = first, #KEYS do
    local wrong = wrong_type('stream', KEYS[i])
    if wrong then return wrong end
  end
  return nil
end

-- The fence: the entry is pending for this consumer, at this very delivery.
local function holds(inbox, consumer, id, deliveries)
  local pending = redis.pcall('XPENDING', inbox, GROUP, id, id, 1, consumer)
  return not pending.err and pending[1] and pending[1][4] == tonumber(deliveries)
end

-- What the fence keeps out is counted and written nowhere else.
local function fenced(counts)
  redis.pcall('HINCRBY', counts, 'fenced', 1)
  return {'lost'}
end

local function record(journal, seq, now, entry)
  local count = redis.call('INCR', seq)
  redis.call('XADD', journal, '*', 'seq', count, 'at', whole(now), 'entry', entry)
  return count
end

local function is_done(done, member, now)
  local until_ms = redis.call('ZSCORE', done, member)
  return until_ms and tonumber(until_ms) > now
end

local function remember(done, now, keep_ms, ...)
  redis.call('ZREMRANGEBYSCORE', done, '-inf', whole(now))
  for _, member in ipairs({...}) do redis.call('ZADD', done, whole(now + keep_ms), member) end
end

-- Board documents start with {"version":N (bus/board.py); an absent one has version 0.
local function stale_field(board, expectations)
  for _, row in ipairs(expectations) do
    local doc = redis.call('HGET', board, row[1])
    local version = '0'
    if doc then version = string.match(doc, '^{"version":(%d+)[,}]') or 'none' end
    if version ~= row[2] then return {'stale', row[1], version} end
  end
  return nil
end

-- Backpressure: rows of {destination, message} that would bring an inbox above its limit; a limit of 0 is none.
local function full_inbox(limit, first, messages)
  local more = {}
  for _, message in ipairs(messages) do more[message[1]] = (more[message[1]] or 0) + 1 end
  for place, count in pairs(more) do
    local waiting = redis.call('XLEN', KEYS[first + place])
    if tonumber(limit) > 0 and waiting + count > tonumber(limit) then return {'full', KEYS[first + place], waiting, limit} end
  end
  return nil
end

local function forget(inbox, id, failures, held, field)
  redis.call('XACK', inbox, GROUP, id)
  redis.call('XDEL', inbox, id)
  redis.call('HDEL', failures, field)
  redis.call('HDEL', held, field)
end

-- Failures are kept as `<raised> <died> <last error>`.
local function failures_of(failures, field)
  local raised, died, error = string.match(redis.call('HGET', failures, field) or '', '^(%d+) (%d+) (.*)$')
  return tonumber(raised or 0), tonumber(died or 0), error or ''
end

local function set_failures(failures, field, raised, died, error)
  if raised + died == 0 then
    redis.call('HDEL', failures, field)
  else
    redis.call('HSET', failures, field, raised .. ' ' .. died .. ' ' .. error)
  end
end
