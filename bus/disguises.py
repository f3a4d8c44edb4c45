"""How a secret may look once it was encoded, escaped, turned round or broken over lines, and the way back.

| disguise                                                 | known values         | shapes            |
|----------------------------------------------------------|----------------------|-------------------|
| base64 and base64url at any alignment, broken over lines | `encoded_forms`      | `decoded`         |
| hex, small or capital, with separators or without        | `encoded_forms`      | `decoded`         |
| base32                                                   | `encoded_forms`      | -                 |
| reversed                                                 | `encoded_forms`      | searched reversed |
| escapes of percent, JSON, Python or HTML, whole or part  | `bare`               | `bare`            |
| broken over lines, quoted pieces                         | `letters`            | `bare`            |
| letters apart, other separators                          | `letters`            | -                 |
"""

from __future__ import annotations

import base64
import re
from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

_ESCAPE = re.compile(
    r"%([0-9A-Fa-f]{2})|\\u00([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|&#x([0-9A-Fa-f]{2});|&#([0-9]{2,3});|\\([nrt\"/\\])"
)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_BREAK = re.compile(r"[\"'`]?[ \t]{0,4}[+.,\\]?[ \t]{0,4}\r?\n[ \t>|#+]{0,40}[\"'`]?")
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_OTHERS = re.compile(r"[^A-Za-z0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[:;, -]{0,2}){12,}")
_HEX_NOISE = re.compile(r"0x|\\x|[:;, -]")
_TO_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class View:
    """A text made from another one, and for each of its pieces where it came from."""

    text: str
    _starts: list[int]
    """Where each piece begins here, in order."""
    _sources: list[tuple[int, int]]
    """Where it begins and ends there; longer there than here, it is one letter that was escaped."""

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that a part of this text, not an empty one, was made from."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, place: int) -> tuple[int, int]:
        n = bisect_right(self._starts, place) - 1
        begin, end = self._sources[n]
        after = self._starts[n + 1] if n + 1 < len(self._starts) else len(self.text)
        if after - self._starts[n] < end - begin:
            return begin, end
        at = begin + place - self._starts[n]
        return at, at + 1


def replaced(text: str, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> View:
    """The text with each match replaced by one letter, or by none."""
    pieces: list[str] = []
    starts: list[int] = []
    sources: list[tuple[int, int]] = []
    read = length = 0
    for match in pattern.finditer(text):
        for piece, begin, end in ((text[read : match.start()], read, match.start()), (by(match), *match.span())):
            if piece:
                pieces.append(piece)
                starts.append(length)
                sources.append((begin, end))
                length += len(piece)
        read = match.end()
    return View("".join([*pieces, text[read:]]), [*starts, length], [*sources, (read, len(text))])


def bare(text: str) -> tuple[View, ...]:
    """The text without escapes, then also without line breaks, as far as it has any: each view is of the one before."""
    views: list[View] = []
    if "%" in text or "\\" in text or "&#" in text:
        views.append(replaced(text, _ESCAPE, _unescaped))
        text = views[-1].text
    if "\n" in text:
        views.append(replaced(text, _BREAK, lambda _: ""))
    return tuple(views)


def bare_texts(text: str) -> tuple[str, ...]:
    """The texts of these views alone: of a text that is nothing but short lines they take a fraction of the memory."""
    texts: list[str] = []
    if "%" in text or "\\" in text or "&#" in text:
        texts.append(_ESCAPE.sub(_unescaped, text))
        text = texts[-1]
    if "\n" in text:
        texts.append(_BREAK.sub("", text))
    return tuple(texts)


def _unescaped(match: re.Match[str]) -> str:
    decimal, control = match[5], match[6]
    if control:
        return _CONTROL.get(control, control)
    if decimal:
        return chr(int(decimal)) if int(decimal) < 256 else match[0][:1]
    return chr(int(next(digits for digits in match.groups()[:4] if digits), 16))


def letters(text: str) -> str:
    """Its ASCII letters and digits alone: what stays the same however a text is wrapped, quoted or punctuated."""
    return text.encode("ascii", "ignore").translate(None, _NO_LETTERS).decode()


def letters_view(text: str) -> View:
    """The same with the way back, which takes longer."""
    return replaced(text, _OTHERS, lambda _: "")


def encoded_forms(value: str) -> tuple[tuple[str, float], ...]:
    """`letters` of each encoding of a value, with how many of its letters stand for one of the value's."""
    data = value.encode()
    hexed = data.hex()
    forms = [(value[::-1], 1.0), (hexed, 2.0), (hexed.upper(), 2.0), (base64.b32encode(data).decode(), 1.6)]
    forms += [(form, 4 / 3) for form in _base64_forms(data)]
    return tuple((letters(form), width) for form, width in forms)


def _base64_forms(data: bytes) -> Iterator[str]:
    """What stays the same whatever stands before and after it in what was encoded."""
    for before in range(3):
        form = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        changes = (0, 2, 3)[before]
        yield form[changes : -1 if (before + len(data)) % 3 else None]


def decoded(text: str) -> View:
    """What every run says that could be base64 or hex, byte by byte, one after another; its source is the whole run.

    A run may have begun with a word or a path before the encoding, so that base64 is read from four places.
    """
    pieces: list[str] = []
    starts: list[int] = []
    sources: list[tuple[int, int]] = []
    length = 0
    for span, said in chain(_from_base64(text), _from_hex(text)):
        pieces.append(said)
        starts.append(length)
        sources.append(span)
        length += len(said) + 1
    return View("\n".join(pieces), starts, sources)


def _from_base64(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    for run in _BASE64.finditer(text):
        standard = run[0].translate(_TO_STANDARD)
        for offset in range(4):
            whole = (len(standard) - offset) // 4 * 4
            rest = standard[offset + whole :]
            tail = rest + "=" * (-len(rest) % 4) if len(rest) > 1 else ""
            yield run.span(), a2b_base64(standard[offset : offset + whole] + tail).decode("latin-1")


def _from_hex(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    for run in _HEX.finditer(text):
        digits = _HEX_NOISE.sub("", run[0])
        yield run.span(), bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1")
