"""Reports over a ledger of three runs of two projects, on SQLite and on Postgres."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from ledger_world import World, paid, told

from callboard.bus.board import BlockerDoc, BudgetDoc, ReviewDoc, RunDoc, TaskDoc, TaskState
from callboard.bus.caps import OpenCall, Spent, Worked
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.doc import Doc
from callboard.bus.issues import IssueDoc, Sighting, SummaryDoc
from callboard.bus.task import TaskSpec
from callboard.ledger import reports

pytestmark = pytest.mark.timeout(600)
OLD, NEW, THEIRS = "20261119-080000", "20261120-080000", "20261121-080000"


def run_doc(name: str, state: str) -> RunDoc:
    began = datetime.strptime(name, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    return RunDoc.model_validate({"id": name, "state": state, "goal": "links", "created_at": began, "target": "main"})


def task(id: str, state: TaskState, tier: str = "main") -> TaskDoc:
    spec = TaskSpec(key=f"driver-1/{id}", agent="driver-1", title=f"Do {id}", tier=tier, fields={"Complexity": "low"})
    return TaskDoc(id=id, spec=spec, state=state)


def issue(key: str, *, age: int = 0, state: str = "open", seen: str = "T-1", severity: str = "minor") -> IssueDoc:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    found = (Sighting(task=seen, source="gate", severity="minor", at=at),) if seen else ()
    return IssueDoc.model_validate(
        {
            "key": key,
            "title": key,
            "category": "lint",
            "severity": severity,
            "state": state,
            "count": 2,
            "age_runs": age,
            "first_at": at,
            "sightings": found,
        }
    )


def call(tokens: int, task: str = "T-1", tier: str = "api") -> tuple[OpenCall, Spent]:
    opened = OpenCall(id=f"c{tokens}", agent="driver-1", task=task, model="opus", tokens=9, micro_usd=9, tier=tier)
    return opened, Spent(calls=1, input_tokens=tokens, output_tokens=1, micro_usd=tokens)


@pytest.fixture
def filled(world: World, tmp_path: Path) -> World:
    old: dict[str, Doc] = {
        "run": run_doc(OLD, "succeeded"),
        "issue:gone": issue("gone"),
        "issue:stays": issue("stays", age=1),
        "issue:mended": issue("mended"),
        "summary": SummaryDoc(state="succeeded", facts=("1 done",), at=datetime(2026, 11, 19, 9, tzinfo=UTC)),
    }
    world.append([told(1, old), paid(2, *call(10))], OLD)
    new: dict[str, Doc] = {
        "run": run_doc(NEW, "running"),
        "budget": BudgetDoc(worked={"run": Worked(minutes=130, attempts=4), "tier:api": Worked(gate_runs=5)}),
        **{
            f"task:T-{n}": task(f"T-{n}", state, "api")
            for n, state in enumerate((TaskState.DONE, TaskState.WORKING), 1)
        },
        "task:T-10": task("T-10", TaskState.FAILED, "web"),
        "issue:stays": issue("stays", age=5, seen=""),
        "issue:mended": issue("mended", state="closed"),
        "issue:fresh": issue("fresh", severity="major"),
        "blocker:B-1": BlockerDoc(id="B-1", task="T-1", what="no key", needs="a key"),
        "review:T-1.1.1": ReviewDoc(id="T-1.1.1", task="T-1", attempt=1, outcome="consensus", dissent=("senior",)),
        "deployment:D-1": DeploymentDoc(id="D-1", environment="staging", state="done"),
    }
    world.append([told(1, new), paid(2, *call(4_000_000)), paid(3, *call(1_500_000, "T-10", "web"))], NEW)
    world.take()
    theirs = World(tmp_path / "theirs", world.database, "garden")
    theirs.append([told(1, {"run": run_doc(THEIRS, "running"), "issue:theirs": issue("theirs")})], THEIRS)
    theirs.take()
    assert not world.said
    assert not theirs.said
    return world


def test_runs_are_told_by_state_and_project_the_newest_first(filled: World) -> None:
    database = filled.database
    assert [one.run for one in reports.runs(database)] == [THEIRS, NEW, OLD]
    assert [one.run for one in reports.runs(database, state="running", project="shop")] == [NEW]
    assert [one.run for one in reports.runs(database, limit=1, offset=1)] == [NEW]
    old = reports.run(database, OLD)
    assert old is not None
    assert (old.facts, old.ended_at) == (("1 done",), datetime(2026, 11, 19, 9, tzinfo=UTC))
    assert (old.calls, int(old.use("tokens").used), old.use("usd").used) == (1, 11, Decimal("0.00001"))
    assert reports.run(database, "nobody's") is None


def test_budget_names_the_runs_that_are_over_a_cap_and_which(filled: World) -> None:
    found = reports.budget(filled.database, project="shop")
    over = [(one.run, [use.what for use in one.over]) for one in found.over]
    # a run without tasks may have no issues
    assert over == [(NEW, ["tokens", "minutes"]), (OLD, ["minor_issues"])]
    assert (found.tokens, found.calls, len(found.runs)) == (5_500_013, 3, 2)
    assert found.over[0].use("tokens").share == pytest.approx(1.1, abs=0.01)


def test_tiers_have_their_tasks_caps_and_why_they_are_not_clean(filled: World) -> None:
    api, web = reports.tiers(filled.database, run=NEW)
    assert (api.name, api.task_states, api.has_ended, api.cleanliness) == (
        "api",
        {"done": 1, "working": 1},
        False,
        "clean",
    )
    assert {use.what: int(use.used) for use in api.uses if use.is_over} == {"tokens": 4_000_001, "gate_runs": 5}
    assert (web.name, web.task_states, web.cleanliness) == ("web", {"failed": 1}, "not_clean")
    assert web.problems[0].startswith("T-10 failed; `callboard launch --again driver-1/T-10`")
    assert reports.tiers(filled.database, name="web") == (web,)


def test_the_backlog_is_what_the_newest_run_that_knows_a_key_says(filled: World) -> None:
    found = reports.backlog(filled.database, project="shop")
    assert [one.key for one in found.top_aging] == ["stays", "fresh", "gone"]
    assert [(one.key, one.run, one.age_runs) for one in found.needs_cleanup] == [("stays", NEW, 5)]
    assert (found.minors, found.majors, found.by_category) == (1, 2, {"lint": 3})
    assert [one.key for one in reports.backlog(filled.database, top=1).top_aging] == ["stays"]
    assert {one.key for one in reports.backlog(filled.database).top_aging} == {"stays", "fresh", "gone", "theirs"}


def test_a_summary_is_all_of_a_run(filled: World) -> None:
    found = reports.summary(filled.database, NEW)
    assert found is not None
    assert [one.id for one in found.tasks] == ["T-1", "T-2", "T-10"]
    assert found.tasks[0].fields == {"Complexity": "low"}
    assert [one.key for one in found.issues] == ["fresh", "mended"]
    assert [(one.id, one.state) for one in found.blockers] == [("B-1", "open")]
    assert [(one.outcome, one.dissent) for one in found.reviews] == [("consensus", ("senior",))]
    assert [(one.id, one.is_over) for one in found.deployments] == [("D-1", True)]
    assert [one.name for one in found.tiers] == ["api", "web"]
    assert {one.scope: one.calls for one in found.spend}["model:opus"] == 2
    assert reports.summary(filled.database, "nobody's") is None
    assert reports.board(filled.database, NEW).task("T-10").state == "failed"
    assert not reports.board(filled.database, "nobody's").docs
