-- Which of many inboxes hold something that was delivered and not acknowledged; writes nothing.
-- KEYS inbox...   -> ok, the places of those

local places = {'ok'}
for i, inbox in ipairs(KEYS) do
  local wrong = wrong_type('stream', inbox)
  if wrong then return wrong end
  local summary = redis.pcall('XPENDING', inbox, GROUP)
  if not summary.err and summary[1] > 0 then table.insert(places, i) end
end
return places
