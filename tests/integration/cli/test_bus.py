"""`callboard bus` in processes of its own, on a run that was made by hand."""

from __future__ import annotations

import asyncio
import json

import pytest
from roster import Workspace, run_git

from callboard.bus.board import AgentDoc, Change, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, Outcome, TaskAccepted, TaskCancelled


async def some_traffic(url: str, run: str) -> str:
    """T-1 is cancelled and accepted, T-2 waits; the id of T-1's first message."""
    bus = await Bus.connect(url, run)
    try:
        await bus.create_run(RunDoc(id=run, state="running"))
        await bus.change(
            [Change("agent:driver-1", AgentDoc(version=1, name="driver-1", role="driver"))], sender="manager"
        )
        first = await bus.send(Draft("driver-1", TaskCancelled(reason="test"), task="T-1"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        await delivery.commit(Outcome(messages=(Draft("manager", TaskAccepted(), task="T-1"),)))
        await bus.send(Draft("driver-1", TaskCancelled(reason="test"), task="T-2"), sender="manager")
        return first.id
    finally:
        await bus.close()


@pytest.fixture
def first(workspace: Workspace, server_url: str, run: str, monkeypatch: pytest.MonkeyPatch) -> str:
    id = asyncio.run(some_traffic(server_url, run))
    monkeypatch.setenv("CALLBOARD_BUS_URL", server_url)
    run_git(workspace.path, "update-ref", f"refs/callboard/{run}/base", "HEAD")
    return id


@pytest.mark.long
def test_the_traffic_of_a_run(workspace: Workspace, first: str, run: str) -> None:
    seen = json.loads(workspace.call("bus", "top", "--every", "0.2", "--json").stdout)
    assert (seen["run"], seen["steps"], seen["dead_letters"]) == (run, 5, 0)
    rows = {row["name"]: (row["waiting"], row["held"], row["handled"]) for row in seen["inboxes"]}
    assert rows == {"manager": (1, 0, 0), "gate": (0, 0, 0), "land": (0, 0, 0), "driver-1": (1, 0, 1)}
    drawn = workspace.call("bus", "top", "--every", "0.2").stdout
    assert "5 steps, 0.0/s" in drawn
    assert "driver-1" in drawn

    found = workspace.call("bus", "trace", "T-1", "--json").stdout
    assert [(row["depth"], row["kind"]) for row in json.loads(found)] == [(0, "task.cancelled"), (1, "task.accepted")]
    assert workspace.call("bus", "trace", first[:23], "--json").stdout == found
    drawn = workspace.call("bus", "trace", "T-1").stdout
    assert "task.accepted  driver-1 -> manager  T-1" in drawn
    assert "2 messages, 1 not handled" in drawn

    unknown = workspace.call("bus", "trace", "T-9")
    assert unknown.returncode == 1
    assert "callboard status --all" in unknown.stderr
    alone = workspace.call("bus", "env")
    assert (alone.returncode, "callboard launch" in alone.stderr) == (3, True)
