"""`callboard ready` in a workspace: files of the commit, names of secrets, and commands that are run now."""

from __future__ import annotations

import asyncio
import json
import os

from forked import callboard
from roster import Workspace as Roster

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.server import EmbeddedServer
from callboard.launch.runs import create

DEPLOY = """
[deploy]
start = "./serve"
rollback_plan = "README"

[deploy.ready]
authentication = ['test "$CALLBOARD_ENV" = production']
monitoring = ["exit 3"]
documentation = ["README", "docs/run.md"]

[deploy.environments.production]
secrets = ["TOKEN_OF_IT"]
"""


def begin(made: Roster) -> None:
    workspace = Workspace.open(made.path, os.environ)

    async def create_run() -> None:
        server = EmbeddedServer(workspace.layout.bus)
        bus = await Bus.connect(await server.start(), "20261121-090000")
        await create(bus, workspace, workspace.repository.resolve("HEAD") or "")
        await bus.close()
        await server.stop()

    asyncio.run(create_run())


def test_the_checklist_says_what_it_knows_and_from_where(workspace: Roster) -> None:
    toml = workspace.path / "callboard.toml"
    toml.write_text(toml.read_text() + DEPLOY)
    begin(workspace)
    given = {**os.environ, "TOKEN_OF_IT": "a-value-nobody-sees"}
    done = callboard(workspace.path, "ready", "--json", env=given)
    assert done.returncode == 1, done.stderr
    assert "a-value-nobody-sees" not in done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (said["environment"], said["ready"]) == ("production", False)
    states = {row["item"]: (row["state"], row["fact"]) for row in said["items"]}
    assert states["authentication"] == ("pass", '`test "$CALLBOARD_ENV" = production` exited 0')
    assert states["monitoring"] == ("fail", "`exit 3` exited 3")
    assert states["documentation"] == ("fail", "not there, or empty: docs/run.md")
    assert states["rollback plan"] == ("unknown", "README is there, and was not rehearsed")

    without = callboard(workspace.path, "ready")
    assert without.returncode == 1
    lines = without.stdout.splitlines()
    assert "fail     authentication: without a value: TOKEN_OF_IT ([deploy.environments.production] secrets)" in lines
    assert lines[-1].endswith(": not ready")

    unknown = callboard(workspace.path, "ready", "--env", "prod")
    assert unknown.returncode == 2
    assert "there are: production" in unknown.stderr
    toml.write_text(toml.read_text().replace(DEPLOY, ""))
    nothing = callboard(workspace.path, "ready")
    assert nothing.returncode == 2
    assert "[deploy]" in nothing.stderr
