"""Dead letters by their commands, in processes of their own, against a real server."""

from __future__ import annotations

import asyncio
import json

import pytest
from roster import Workspace, run_git

from callboard.bus.board import RunDoc
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, TaskCancelled


async def bury_one(url: str, run: str) -> None:
    bus = await Bus.connect(url, run)
    try:
        await bus.create_run(RunDoc(id=run, state="running"))
        await bus.send(Draft("driver-1", TaskCancelled(reason="never mind")), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        await delivery.reject("nobody here can read this")
    finally:
        await bus.close()


@pytest.fixture
def buried(workspace: Workspace, server_url: str, run: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose run, on a server of the user's own, has one dead letter."""
    asyncio.run(bury_one(server_url, run))
    monkeypatch.setenv("CALLBOARD_BUS_URL", server_url)
    run_git(workspace.path, "update-ref", f"refs/callboard/{run}/base", "HEAD")
    return workspace


def letters(workspace: Workspace) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(workspace.call("dead", "list", "--json").stdout)
    return found


@pytest.mark.long
def test_dead_letters_are_listed_shown_sent_again_and_dropped(buried: Workspace) -> None:
    (letter,) = letters(buried)
    id = str(letter["id"])
    assert (letter["inbox"], letter["error"]) == ("driver-1", "nobody here can read this")
    assert "nobody here can read this" in " ".join(buried.call("dead", "list").stdout.split())
    assert "never mind" in buried.call("dead", "show", id).stdout
    status = json.loads(buried.call("status", "--json").stdout)
    assert status["run"]["dead_letters"] == 1
    assert "callboard dead list" in buried.call("status").stdout
    assert buried.json("dead", "retry", id) == {"ok": True, "id": id}
    assert letters(buried) == []
    assert buried.call("dead", "list").stdout == "no dead letters\n"


@pytest.mark.long
def test_a_dead_letter_can_be_dropped_once(buried: Workspace) -> None:
    (letter,) = letters(buried)
    id = str(letter["id"])
    assert buried.call("dead", "drop", id).returncode == 0
    again = buried.call("dead", "drop", id)
    assert (again.returncode, "there is no dead letter" in again.stderr) == (1, True)
    assert buried.call("dead", "show", "x1").returncode == 1


def test_a_server_that_is_gone_is_one_sentence(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run_git(workspace.path, "update-ref", "refs/callboard/20261121-091407/base", "HEAD")
    monkeypatch.setenv("CALLBOARD_BUS_URL", f"unix://{workspace.path}/nobody.sock")
    done = workspace.call("status", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["type"]) == (1, "BusUnavailable")
    assert "Traceback" not in done.stderr
