"""The production checklist: each item passes, fails and is unknown by a fact, and names where that comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from boards import run_doc, task_doc

from callboard.agents.deployment.readiness import Item, Known, checklist
from callboard.agents.deployment.ready_settings import ReadySettings
from callboard.agents.deployment.settings import DeploySettings, EnvironmentSettings
from callboard.bus.board import Board, Doc, TaskState
from callboard.bus.deployments import QUESTIONS, DeploymentDoc, Edge, ReleaseReview, Said
from callboard.bus.issues import IssueDoc
from callboard.bus.task import CommandResult, Source

COMMIT = "c" * 40
TESTED = tuple(CommandResult(command=kind, exit_code=0, duration_s=1, digest="0" * 64) for kind in ("unit", "smoke"))
RED = CommandResult(command="integration", exit_code=3, duration_s=1, digest="0" * 64)
GOOD = ReleaseReview(answers={name: Said(answer="good") for name in QUESTIONS})
FAULTY = ReleaseReview(answers={name: Said(answer="fixes") for name in QUESTIONS})
SILENT = ReleaseReview(answers={})
LATENCY = "latency: Green's p95 is 1.01 times Blue's (0.97 to 1.05)"
REHEARSED = Edge(source="eligible", to="eligible", event="rehearse: passed", facts=("Blue is well",))
BAKED = Edge(source="baking", to="baking", event="bake: passed", facts=(LATENCY,))
PRODUCTION = DeploymentDoc(
    version=1,
    id="d-2",
    environment="production",
    commit=COMMIT,
    state="baking",
    tests=TESTED,
    reviews={"senior": GOOD, "junior-1": GOOD},
    history=(REHEARSED, BAKED),
)
STAGING = DeploymentDoc(version=1, id="d-1", environment="staging", commit=COMMIT, state="done")
SETTINGS = DeploySettings(
    rollback_plan="docs/rollback.md",
    environments={"staging": EnvironmentSettings(port=8081), "production": EnvironmentSettings(secrets=("API_KEY",))},
    ready=ReadySettings(documentation=("docs/run.md",)),
)
NAMES = (
    "stages",
    "authentication",
    "tests",
    "security",
    "performance",
    "rollback plan",
    "monitoring",
    "documentation",
    "telemetry",
)


def board(*docs: Doc) -> Board:
    named: dict[str, Doc] = {"run": run_doc(state="succeeded", head=COMMIT)}
    for doc in docs:
        match doc:
            case DeploymentDoc():
                named[f"deployment:{doc.id}"] = doc
            case IssueDoc():
                named[f"issue:{doc.key}"] = doc
            case _:
                named[f"task:{getattr(doc, 'id')}"] = doc  # noqa: B009
    return Board(named)


DONE = task_doc(1, "Serve", TaskState.DONE)
SKIPPED = task_doc(2, "Log", TaskState.SKIPPED)
READY = Known(
    board=board(DONE, STAGING, PRODUCTION),
    settings=SETTINGS,
    environment="production",
    commit=COMMIT,
    files=frozenset({"docs/rollback.md", "docs/run.md"}),
    secrets=frozenset({"API_KEY"}),
    ran=dict.fromkeys(("authentication", "monitoring", "telemetry"), TESTED),
)


def production(**values: object) -> Known:
    return replace(READY, board=board(DONE, STAGING, PRODUCTION.model_copy(update=values)))


def staging(*docs: Doc) -> Known:
    return replace(READY, board=board(DONE, *docs, PRODUCTION))


def ran(name: str, *results: CommandResult) -> Known:
    return replace(READY, ran={**READY.ran, name: results})


def with_settings(**values: object) -> Known:
    return replace(READY, settings=SETTINGS.model_copy(update=values))


WRONG_ISSUE = IssueDoc(version=1, key="security__token_in_log", category="Security", title="a token in the log")
BAKE_FAILED = Edge(source="baking", to="rolled_back", event="bake: failed", facts=(LATENCY,))
BAKE_UNSURE = Edge(source="baking", to="rolled_back", event="bake: inconclusive", facts=(LATENCY,))
REHEARSAL_FAILED = Edge(source="eligible", to="rolled_back", event="rehearse: failed", facts=("Blue is not well",))
CASES: list[tuple[str, str, Known, str, str]] = [
    ("stages", "fail", staging(STAGING.model_copy(update={"state": "rolled_back"})), "rolled_back", "deployment d-1"),
    ("stages", "fail", staging(STAGING, task_doc(2, "Log", TaskState.FAILED)), "not done: T-2", "board of run-1"),
    ("stages", "unknown", staging(), "never in staging", "deployments"),
    ("stages", "unknown", staging(STAGING.model_copy(update={"state": "baking"})), "in staging it is baking", "d-1"),
    ("stages", "unknown", staging(STAGING, task_doc(2, "Log")), "still open: T-2", "board of run-1"),
    ("stages", "unknown", replace(READY, board=board()), "nothing was done yet", "board of run-1"),
    ("stages", "unknown", replace(READY, board=board(SKIPPED)), "nothing was done yet", "board of run-1"),
    ("authentication", "fail", replace(READY, secrets=frozenset()), "without a value: API_KEY", "production] secrets"),
    ("authentication", "fail", ran("authentication", RED), "`integration` exited 3", "[deploy.ready] authentication"),
    ("authentication", "unknown", ran("authentication"), "no command shows it", "[deploy.ready] authentication"),
    ("tests", "fail", production(tests=(*TESTED, RED)), "1 of 3 failed: integration", "deployment d-2"),
    ("tests", "unknown", production(tests=()), "nothing was tested", "deployments on the board"),
    ("tests", "unknown", production(waived=("health",)), "without health tests", "deployment d-2"),
    ("security", "fail", staging(STAGING, WRONG_ISSUE), "security__token_in_log", "callboard issues"),
    (
        "security",
        "fail",
        production(reviews={"senior": FAULTY, "junior-1": GOOD}),
        "senior found fault",
        "review d-2.0",
    ),
    ("security", "unknown", production(reviews={"senior": GOOD, "junior-1": SILENT}), "by junior-1", "review d-2.0"),
    ("security", "unknown", production(reviews={}), "nobody has reviewed", "deployments"),
    ("performance", "fail", production(history=(REHEARSED, BAKE_FAILED)), LATENCY, "deployment d-2, bake: failed"),
    ("performance", "unknown", production(history=(REHEARSED, BAKE_UNSURE)), LATENCY, "bake: inconclusive"),
    ("performance", "fail", production(history=(REHEARSED,), reviews={"senior": FAULTY}), "senior", "review d-2.0"),
    ("performance", "unknown", production(history=(REHEARSED,), reviews={}), "nobody has reviewed", "deployments"),
    ("rollback plan", "fail", with_settings(rollback_plan=""), "none is named", "[deploy] rollback_plan"),
    ("rollback plan", "fail", replace(READY, files=frozenset()), "docs/rollback.md is not there", "commit cccc"),
    ("rollback plan", "fail", production(history=(REHEARSAL_FAILED,)), "Blue is not well", "rehearse: failed"),
    ("rollback plan", "unknown", production(history=(BAKED,)), "was not rehearsed", "deployments"),
    ("monitoring", "fail", ran("monitoring", TESTED[0], RED), "exited 3", "[deploy.ready] monitoring"),
    ("monitoring", "unknown", ran("monitoring"), "no command", "[deploy.ready] monitoring"),
    ("documentation", "fail", replace(READY, files=frozenset({"docs/rollback.md"})), "docs/run.md", "commit cccc"),
    ("documentation", "unknown", with_settings(ready=ReadySettings()), "no file is named", "[deploy.ready]"),
    ("telemetry", "fail", ran("telemetry", RED), "exited 3", "[deploy.ready] telemetry"),
    ("telemetry", "unknown", ran("telemetry"), "no command", "[deploy.ready] telemetry"),
]


def item(known: Known, name: str) -> Item:
    return next(one for one in checklist(known) if one.name == name)


def test_what_is_shown_in_every_respect_is_ready() -> None:
    items = checklist(READY)
    assert tuple(one.name for one in items) == NAMES
    assert {one.state for one in items} == {"pass"}, items
    assert all(one.fact and one.source for one in items)


@pytest.mark.parametrize(("name", "state", "known", "fact", "source"), CASES)
def test_each_item_names_the_fact_and_its_source(name: str, state: str, known: Known, fact: str, source: str) -> None:
    found = item(known, name)
    assert found.state == state
    assert fact in found.fact
    assert source in found.source


@pytest.mark.parametrize("state", ["fail", "unknown"])
def test_each_item_can_fail_and_be_unknown(state: str) -> None:
    assert {name for name, each, *_ in CASES if each == state} == set(NAMES)


NOTES = task_doc(2, "Notes", source=Source(kind="deployment"), fields={"Notes": "docs/deployments/a.md"})


@pytest.mark.parametrize(
    ("name", "doc"),
    [
        pytest.param("stages", NOTES, id="notes of an earlier deployment that have not landed"),
        pytest.param("stages", SKIPPED, id="a task that was skipped"),
        pytest.param("stages", task_doc(2, "Log", standing=True), id="standing work"),
        pytest.param("security", WRONG_ISSUE.model_copy(update={"state": "closed"}), id="an issue that was mended"),
    ],
)
def test_what_asks_for_nothing_more_holds_nothing(name: str, doc: Doc) -> None:
    assert item(staging(STAGING, doc), name).state == "pass"


def test_what_another_environment_has_shown_is_not_shown_here() -> None:
    elsewhere = STAGING.model_copy(update={"history": (REHEARSED, BAKED)})
    here = PRODUCTION.model_copy(update={"history": (), "reviews": {}})
    known = replace(READY, board=board(DONE, elsewhere, here))
    assert [item(known, name).state for name in ("performance", "rollback plan")] == ["unknown", "unknown"]


def test_the_newest_counts() -> None:
    again = (REHEARSAL_FAILED, BAKE_FAILED, REHEARSED, BAKED)
    earlier = PRODUCTION.model_copy(update={"id": "d-0", "tests": (RED,), "reviews": {"senior": FAULTY}})
    now = PRODUCTION.model_copy(update={"history": again})
    known = replace(READY, board=board(DONE, STAGING, earlier, now))
    assert {one.state for one in checklist(known)} == {"pass"}


def test_nothing_known_at_all_makes_nothing_ready() -> None:
    unnamed = PRODUCTION.model_copy(update={"commit": ""})
    nothing = Known(board(unnamed), DeploySettings(), "production", "")
    assert {one.state for one in checklist(nothing)} == {"unknown", "fail"}
    assert "pass" not in {one.state for one in checklist(nothing)}


def test_what_another_commit_has_shown_counts_for_nothing() -> None:
    other = replace(READY, commit="d" * 40)
    states = {one.name: one.state for one in checklist(other)}
    assert [states[name] for name in ("stages", "tests", "security", "performance", "rollback plan")] == ["unknown"] * 5
