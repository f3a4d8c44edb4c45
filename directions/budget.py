"""What a task's Budget says: `2 attempts, 200k tokens, $2.50, 30 min`."""

from __future__ import annotations

import re
from decimal import Decimal

from callboard.bus.caps import MICRO, in_usd
from callboard.bus.task import OwnCaps
from callboard.directions import values

_NUMBER = r"(?P<number>\d{1,12}(?:\.\d{1,6})?)"
_TOKENS = re.compile(rf"{_NUMBER}\s*(?P<unit>[km]?)\s*tokens?", re.IGNORECASE | re.ASCII)
_DOLLARS = re.compile(
    rf"\$\s*{_NUMBER}|{_NUMBER.replace('number', 'after')}\s*(?:usd|dollars?|\$)", re.IGNORECASE | re.ASCII
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))", re.ASCII)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def parts(text: str) -> tuple[str, ...]:
    """What stands between commas, semicolons or in backticks; `200,000 tokens` is one part."""
    return values.listed(_THOUSANDS.sub("", text)).found


def own_caps(part: str) -> OwnCaps | None:
    """One part; None for what it is not understood as, and for nothing at all, which no task could work with."""
    text = part.strip("*_` ")
    if (attempts := values.attempts(text)) is not None:
        return OwnCaps(attempts=attempts)
    if found := _TOKENS.fullmatch(text):
        tokens = int(Decimal(found["number"]) * _UNITS[found["unit"].lower()])
        return OwnCaps(tokens=tokens) if tokens else None
    if found := _DOLLARS.fullmatch(text):
        micros = int(Decimal(found["number"] or found["after"]) * MICRO)
        return OwnCaps(micro_usd=micros) if micros else None
    minutes = values.minutes(text)
    return OwnCaps(minutes=minutes[1]) if minutes and minutes[1] else None


def written(own: OwnCaps) -> str:
    """The same as a Budget; "" when it names nothing."""
    said = (
        f"{own.attempts} attempts" if own.attempts is not None else "",
        f"{own.tokens} tokens" if own.tokens is not None else "",
        f"${in_usd(own.micro_usd):f}" if own.micro_usd is not None else "",
        f"{own.minutes} min" if own.minutes is not None else "",
    )
    return ", ".join(part for part in said if part)
