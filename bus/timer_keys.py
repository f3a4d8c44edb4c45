"""How a timer with a key is told from others: its message's JSON begins with the key, in a field that readers pass over."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii as quoted

_KEYED = re.compile(r'\{"timer":"(?:[^"\\]|\\.)*",')


def begins_with(key: str) -> str:
    """How the JSON of a timer with this key begins, and no other's: readers pass over a field that they do not know."""
    return f'{{"timer":{quoted(key)},'


def keyed(raw: str, key: str) -> tuple[str, str]:
    """How the timers begin whose place it takes ("" = of none), and the message's JSON as it is kept."""
    if not key:
        return "", raw
    begins = begins_with(key)
    return begins, begins + raw[1:]


def timer_key(raw: str) -> str:
    """How a timer's JSON begins that has a key; else ""."""
    found = _KEYED.match(raw)
    return found[0] if found else ""
