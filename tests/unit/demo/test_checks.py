"""No promise of the demo holds without what it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from demo_run import LANDED, board, evidence, served, story, traces, tree

from callboard.bus.board import Board, GateDoc, TaskState
from callboard.bus.deployments import DeploymentDoc
from callboard.demo.checks import check
from callboard.demo.evidence import Evidence
from callboard.demo.served import Failures, Served
from callboard.demo.story import Story
from callboard.demo.visitors import Visits

Spoil = Callable[[Evidence], Evidence]


def failing(found: Evidence) -> set[str]:
    return {one.name for one in check(found) if not one.holds}


def with_task(id: str, **values: object) -> Spoil:
    def spoil(found: Evidence) -> Evidence:
        task = found.board.task(id).model_copy(update=values)
        return replace(found, board=Board({**found.board.docs, f"task:{id}": task}))

    return spoil


def with_story(change: Callable[[Story], object]) -> Spoil:
    def spoil(found: Evidence) -> Evidence:
        told = story()
        change(told)
        return replace(found, story=told)

    return spoil


def with_traces(**values: object) -> Spoil:
    return lambda found: replace(found, traces=replace(traces(), **values))  # type: ignore[arg-type]


def with_verdict(commit: str, **values: object) -> Spoil:
    field = f"verdict:{tree(commit)}:hash"
    verdict = board().get(field, GateDoc).model_copy(update=values)
    return lambda found: replace(found, board=Board({**found.board.docs, field: verdict}))


def with_deployment(id: str, **values: object) -> Spoil:
    def spoil(found: Evidence) -> Evidence:
        doc = found.board.get(f"deployment:{id}", DeploymentDoc).model_copy(update=values)
        return replace(found, board=Board({**found.board.docs, f"deployment:{id}": doc}))

    return spoil


def with_served(**values: object) -> Spoil:
    return lambda found: replace(found, served=replace(served(), **values))  # type: ignore[arg-type]


def without_intent(found: Evidence) -> Evidence:
    docs = {name: doc for name, doc in found.board.docs.items() if name != "intent:I-3"}
    return replace(found, board=Board(docs))


def test_a_run_that_showed_everything_is_fine() -> None:
    assert failing(evidence()) == set()


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("tasks", with_task("T-1", state=TaskState.FAILED)),
        ("tasks", with_story(lambda told: told.at_once.clear())),
        ("gate", with_story(lambda told: told.gate_failures.clear())),
        ("gate", with_task("T-2", attempt=1)),
        ("gate", with_task("T-2", landed="")),
        ("review", with_story(lambda told: told.rejections.clear())),
        ("review", with_story(lambda told: told.rejections.append(replace(told.rejections.pop(), findings=())))),
        ("review", with_task("T-3", attempt=1)),
        ("intake", with_story(lambda told: told.refusals.clear())),
        ("intake", with_story(lambda told: told.refusals.append(replace(told.refusals.pop(), rule="size")))),
        ("intake", with_traces(files=frozenset({"Makefile"}))),
        ("blocker", with_story(lambda told: told.blockers.clear())),
        ("blocker", with_story(lambda told: told.blockers.append(replace(told.blockers.pop(), answer="")))),
        ("blocker", with_story(lambda told: told.blockers.append(replace(told.blockers.pop(), meanwhile=())))),
        ("blocker", with_task("T-5", state=TaskState.BLOCKED)),
        ("no code", with_task("T-6", head="f" * 40)),
        ("no code", with_task("T-6", attempt=0)),
        ("merges", with_verdict(LANDED[1], verdict="red")),
        ("merges", with_verdict(LANDED[1], tree="0" * 40)),
        ("merges", without_intent),
        ("merges", with_traces(line=())),
        ("merges", with_traces(line=traces().line[:-1])),
        ("deployed", with_deployment("d-1", state="baking")),
        ("deployed", with_deployment("d-2", state="done")),
        ("deployed", with_deployment("d-3", blue="r-2")),
        ("deployed", with_deployment("d-3", commit=LANDED[0])),
        ("rollback", with_deployment("d-2", reason="a person wanted it", next="retry")),
        ("rollback", with_task("T-5", landed="")),
        ("rollback", with_served(failures={})),
        ("visitors", with_served(visits=Visits(100, 94, 6, 2.5))),
        ("visitors", with_served(visits=Visits(100, 94, 5, 2.5))),
        ("visitors", with_served(failures={**served().failures, "r-3": Failures(1, 40, 0.0)})),
        ("promotion", with_traces(target=LANDED[0])),
        ("promotion", with_traces(changed=("app/urls.py",))),
        ("promotion", with_story(lambda told: setattr(told, "promoted", ""))),
        ("logs", with_story(lambda told: told.logged["driver-1"].append("run-1/3.1"))),
        ("logs", with_story(lambda told: told.oddities.append("dead letter"))),
        ("logs", with_traces(logs={})),
    ],
)
def test_it_says_what_is_missing(name: str, spoil: Spoil) -> None:
    assert name in failing(spoil(evidence()))


def test_an_unproven_finding_is_no_bug_that_was_found() -> None:
    told = story()
    (rejection,) = told.rejections
    unproven = tuple(finding.model_copy(update={"verified": False}) for finding in rejection.findings)
    told.rejections = [replace(rejection, findings=unproven)]
    assert failing(replace(evidence(), story=told)) == {"review"}


def test_a_log_that_is_not_on_its_branch_is_missing() -> None:
    logs = dict(traces().logs)
    logs["driver-1"] = replace(logs["driver-1"], on_branch=False)
    assert failing(with_traces(logs=logs)(evidence())) == {"logs"}


def test_where_nothing_can_be_deployed_it_says_why_and_the_rest_is_fine() -> None:
    told = replace(evidence(), served=Served(why_not="no HAProxy was found"))
    assert failing(told) == set()
    assert [one.said for one in check(told) if one.name == "deployed"] == [
        "Nothing, so this part is left out: no HAProxy was found."
    ]


def test_what_failed_is_said_in_numbers() -> None:
    (visitors,) = [one.said for one in check(evidence()) if one.name == "visitors"]
    assert visitors == (
        "100 requests came meanwhile, in 2 s. 5 of them failed: 5 at the bad release before it was rolled back, 0 at any "
        "other time."
    )
