"""One deployment on a screen: how well it went, what holds it, and its way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callboard.bus.deployments import DeploymentDoc, Edge, LetPass, ReadyItem, ReleaseReview, Said
from callboard.bus.task import CommandResult
from callboard.cli.deployment_view import lines
from callboard.launch.deployment_rows import DeploymentRow, deployments_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GOOD = ReleaseReview(answers={"requirements": Said(answer="good")}, requirements=4)
DONE = DeploymentDoc(
    version=1,
    id="d-2",
    environment="live",
    commit="c" * 40,
    release="r-2",
    blue="r-1",
    state="done",
    fixes=1,
    notes="T-9",
    tests=(CommandResult(command="pytest", exit_code=0, duration_s=1, digest=""),),
    reviews={"senior": GOOD, "junior-1": GOOD},
    checklist=(ReadyItem(name="monitoring", state="unknown", fact="no command\nshows it", source="there"),),
    let_pass=(LetPass(item="monitoring", state="unknown", by="Ada"),),
    history=(
        Edge(source="reviewing", to="eligible", event="review: consensus", facts=("good\nin all five",), at=NOON),
        Edge(source="eligible", to="promoting", event="Ada says: go on not knowing monitoring", at=NOON),
    ),
    requested_at=NOON,
    ended_at=NOON + timedelta(seconds=95),
)


def row(doc: DeploymentDoc) -> DeploymentRow:
    [found] = deployments_of([doc], {}, NOON + timedelta(hours=50)).deployments
    return found


def test_one_that_is_done_says_how_well_it_went_and_who_let_what_pass() -> None:
    found = lines(row(DONE))
    assert found[:10] == [
        "d-2 deploys to live: done",
        "  commit cccccccccccc, release r-2, in the place of r-1",
        "  its notes land with T-9",
        "  took 1 min 35 s from its request to its end",
        "  iterations of the fix loop: 1",
        "  reviewers: consensus",
        "  requirements met: 4 of 4",
        "  tests passed: 1 of 1",
        "  has served everything for 2 d 1 h",
        "checklist:",
    ]
    assert found[10] == "  unknown  monitoring: no command shows it (there); Ada let it pass"
    assert found[11] == "the way:"
    assert found[13] == "    good in all five"


def test_one_that_was_rolled_back_says_why_and_what_is_next() -> None:
    gone = DONE.model_copy(
        update={"state": "rolled_back", "reason": "bake: 9 errors", "next": "development", "task": "T-3", "notes": ""}
    )
    found = lines(row(gone))
    assert found[:3] == [
        "d-2 deploys to live: rolled back",
        "  because: bake: 9 errors",
        "  next: development, T-3 opened",
    ]
    assert not any("has served" in line for line in found)
