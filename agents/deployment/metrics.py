"""How well a deployment went, from its document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from callboard.bus.deployments import QUORUM, DeploymentDoc, ReleaseReview


@dataclass(frozen=True, slots=True)
class Metrics:
    """None = it is not over yet, or nobody was asked."""

    took_s: float | None
    """From its request to its end."""
    fix_iterations: int
    review_outcome: str | None
    """Of the last review of the deployed code: consensus, fixes, major_flaws or no_quorum."""
    tests_passed: int
    tests: int
    requirements_met: int | None
    """Requirements that two reviewers of the deployed code have found met, and none not ..."""
    requirements: int | None
    """... of so many in the files of requirements; None = nobody has reviewed it, or nobody counted."""
    served_s: float | None
    """How long its release has served everything since it was done: until another one was done there, or until now."""


def metrics(doc: DeploymentDoc, every: Iterable[DeploymentDoc], now: datetime) -> Metrics:
    """Measure one of all the deployments of a board."""
    outcomes = [edge.event.removeprefix("review: ") for edge in doc.history if edge.event.startswith("review: ")]
    met, wanted = _requirements(doc)
    return Metrics(
        took_s=_seconds(doc.requested_at, doc.ended_at),
        fix_iterations=doc.fixes,
        review_outcome=outcomes[-1] if outcomes else None,
        tests_passed=sum(one.passed for one in doc.tests),
        tests=len(doc.tests),
        requirements_met=met,
        requirements=wanted,
        served_s=_seconds(doc.ended_at, _replaced(doc, every) or now) if doc.state == "done" else None,
    )


def _requirements(doc: DeploymentDoc) -> tuple[int, int] | tuple[None, None]:
    """How many are met, of how many: what one reviewer finds missing is not outvoted."""
    reviews = tuple(doc.reviews.values())
    wanted = max((one.requirements for one in reviews), default=0)
    if not wanted:
        return None, None
    return sum(_is_met(number, reviews) for number in range(1, wanted + 1)), wanted


def _is_met(number: int, reviews: Sequence[ReleaseReview]) -> bool:
    found = sum(one.finds_met(number) for one in reviews)
    return found >= QUORUM and not any(number in one.unmet for one in reviews)


def _replaced(doc: DeploymentDoc, every: Iterable[DeploymentDoc]) -> datetime | None:
    """When the next one of its environment was done."""
    ends = [
        one.ended_at
        for one in every
        if one.environment == doc.environment and one.state == "done" and one.ended_at is not None
    ]
    return min((at for at in ends if doc.ended_at is not None and at > doc.ended_at), default=None)


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()
