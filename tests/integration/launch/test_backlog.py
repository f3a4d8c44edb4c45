"""The backlog goes from run to run, on a real bus and from archives: nothing that is open is lost on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from desk_board import NOON
from roster import Workspace as Made
from roster import run_git, task

from callboard.app import Workspace
from callboard.bus.board import Change, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.issues import IssueDoc, TrackerDoc
from callboard.bus.messages import BacklogCarried
from callboard.launch.archiving import bring_archive_up
from callboard.launch.backlog import archived_board, carry
from callboard.launch.inboxes import inboxes

Go = Callable[[Coroutine[object, object, None]], None]
FIRST, SECOND, THIRD = "20260101", "20260102", "20260103"
"""What runs are called before the test's own name: later ones are greater."""


@pytest.fixture
def workspace(tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    monkeypatch.setenv("CALLBOARD_BUS_URL", server_url)
    return Workspace.open(made.path, os.environ)


async def run_with(bus: Bus, workspace: Workspace, run: str, *open_: str, is_carried: bool) -> Bus:
    """A run as it is left behind."""
    run = f"{run}-{bus.run}"
    base = run_git(workspace.root, "rev-parse", "main")
    run_git(workspace.root, "update-ref", f"refs/callboard/{run}/base", base)
    other = await Bus.connect(bus.url, run, archive=workspace.archive(run))
    await other.create_run(RunDoc(id=run, base=base, head=base, target="main", state="succeeded"))
    docs = [
        IssueDoc(version=1, key=key, title=key, first_run=run, last_run=run, first_at=NOON, last_at=NOON, count=1)
        for key in open_
    ]
    changes = [Change(f"issue:{doc.key}", doc) for doc in docs]
    changes.append(Change("tracker", TrackerDoc(version=1, is_carried=is_carried)))
    await other.change(changes, sender="manager")
    return other


async def heard(bus: Bus) -> list[BacklogCarried]:
    found = await bus.inbox("manager", "manager.here.1").receive(10)
    return [one.envelope.body for one in found if isinstance(one.envelope.body, BacklogCarried)]


def test_a_new_run_hears_what_the_runs_before_left_open_even_of_one_that_never_took_over(
    bus: Bus, go: Go, workspace: Workspace
) -> None:
    async def scenario() -> None:
        for run, keys, is_carried in ((FIRST, ("a", "b"), True), (SECOND, ("b", "c"), False)):
            await (await run_with(bus, workspace, run, *keys, is_carried=is_carried)).close()
        new = await run_with(bus, workspace, THIRD, is_carried=False)
        await carry(new, workspace)
        await carry(new, workspace)
        [body] = await heard(new)
        assert body.run == f"{SECOND}-{bus.run}"
        assert [(kept.key, kept.age_runs, kept.count) for kept in body.issues] == [
            ("a", 2, 1),
            ("b", 2, 2),
            ("c", 1, 1),
        ]
        await new.close()

    go(scenario())


def test_once_it_is_taken_over_nothing_is_said_any_more(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        await (await run_with(bus, workspace, FIRST, "a", is_carried=True)).close()
        new = await run_with(bus, workspace, SECOND, is_carried=True)
        await carry(new, workspace)
        assert await heard(new) == []
        await new.close()

    go(scenario())


def test_a_run_whose_bus_data_and_refs_were_cleaned_is_read_from_its_archive(
    bus: Bus, go: Go, workspace: Workspace
) -> None:
    async def scenario() -> None:
        old = await run_with(bus, workspace, FIRST, "a", is_carried=True)
        await bring_archive_up(workspace, old, lambda _: None)
        await old.data.remove(inboxes(await old.board()))
        await old.close()
        run_git(workspace.root, "update-ref", "-d", f"refs/callboard/{old.run}/base")
        assert [*archived_board(workspace, old.run).docs] == ["run", "issue:a", "tracker"]
        new = await run_with(bus, workspace, SECOND, is_carried=False)
        await carry(new, workspace)
        [body] = await heard(new)
        assert [kept.key for kept in body.issues] == ["a"]
        await new.close()

    go(scenario())


def test_the_first_run_hears_that_there_is_none_before_it(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        new = await run_with(bus, workspace, FIRST, is_carried=False)
        await carry(new, workspace)
        assert await heard(new) == [BacklogCarried(run="")]
        await new.close()

    go(scenario())
