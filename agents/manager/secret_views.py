"""The texts that a file can be read as: as it is, with its split literals joined, and what its encodings hold."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

LINE = 2_000
"""Longer lines are cut into pieces of this length, so that no pattern reads for long; minified files have such lines."""
OVERLAP = 400
"""What two pieces share, so that no key is cut apart: the longest shape without a bound of its own has 200 characters."""
_JOINT = re.compile(
    r"([\"'])[ \t]{0,40}(?:\+|\.|&|\\)?[ \t]{0,40}\r?\n?[ \t]{0,200}(?:\+|\.|&)?[ \t]{0,40}[bfru]{0,2}\1"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,1000}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){20,500}")
_PUBLIC_BLOCK = re.compile(
    r"-----BEGIN (CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|PGP PUBLIC KEY BLOCK)-----[^-]{0,20000}-----END \1"
)


@dataclass(frozen=True, slots=True)
class View:
    text: str
    is_decoded: bool = False
    """It was hidden in an encoding; a random value needs no name around it there."""


def views(content: bytes) -> Iterator[View]:
    """All of them; each is cut into lines of a bounded length."""
    text = _PUBLIC_BLOCK.sub("", _cut(as_text(content)))
    yield View(text)
    joined = _JOINT.sub("", text)
    if joined != text:
        yield View(joined)
    if "%" in text and (unquoted := unquote(text)) != text:
        yield View(unquoted)
    if hidden := "\n".join(_hidden(joined)):
        yield View(hidden, is_decoded=True)


def as_text(content: bytes) -> str:
    """A file as it is read; what is no text in it becomes a sign of its own."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8", "replace")


def _cut(text: str) -> str:
    lines = text.split("\n")
    if all(len(line) <= LINE for line in lines):
        return text
    return "\n".join(piece for line in lines for piece in _pieces(line))


def _pieces(line: str) -> Iterator[str]:
    step = LINE - OVERLAP
    return (line[at : at + LINE] for at in range(0, max(1, len(line) - OVERLAP), step))


def _hidden(text: str) -> Iterator[str]:
    """What Base64 and hex in it hold, where that is text."""
    for match in _BASE64.finditer(text):
        token = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        if len(token) % 4 != 1:
            yield from _text(base64.b64decode(token + "=" * (-len(token) % 4)))
    for match in _HEX.finditer(text):
        yield from _text(bytes.fromhex(match[0]))


def _text(raw: bytes) -> Iterator[str]:
    if raw.isascii() and (text := raw.decode().strip()).isprintable() and text:
        yield text
