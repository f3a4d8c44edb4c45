"""Text from agents and repositories, made safe to print: what a terminal could obey is shown instead."""

from __future__ import annotations

_DIRECTION_MARKS = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = {
    **{code: 0x2400 + code for code in range(0x20)},
    **dict.fromkeys((*range(0x7F, 0xA0), *_DIRECTION_MARKS), 0xFFFD),
}
_SHOWN_OVER_LINES = {code: shown for code, shown in _SHOWN.items() if chr(code) not in "\t\n"}


def one_line(text: str) -> str:
    """The text on one line, without anything that moves a cursor, colours, or turns the reading direction."""
    return " ".join(text.split()).translate(_SHOWN).encode("utf-8", "replace").decode()


def lines(text: str) -> str:
    """The same over several lines."""
    unified = text.replace("\r\n", "\n").translate(_SHOWN_OVER_LINES)
    return unified.encode("utf-8", "replace").decode()
