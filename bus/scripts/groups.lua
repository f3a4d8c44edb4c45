-- The consumer groups of inboxes, made where they are missing. From 0: what is in the stream was not acknowledged by
-- anybody, for what was is deleted.
-- KEYS inbox...   -> ok

for _, inbox in ipairs(KEYS) do
  local wrong = wrong_type('stream', inbox)
  if wrong then return wrong end
end
for _, inbox in ipairs(KEYS) do
  local made = redis.pcall('XGROUP', 'CREATE', inbox, GROUP, '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
end
return {'ok'}
