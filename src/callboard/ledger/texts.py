"""Texts as both databases take them."""

from __future__ import annotations

import json
from datetime import UTC, datetime


def storable(text: str) -> str:
    """Without what Postgres (NUL) or no UTF-8 (halves of surrogate pairs) can hold."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def as_json(value: object) -> str:
    """Lists and mappings of plain values; what is no ASCII is escaped."""
    return json.dumps(value, separators=(",", ":"))


def as_ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def as_time(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
