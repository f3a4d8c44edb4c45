"""What a person sees of an inbox that takes nothing more."""

from __future__ import annotations

import asyncio
import json

import pytest
from handlers import message
from roster import Workspace, run_git

from callboard.bus.board import RunDoc
from callboard.bus.bus import Bus


async def fill(url: str, run: str) -> None:
    async with await Bus.connect(url, run) as bus:
        await bus.create_run(RunDoc(id=run, state="running"))
        await bus.send(message("waits", "manager"), sender="driver-1")


@pytest.mark.long
def test_a_full_inbox_is_said_with_what_to_do(
    workspace: Workspace, server_url: str, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(server_url, run))
    monkeypatch.setenv("CALLBOARD_BUS_URL", f"{server_url}?inbox_limit=1")
    run_git(workspace.path, "update-ref", f"refs/callboard/{run}/base", "HEAD")
    refused = workspace.call("assign", "driver-1", "More")
    assert refused.returncode == 1
    assert "1 messages wait in the inbox of manager, which takes 1 (`[bus] inbox_limit`)" in refused.stderr
    assert "nothing was written. Try again once manager has handled some" in refused.stderr
    [full] = json.loads(workspace.call("status", "--json").stdout)["full"]
    assert full.startswith("the inbox of manager is full: 1 messages wait")
