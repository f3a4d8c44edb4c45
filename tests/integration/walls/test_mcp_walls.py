"""What a server that is a program can do with a brain's clone, and a brain with its server: nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import mcp_plain_server
import pytest
from brain_jobs import seat
from sandboxes import Arena

from callboard.agents.brains.brain import Seat
from callboard.agents.brains.mcp.content import as_text
from callboard.agents.brains.mcp.servers import Server
from callboard.agents.brains.mcp.session import Session
from callboard.agents.workspace.sandbox import OFF, Sandbox

PLANTED = "raise SystemExit('planted')"
"""A file of a name that the server imports, left in the brain's clone and HOME."""


def said(arena: Arena, box: Sandbox, calls: Mapping[str, str], **more: object) -> dict[str, str]:
    """What a server of driver-1 answers when each path is to be written."""
    scratch = arena.shop.layout.scratch("driver-1.mcp")
    scratch.mkdir(parents=True, exist_ok=True)
    argv = (sys.executable, mcp_plain_server.__file__, "well", "heard.log")
    server = Server(**{"name": "p", "argv": argv, "timeout_s": 60.0, **more})  # type: ignore[arg-type]
    home = arena.shop.layout.scratch("driver-1") / "home"
    home.mkdir(parents=True, exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    at = replace(seat(arena.clone), env=env, sandbox=box)
    return asyncio.run(_ask(server, at, scratch, calls))


async def _ask(server: Server, at: Seat, scratch: Path, calls: Mapping[str, str]) -> dict[str, str]:
    session = Session(server, at, scratch)
    try:
        await session.tools()
        return {name: as_text(await session.call("touch", {"text": path})) for name, path in calls.items()}
    finally:
        await session.close()


@pytest.fixture
def paths(arena: Arena) -> dict[str, str]:
    return {
        "its own": "note.txt",
        "clone": str(arena.clone / "by-a-server.txt"),
        "brain's scratch": str(arena.shop.layout.scratch("driver-1") / "home" / "note.txt"),
        "workspace": str(arena.shop.root / "by-a-server.txt"),
    }


def test_a_server_writes_in_its_own_folder_alone(arena: Arena, paths: dict[str, str]) -> None:
    answers = said(arena, arena.sandbox(), paths)
    assert answers.pop("its own") == "touched"
    assert all(answer.startswith("refused: ") for answer in answers.values())
    assert set(said(arena, OFF, paths).values()) == {"touched"}


def test_what_a_brain_leaves_in_its_clone_is_not_run_with_a_servers_keys(arena: Arena) -> None:
    (arena.clone / "planted_by_a_brain.py").write_text(PLANTED)
    runs_it = ("/bin/sh", "-c", 'test ! -e planted_by_a_brain.py && exec "$0" "$@"')
    argv = (*runs_it, sys.executable, mcp_plain_server.__file__, "well", "/dev/null")
    assert said(arena, arena.sandbox(), {"here": "note.txt"}, argv=argv) == {"here": "touched"}
    with pytest.raises(Exception, match="MCP server p: no start"):
        said(arena, arena.sandbox(), {}, argv=argv, in_clone=True)
