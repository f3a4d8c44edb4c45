"""When a task's reviews no longer lead anywhere, and a person is asked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from callboard.agents.reviewer.consensus import place_of
from callboard.agents.reviewer.standing import majors
from callboard.bus.reviews import ReviewDoc, Standing

MOST_ROUNDS = 6
"""Reviews in a row that sent it back; the design's number."""
SAME = 3
"""How often one finding may be open."""
DRIFTS = 2
"""Rounds in a row that may drift."""


def since_it_passed(reviews: Sequence[ReviewDoc]) -> tuple[ReviewDoc, ...]:
    """The reviews of one task that sent it back, oldest first, since one that did not, or since a person was asked."""
    ordered = sorted(reviews, key=lambda it: (it.attempt, int(it.id.rpartition(".")[2] or 0)))
    kept: list[ReviewDoc] = []
    for review in ordered:
        if review.outcome in ("consensus", "accepted") or review.stop:
            kept = []
        elif review.outcome in ("fixes", "major_flaws"):
            kept.append(review)
    return tuple(kept)


def drifts(open_: Sequence[Standing], before: ReviewDoc | None) -> bool:
    """Whether the work moves away from what was asked: an open major is against a requirement, or a rule, that the round
    before had nothing against."""
    if before is None:
        return False
    known = {it.finding.requirement for it in before.open}
    return any(it.finding.requirement not in known for it in majors(open_) if it.finding.requirement)


def why_stop(rounds: Sequence[ReviewDoc]) -> str:
    """Why a person is asked now; "" = it goes back to its driver.

    Args:
        rounds: As `since_it_passed` gives them, the one that was just concluded last.
    """
    times = Counter(digest for it in rounds for digest in {one.finding.digest for one in it.open})
    for one in rounds[-1].open if rounds else ():
        if times[one.finding.digest] >= SAME:
            place = place_of(one.finding)
            return f"the same finding is open for the {_nth(times[one.finding.digest])} time" + (
                f", at {place}" if place else ""
            )
    if len(rounds) >= DRIFTS and all(it.drifted for it in rounds[-DRIFTS:]):
        return f"{DRIFTS} rounds in a row broke something that was asked and held before"
    if len(rounds) >= MOST_ROUNDS:
        return f"{len(rounds)} reviews in a row sent it back"
    return ""


def _nth(number: int) -> str:
    return {3: "third", 4: "fourth", 5: "fifth"}.get(number, f"{number}th")
