"""How well deployments went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callboard.agents.deployment.metrics import Metrics, metrics
from callboard.bus.deployments import DeploymentDoc, Edge, ReleaseReview, Said
from callboard.bus.task import CommandResult

BEGAN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
GOOD = ReleaseReview(answers={"requirements": Said(answer="good")}, requirements=3)
FAULTY = ReleaseReview(answers={"requirements": Said(answer="fixes")}, requirements=3, unmet=(2,))
UNSAID = ReleaseReview(answers={"requirements": Said(answer="major_flaws")}, requirements=3)
SILENT = ReleaseReview(answers={}, requirements=3)
REVIEWS = tuple(Edge(source="reviewing", to="fixing", event=f"review: {outcome}") for outcome in ("fixes", "consensus"))


def result(exit_code: int) -> CommandResult:
    return CommandResult(command="true", exit_code=exit_code, duration_s=1, digest="0" * 64)


DONE = DeploymentDoc(
    version=1,
    id="d-1",
    environment="production",
    state="done",
    fixes=1,
    tests=(result(0), result(0), result(1)),
    reviews={"senior": GOOD, "junior-1": GOOD, "junior-2": SILENT},
    history=REVIEWS,
    requested_at=BEGAN,
    ended_at=BEGAN + timedelta(minutes=10),
)


def later(minutes: int, **values: object) -> DeploymentDoc:
    return DONE.model_copy(update={"id": "d-2", "ended_at": BEGAN + timedelta(minutes=minutes), **values})


def test_what_is_done_serves_until_now() -> None:
    assert metrics(DONE, (DONE,), BEGAN + timedelta(minutes=70)) == Metrics(
        took_s=600,
        fix_iterations=1,
        review_outcome="consensus",
        tests_passed=2,
        tests=3,
        requirements_met=3,
        requirements=3,
        served_s=3600,
    )


@pytest.mark.parametrize(
    ("reviews", "met"),
    [
        ((GOOD, GOOD, GOOD), 3),
        ((GOOD, GOOD, SILENT), 3),
        ((GOOD, SILENT, SILENT), 0),
        ((GOOD, GOOD, FAULTY), 2),
        ((GOOD, FAULTY, SILENT), 2),
        ((GOOD, GOOD, UNSAID), 3),
        ((GOOD, UNSAID, SILENT), 0),
    ],
)
def test_a_requirement_is_met_where_two_find_it_met_and_none_finds_it_missing(
    reviews: tuple[ReleaseReview, ...], met: int
) -> None:
    doc = DONE.model_copy(update={"reviews": dict(zip(("senior", "junior-1", "junior-2"), reviews, strict=True))})
    found = metrics(doc, (doc,), BEGAN)
    assert (found.requirements_met, found.requirements) == (met, 3)


def test_what_a_board_of_before_has_not_counted_is_not_known() -> None:
    old = ReleaseReview(answers={"requirements": Said(answer="good")})
    found = metrics(DONE.model_copy(update={"reviews": {"senior": old, "junior-1": old}}), (), BEGAN)
    assert (found.requirements_met, found.requirements) == (None, None)


def test_it_serves_until_the_next_one_of_its_environment_is_done() -> None:
    now = BEGAN + timedelta(minutes=90)
    every = (later(50), DONE, later(30), later(20, state="rolled_back"), later(15, environment="staging"))
    assert metrics(DONE, every, now).served_s == 20 * 60


def test_what_is_not_over_or_was_rolled_back_has_served_nothing() -> None:
    fresh = DeploymentDoc(version=1, id="d-3", environment="production", requested_at=BEGAN)
    assert metrics(fresh, (fresh,), BEGAN) == Metrics(None, 0, None, 0, 0, None, None, None)
    assert metrics(later(20, state="rolled_back"), (DONE,), BEGAN).served_s is None
