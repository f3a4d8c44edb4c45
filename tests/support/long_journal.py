"""A journal of many entries that say nothing, written within the server: for what must not depend on its length."""

from __future__ import annotations

from servers import Server

from callboard.bus.journal import encode_entry
from callboard.bus.keys import Keys

# one entry a millisecond, as readers look for their place by that
FILL = """
local now = redis.call('TIME')
local began = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[3]) + 1
for i = 1, tonumber(ARGV[1]) do
  local seq = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[1], string.format('%.0f-0', began + i), 'seq', seq, 'at', 0, 'entry', ARGV[2])
end
"""
AT_ONCE = 2_000
"""Entries of one script: the server answers nobody meanwhile."""


def fill(server: Server, run: str, rows: int) -> None:
    keys, entry = Keys(run), encode_entry("send", sender="driver-1")
    for done in range(0, rows, AT_ONCE):
        server.ask("EVAL", FILL, 2, keys.journal, keys.seq, min(AT_ONCE, rows - done), entry, done)
