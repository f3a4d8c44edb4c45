-- Hold back what a call may cost at most, while settled + held back is below every cap. A repeat finds it held back.
-- KEYS spend reserved board journal seq
-- ARGV id call entry  n (board field, expected version)*  n (scope, cap on tokens, cap on millionths of a USD)*
-- -> ok, held; or ok, full, scope, what, settled, held back, cap

local spend, reserved, board, journal, seq = unpack(KEYS, 1, 5)
local id, call, entry = arg(), arg(), arg()
local guards, caps = rows(2), rows(3)
local wrong = wrong_type('hash', spend, reserved, board) or wrong_log(journal, seq)
if wrong then return wrong end
if redis.call('HEXISTS', reserved, id) == 1 then return {'ok', 'held'} end
local stale = stale_field(board, guards)
if stale then return stale end

local held = {}
local function add(scope, what, amount)
  local field = scope .. ' ' .. what
  held[field] = (held[field] or 0) + amount
end
for _, raw in ipairs(redis.call('HVALS', reserved)) do
  local open = cjson.decode(raw)
  local scopes = {'run', 'task:' .. open.task, 'agent:' .. open.agent}
  if (open.tier or '') ~= '' then scopes[#scopes + 1] = 'tier:' .. open.tier end
  for _, scope in ipairs(scopes) do
    add(scope, 'tokens', open.tokens)
    if type(open.micro_usd) == 'number' then add(scope, 'usd', open.micro_usd) end
  end
end

local function settled(scope, ...)
  local sum = 0
  for _, what in ipairs({...}) do sum = sum + tonumber(redis.call('HGET', spend, scope .. ' ' .. what) or 0) end
  return sum
end
local function full(scope, what, used, cap)
  local open = held[scope .. ' ' .. what] or 0
  if used + open < tonumber(cap) then return nil end
  return {'ok', 'full', scope, what, whole(used), whole(open), cap}
end
for _, row in ipairs(caps) do
  local scope = row[1]
  local refusal = full(scope, 'tokens', settled(scope, 'input_tokens', 'output_tokens'), row[2])
    or full(scope, 'usd', settled(scope, 'micro_usd'), row[3])
  if refusal then return refusal end
end
redis.call('HSET', reserved, id, call)
record(journal, seq, now_ms(), entry)
return {'ok', 'held'}
