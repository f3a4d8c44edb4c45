"""Outside text as data, for every brain that reads words. Pure."""

from __future__ import annotations

import hashlib


def framed(label: str, text: str) -> str:
    """Outside text as data: the frame's end cannot stand in the text, for it holds the text's own digest."""
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"<<<data {mark} {label}\n{text}\n{mark} data>>>"
