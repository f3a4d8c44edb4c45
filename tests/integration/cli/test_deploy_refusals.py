"""What cannot be deployed or rolled back is refused before a run is made or anything is launched."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from forked import callboard
from roster import Workspace, run_git

from callboard.app import Workspace as Opened
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.errors import CommandRefused
from callboard.bus.server import EmbeddedServer
from callboard.cli.deploy_checks import refuse_at_once
from callboard.launch.runs import create

DEPLOY = """
[deploy]
start = "./serve"

[[agents]]
name = "deployment"
role = "deployment"
command = "true"
"""
ENVIRONMENTS = """
[deploy.environments.staging]
port = 8081
[deploy.environments.production]
port = 8082
"""


def test_a_command_that_cannot_be_meant_makes_no_run(workspace: Workspace) -> None:
    def said(*args: str) -> tuple[int, str]:
        done = callboard(workspace.path, *args, env=dict(os.environ))
        return done.returncode, done.stdout + done.stderr

    toml = workspace.path / "callboard.toml"
    for command in ("deploy", "rollback"):
        code, text = said(command)
        assert (code, "there is no [deploy] table" in text) == (2, True), text
    toml.write_text(toml.read_text() + DEPLOY)
    code, text = said("deploy", "--env", "moon")
    assert (code, "no environment 'moon'" in text) == (1, True), text
    code, text = said("rollback")
    assert (code, "nothing was ever deployed to production" in text) == (1, True), text
    assert "launch" not in text
    for commit in ("nowhere", "abcd", "d" * 40):
        code, text = said("deploy", "--commit", commit)
        assert (code, f"no commit {commit!r} in this repository" in text) == (2, True), text
    toml.write_text(toml.read_text().replace('role = "driver"', 'role = "deployment"'))
    code, text = said("deploy")
    assert (code, "no driver: nobody could work" in text) == (1, True), text
    assert run_git(workspace.path, "for-each-ref", "refs/heads/callboard", "refs/callboard") == ""


def test_a_deployment_under_way_can_be_rolled_back_and_none_begins_beside_it(workspace: Workspace) -> None:
    toml = workspace.path / "callboard.toml"
    toml.write_text(toml.read_text() + DEPLOY + ENVIRONMENTS)
    opened = Opened.open(workspace.path, os.environ)

    async def deploys_to_staging() -> None:
        server = EmbeddedServer(opened.layout.bus)
        bus = await Bus.connect(await server.start(), "20261121-091407")
        try:
            await create(bus, opened, opened.repository.resolve("HEAD") or "")
            doc = DeploymentDoc(version=1, id="d-1", environment="staging", state="eligible")
            await bus.change([Change("deployment:d-1", doc)], sender="manager")
        finally:
            await bus.close()
            await server.stop()

    asyncio.run(deploys_to_staging())
    asyncio.run(refuse_at_once(opened, "rollback", "staging"))
    with pytest.raises(CommandRefused, match="nothing was ever deployed to production"):
        asyncio.run(refuse_at_once(opened, "rollback", "production"))

    def said(*args: str) -> tuple[int, str]:
        done = callboard(workspace.path, "deploy", *args, env=dict(os.environ))
        return done.returncode, done.stdout + done.stderr

    code, text = said("--env", "staging")
    assert (code, "d-1 is under way in staging" in text, "launched" in text) == (1, True, False)
    code, text = said("stop", "--env", "staging")
    assert (code, "d-1 is under way in staging" in text) == (1, True)
    assert said("stop", "--env", "production") == (0, "production: nothing ran there\n")


def test_nothing_is_stopped_where_nothing_is_or_somebody_holds_the_lock(workspace: Workspace) -> None:
    toml = workspace.path / "callboard.toml"
    toml.write_text(toml.read_text() + DEPLOY)

    def said(*args: str) -> tuple[int, str]:
        done = callboard(workspace.path, "deploy", *args, env=dict(os.environ))
        return done.returncode, done.stdout + done.stderr

    assert said("stop", "--env", "moon")[0] == 1
    assert said("stop") == (0, "production: nothing ran there\n")
    assert said("lock", "--reason", "holidays", "--as", "Ada")[0] == 0
    code, text = said("stop", "--as", "Bob")
    assert (code, "locked by Ada" in text) == (1, True), text
    assert said("stop", "--as", "Ada") == (0, "production: nothing ran there\n")
    code, text = said("unlock", "--as", "Ada")
    assert (code, "was locked by Ada" in text) == (0, True), "a lock of their own stays"


def test_a_lock_that_is_held_already_is_said_to_be(workspace: Workspace) -> None:
    toml = workspace.path / "callboard.toml"
    toml.write_text(toml.read_text() + DEPLOY)

    def lock(reason: str, *more: str) -> str:
        done = callboard(
            workspace.path, "deploy", "lock", "--reason", reason, "--as", "Ada", *more, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = lock("holidays")
    assert (" is locked by Ada since " in first, "already" in first) == (True, False)
    assert "(holidays) already; unlock it to give another reason" in lock("repairs")
    found = json.loads(lock("repairs", "--json"))
    assert (found["was_locked"], found["locked"]["why"]) == (True, "holidays")
