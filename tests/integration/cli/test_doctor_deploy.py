"""What `callboard doctor` says of [deploy]."""

from __future__ import annotations

import os
import socket

from roster import Workspace, run_git
from servers import free_port

from callboard.agents.deployment.state import Store
from callboard.app import Workspace as Opened
from callboard.cli.doctor_deploy import deploy_findings

DEPLOY = """
[deploy]
start = "exec no-such-server --port $CALLBOARD_PORT"
[deploy.environments.staging]
port = {taken}
secrets = ["THERE"]
[deploy.environments.production]
port = {free}
secrets = ["THERE", "ABSENT"]
"""


def findings(workspace: Workspace, **environ: str) -> list[tuple[str, str]]:
    return list(deploy_findings(Opened.open(workspace.path, {**os.environ, **environ})))


def test_doctor_names_proxy_secrets_ports_start_and_what_a_target_cannot_do(workspace: Workspace) -> None:
    assert findings(workspace) == []
    toml = workspace.path / "callboard.toml"
    bare = toml.read_text()
    with socket.socket() as stranger, socket.socket() as probe:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        probe.bind(("127.0.0.1", 0))
        taken, free = stranger.getsockname()[1], probe.getsockname()[1]
        probe.close()
        toml.write_text(bare + DEPLOY.format(taken=taken, free=free))
        found = findings(workspace, THERE="x")
    assert found[0] == ("ok", f"target process: staging on port {taken}, then production on port {free}")
    said = "\n".join(f"{state} {text}" for state, text in found)
    assert "ok HAProxy 2." in said
    assert "warn no-such-server, which `start` begins with, is not on PATH" in said
    assert "ok staging: there are values for THERE" in said
    assert "fail production: no value for ABSENT; set it in the environment of `callboard launch`" in said
    assert f"fail staging: port {taken} is taken by another program" in said
    toml.write_text(bare + '[deploy]\ntarget = "compose"\n')
    said = "\n".join(text for _, text in findings(workspace, PATH="/nonexistent"))
    assert (
        "production: target `compose` needs Docker with its Compose plugin and an engine that runs: there is no" in said
    )
    toml.write_text(bare + '[deploy]\ntarget = "command"\n')
    said = "\n".join(text for _, text in findings(workspace))
    assert "[deploy.commands] says nothing for up, switch, down, status" in said
    assert "target command: it cannot tell what real requests met" in said


INPUTS = """
[deploy]
start = "true"
port = {port}
requirements = ["README"]
infrastructure = ["deploy/**"]
rollback_plan = "docs/back.md"
[deploy.analysis]
min_samples = 1000
[deploy.tests]
unit = ["true"]
[deploy.ready]
authentication = ["true"]
documentation = ["docs/run.md"]
[deploy.environments.live]
production = true
"""


def test_doctor_and_a_dry_run_foresee_what_deployments_would_miss(workspace: Workspace) -> None:
    toml = workspace.path / "callboard.toml"
    bare = toml.read_text()
    toml.write_text(bare + INPUTS.format(port=free_port()))
    head = run_git(workspace.path, "rev-parse", "main")[:12]
    foreseen = [text for state, text in findings(workspace) if state == "warn" and "HAProxy" not in text]
    assert foreseen[0].startswith("error-rate needs min_samples 1000 requests, and the watch itself makes 181")
    assert foreseen[1:] == [
        f"no deployment would begin, infrastructure: deploy/** names no file of {head}; add one, or correct infrastructure",
        f"no deployment would begin, rollback plan: docs/back.md is not in {head}; commit it, or correct [deploy]",
        "tests: none of the kind integration, health under [deploy.tests], so each deployment would ask a person to go on without",
        "live is production, and its checklist would hold each deployment: [deploy.ready] says nothing for monitoring, telemetry",
        f"live is production, and its checklist would hold each deployment: documentation docs/run.md is not in {head}",
    ]
    workspace.write({"deploy/a": "x", "docs/back.md": "back", "docs/run.md": "run"})
    run_git(workspace.path, "add", "--all")
    run_git(workspace.path, "commit", "--quiet", "--message=All")
    assert not any("would begin" in text or "docs/run.md" in text for _, text in findings(workspace))
    toml.write_text(bare + f"[deploy]\nport = {free_port()}\n")
    said = [text for state, text in findings(workspace) if text.startswith("no deployment would begin")]
    assert [text.split()[4] for text in said] == ["requirements:", "tests:", "infrastructure:", "rollback"]


def test_doctor_says_what_is_wrong_where_something_was_deployed_and_which_compose_there_is(
    workspace: Workspace,
) -> None:
    toml = workspace.path / "callboard.toml"
    bare = toml.read_text()
    folder = Opened.open(workspace.path, os.environ).layout.deploy("production")
    Store(folder).change(lambda old: old.model_copy(update={"weights": {"r-1": 100}}))
    toml.write_text(bare + f'[deploy]\nstart = "true"\nport = {free_port()}\n')
    assert ("warn", "production: HAProxy does not run, so nobody answers") in [
        (state, text.partition(" on port")[0]) for state, text in findings(workspace)
    ]
    (folder / "state.json").write_text("{")
    broken = [text for state, text in findings(workspace) if state == "fail"]
    assert [str(folder / "state.json") in text for text in broken] == [True]

    docker = workspace.path.parent / "bin/docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\necho 2.29.1\n")
    docker.chmod(0o755)
    toml.write_text(bare + f'[deploy]\ntarget = "compose"\nport = {free_port()}\n')
    found = findings(workspace, PATH=f"{docker.parent}:{os.environ['PATH']}")
    assert ("ok", f"Docker Compose 2.29.1: {docker}") in found
