"""What a run has spent of what it may, for people: in a line of `status`, and short in the live view; pure."""

from __future__ import annotations

from rich.text import Text

from callboard.bus.states import NOTICE
from callboard.launch.summary import Spend


def spend_text(spend: Spend) -> Text:
    """`spent 1,200,000 of 5,000,000 tokens, 3.10 of 25.00 USD, 14 of 120 minutes`, loud from where a person is told."""
    caps, usd = spend.caps, f"{spend.known_usd:.2f}" if spend.known_usd or spend.usd is not None else "unknown"
    more = " + unknown" if spend.usd is None and spend.known_usd else ""
    return Text("spent ", "dim").append_text(
        _joined(
            (f"{spend.tokens or 0:,} of {caps['tokens']:,.0f} tokens", (spend.tokens or 0) / caps["tokens"]),
            (f"{usd}{more} of {caps['usd']:.2f} USD", spend.known_usd / caps["usd"]),
            (f"{spend.minutes} of {caps['minutes']:.0f} minutes", spend.minutes / caps["minutes"]),
        )
    )


def short_spend(spend: Spend) -> Text:
    """`1.2M of 5M tokens, $3.10 of $25`; money is left out where no price is known."""
    caps, tokens = spend.caps, spend.tokens or 0
    parts = [(f"{_short(tokens)} of {_short(caps['tokens'])} tokens", tokens / caps["tokens"])]
    if spend.known_usd:
        more = "+?" if spend.usd is None else ""
        parts.append((f"${spend.known_usd:.2f}{more} of ${caps['usd']:g}", spend.known_usd / caps["usd"]))
    return _joined(*parts)


def _joined(*parts: tuple[str, float]) -> Text:
    """Each with its share of its cap."""
    text = Text()
    for said, share in parts:
        text.append(", " if text else "", "dim")
        text.append(said, "bold red" if share >= 1 else "yellow" if share * 100 >= NOTICE else "dim")
    return text


def _short(amount: float) -> str:
    """`950`, `12k`, `1.2M`; rounded down, so that a cap is not said to be reached before it is."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if amount >= size:
            tenths = int(amount * 10 // size)
            return f"{tenths / 10:g}{unit}" if tenths < 100 else f"{tenths // 10}{unit}"
    return f"{amount:.0f}"
