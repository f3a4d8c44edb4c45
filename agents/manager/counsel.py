"""What advice adds up to: pure, and the only place that decides it.

The senior alone is believed where it is sure and names at least one text that code found where it says. The three are
believed where the senior and a junior choose the same proposal. All else fails closed: the next rung is climbed. What is
believed is advice all the same: a note for the next attempt, which nobody has to obey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callboard.bus.problems import Advice

SILENCE = Advice(says="abstained", reasons="no answer came in time")
SENIOR, JUNIORS = "senior", ("junior-1", "junior-2")
"""The seats."""


@dataclass(frozen=True, slots=True)
class Taken:
    """It is believed."""

    advice: Advice


@dataclass(frozen=True, slots=True)
class Passed:
    """It is not, and why."""

    why: str
    is_silent: bool = False
    """Nothing was said that could be read."""


def of_senior(advice: Advice) -> Taken | Passed:
    """Whether the senior's word is enough."""
    match advice.says:
        case "abstained":
            return Passed(f"the senior gave no answer: {advice.reasons or 'it did not say why'}", is_silent=True)
        case "cannot_say":
            return Passed(f"the senior cannot say: {advice.reasons or 'it did not say why'}")
    if not advice.text.strip():
        return Passed("the senior answered with nothing", is_silent=True)
    if not advice.is_sure:
        return Passed(f"the senior is not sure: {advice.reasons or advice.text}")
    if not any(reference.verified for reference in advice.references):
        return Passed("the senior's answer rests on nothing that was found where it says")
    return Taken(advice)


def proposals(known: Sequence[Advice], heard: Mapping[str, Advice]) -> tuple[Advice, ...]:
    """What the three may choose from, in the order of the seats; the same words once."""
    said = [*known, *(heard[name] for name in sorted(heard))]
    found: dict[str, Advice] = {}
    for advice in said:
        if advice.says == "answer" and advice.text.strip():
            found.setdefault(" ".join(advice.text.split()).casefold(), advice)
    return tuple(found.values())


def of_trio(heard: Mapping[str, Advice], offered: Sequence[Advice]) -> Taken | Passed:
    """Which proposal the senior and at least one junior chose.

    Args:
        heard: By seat; who is missing chose none.
        offered: In the order in which they were numbered, from 1.
    """
    chosen = {seat: _choice(advice, len(offered)) for seat, advice in heard.items()}
    wanted = chosen.get(SENIOR, 0)
    if wanted and any(chosen.get(junior) == wanted for junior in JUNIORS):
        return Taken(offered[wanted - 1])
    return Passed(_not_agreed(chosen, len(offered)))


def _not_agreed(chosen: Mapping[str, int], most: int) -> str:
    if not any(chosen.values()):
        one = "the one proposal there is" if most == 1 else f"any of the {most} proposals"
        return f"none of the three would answer for {one}"
    said = ", ".join(f"{seat} {_named(chosen.get(seat, 0))}" for seat in (SENIOR, *JUNIORS))
    return f"the senior and a junior have to choose the same proposal, and did not: {said}"


def _named(number: int) -> str:
    return f"chose {number}" if number else "chose none"


def _choice(advice: Advice, most: int) -> int:
    return advice.choice if advice.says == "answer" and 1 <= advice.choice <= most else 0
