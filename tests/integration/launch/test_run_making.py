"""Runs in a real repository and on a real bus: made whole or made again, and what earlier ones finished."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from roster import Workspace as Made
from roster import run_git, task

from callboard.app import Workspace
from callboard.bus.board import Change, RunDoc, TaskDoc, TaskState
from callboard.bus.bus import Bus
from callboard.bus.errors import RosterError
from callboard.bus.task import TaskSpec
from callboard.launch.checks import LEAST_FREE_BYTES, check, check_goes_on, unknown_again
from callboard.launch.runs import create, landed_before, read_board, runs, start_commit

Go = Callable[[Coroutine[object, object, None]], None]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    return Workspace.open(made.path, os.environ)


def main_of(workspace: Workspace) -> str:
    return run_git(workspace.root, "rev-parse", "main")


def test_making_a_run_again_after_a_crash_in_the_middle_finishes_it(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        base = main_of(workspace)
        run_git(workspace.root, "update-ref", f"refs/heads/callboard/{bus.run}", base)
        run_git(workspace.root, "update-ref", f"refs/callboard/{bus.run}/base", base)
        doc = (await read_board(bus.url, workspace, bus.run)).run
        assert (doc.base, doc.head, doc.state) == (base, base, "created")
        assert (doc.integration, doc.target) == (f"callboard/{bus.run}", "main")
        assert (await read_board(bus.url, workspace, bus.run)).run == doc

    go(scenario())


def test_a_name_that_is_taken_by_another_branch_is_refused(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        base = main_of(workspace)
        run_git(workspace.root, "commit", "--quiet", "--allow-empty", "--message=other")
        run_git(workspace.root, "branch", f"callboard/{bus.run}")
        with pytest.raises(RosterError, match="exists already on another commit"):
            await create(bus, workspace, base)

    go(scenario())


def test_a_run_with_landings_that_this_bus_does_not_know_is_not_begun_anew(
    bus: Bus, go: Go, workspace: Workspace
) -> None:
    async def scenario() -> None:
        base = main_of(workspace)
        run_git(workspace.root, "update-ref", f"refs/callboard/{bus.run}/base", base)
        run_git(workspace.root, "commit", "--quiet", "--allow-empty", "--message=landed")
        run_git(workspace.root, "branch", f"callboard/{bus.run}")
        with pytest.raises(RosterError, match=rf"--new --from {bus.run}"):
            await read_board(bus.url, workspace, bus.run)
        assert not (await bus.board()).run.version

    go(scenario())


def test_a_new_run_starts_at_the_target_or_on_an_earlier_run(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        await create(bus, workspace, main_of(workspace))
        run_git(workspace.root, "commit", "--quiet", "--allow-empty", "--message=later")
        assert runs(workspace.repository) == [bus.run]
        assert start_commit(workspace, "target") == main_of(workspace)
        assert start_commit(workspace, bus.run) == run_git(workspace.root, "rev-parse", "main~1")
        with pytest.raises(RosterError, match=f"no run 'x' here; --from takes `target` or one of: {bus.run}"):
            start_commit(workspace, "x")

    go(scenario())


def spec(title: str) -> TaskSpec:
    return TaskSpec(key=f"driver-1/{title}", title=title, agent="driver-1")


async def finish(bus: Bus, workspace: Workspace, head: str = "") -> None:
    """A run that finished a task by landing nothing: one without code, one whose code was there already."""
    await create(bus, workspace, main_of(workspace))
    run = (await bus.board()).run
    looked = TaskDoc(version=1, id="T-1", spec=spec("look"), state=TaskState.DONE, attempt=1)
    contained = looked.model_copy(update={"id": "T-2", "spec": spec("there"), "head": "c" * 40})
    before = looked.model_copy(update={"id": "T-3", "spec": spec("before"), "attempt": 0})
    open_ = looked.model_copy(update={"id": "T-4", "spec": spec("open"), "state": TaskState.QUEUED})
    docs = [Change(f"task:{doc.id}", doc) for doc in (looked, contained, before, open_)]
    moved: RunDoc = run.model_copy(update={"version": run.version + 1, "head": head or run.head})
    await bus.change([Change("run", moved), *docs], sender="manager")


def test_what_earlier_runs_finished_without_a_landing_is_done(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        await finish(bus, workspace)
        done = await landed_before(bus.url, workspace, "new", main_of(workspace), ())
        assert done == {key: spec(key.partition("/")[2]).digest for key in ("driver-1/look", "driver-1/there")}
        assert "driver-1/look" not in await landed_before(
            bus.url, workspace, "new", main_of(workspace), ("driver-1/look",)
        )
        assert await landed_before(bus.url, workspace, bus.run, main_of(workspace), ()) == {}, (
            "of its own it knows more"
        )

    go(scenario())


def test_code_that_was_there_already_is_done_only_where_that_branch_is_below(
    bus: Bus, go: Go, workspace: Workspace
) -> None:
    async def scenario() -> None:
        base = main_of(workspace)
        run_git(workspace.root, "commit", "--quiet", "--allow-empty", "--message=not promoted")
        head = main_of(workspace)
        run_git(workspace.root, "reset", "--quiet", "--hard", base)
        await finish(bus, workspace, head)
        assert list(await landed_before(bus.url, workspace, "new", base, ())) == ["driver-1/look"]
        assert len(await landed_before(bus.url, workspace, "new", head, ())) == 2

    go(scenario())


def test_what_landed_is_read_from_the_history_below_the_new_run(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        for digest in ("old", "new"):
            message = f"Land\n\nTask-Key: driver-1/x\nTask-Digest: {digest}"
            run_git(workspace.root, "commit", "--quiet", "--allow-empty", f"--message={message}")
        head = main_of(workspace)
        assert await landed_before(bus.url, workspace, "new", head, ()) == {"driver-1/x": "new"}
        below = run_git(workspace.root, "rev-parse", "main~1")
        assert await landed_before(bus.url, workspace, "new", below, ()) == {"driver-1/x": "old"}

    go(scenario())


def test_an_integration_branch_that_is_checked_out_keeps_its_own_run_from_going_on_and_no_new_one(
    workspace: Workspace,
) -> None:
    run_git(workspace.root, "update-ref", "refs/callboard/20261121-090000/base", "HEAD")
    run_git(workspace.root, "checkout", "--quiet", "-b", "callboard/20261121-090000")
    check(workspace, tuple(workspace.roster), LEAST_FREE_BYTES)
    with pytest.raises(RosterError, match="callboard/20261121-090000, the integration branch, is checked out in"):
        check_goes_on(workspace, "20261121-090000")


def test_a_key_that_no_direction_file_has_is_told_with_the_one_that_may_be_meant(workspace: Workspace) -> None:
    assert unknown_again(workspace, ("driver-1/one",)) == ()
    (said,) = unknown_again(workspace, ("driver-1/won",))
    assert said == "--again driver-1/won: no direction file has a task of that key; did you mean driver-1/one?"


@pytest.mark.parametrize("said", [("Bread", None), ("", "safety_critical")])
def test_a_run_that_goes_on_is_given_no_other_goal_or_safety(
    workspace: Workspace, said: tuple[str, str | None]
) -> None:
    with pytest.raises(RosterError, match="goes on as it began; --goal and --safety are for a new one"):
        check_goes_on(workspace, "20261121-090000", *said)
