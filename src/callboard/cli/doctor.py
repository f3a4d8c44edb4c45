"""`callboard doctor`: what is there, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from callboard.bus.errors import BusError, CallboardError
from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Json
from callboard.cli.output import plural, print_json, show
from callboard.cli.session import wait_for

if TYPE_CHECKING:
    from callboard.agents.settings import AgentSettings
    from callboard.app import Workspace
    from callboard.cli.redis_mode import Mode
    from callboard.cli.redis_risks import Risk
    from callboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    text: str
    """What was found, and for warn and fail what to do about it."""
    facts: Mode | Risk | None = None
    """The same as data, where a server of yours was looked at."""


def ok(name: str, text: str) -> Check:
    return Check(name=name, state="ok", text=text)


def warn(name: str, text: str) -> Check:
    return Check(name=name, state="warn", text=text)


def fail(name: str, text: str) -> Check:
    return Check(name=name, state="fail", text=text)


def doctor(json: Json = False) -> None:
    """Say what is missing for a launch, and how to mend it."""
    from loguru import logger

    logger.remove()
    checks = list(examine(Path.cwd(), os.environ))
    failed = [check for check in checks if check.state == "fail"]
    if json:
        print_json({"ok": not failed, "checks": checks})
    else:
        _draw(checks)
    if failed:
        raise typer.Exit(FAILED)


def _draw(checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(Text(check.state, styles[check.state]), check.name, Text(check.text))
    show(table)


def examine(start: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every check that can be made from a folder; those that need a workspace only where there is one."""
    from callboard.app import Workspace

    yield ok("python", f"{platform.python_version()} ({sys.executable})")
    yield from git_checks(start)
    yield disk_check(start)
    try:
        workspace = Workspace.open(start, environ)
    except CallboardError as error:
        yield fail("settings", str(error))
        yield from server_checks()
    else:
        yield ok("settings", f"{len(workspace.settings.agents)} agents in {workspace.root / 'callboard.toml'}")
        yield from _workspace_checks(workspace)
    yield clis_check(environ)


def git_checks(start: Path) -> Iterator[Check]:
    from callboard.agents.workspace.git_runner import GitPlace, run_git
    from callboard.agents.workspace.preflight import git_problems

    problems = git_problems(start)
    if problems:
        yield fail("git", problems[0])
    else:
        yield ok("git", run_git(GitPlace(start), ("version",)).text.removeprefix("git version "))


def disk_check(start: Path) -> Check:
    from callboard.launch.checks import LEAST_FREE_BYTES

    free = shutil.disk_usage(start).free
    text = f"{free / 1_000_000_000:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return fail(
            "disk", f"{text}; a roster needs {LEAST_FREE_BYTES // 1_000_000} MB: make room, or `callboard clean`"
        )
    return ok("disk", text)


def sandbox_check(workspace: Workspace) -> Check:
    from callboard.launch.sandboxing import probe

    try:
        found = wait_for(probe(workspace))
    except CallboardError as error:
        return fail("sandbox", str(error))
    if found.sandbox.kind == "off":
        return warn("sandbox", f"{found}; launch only what you would run by hand")
    return (ok if found.keeps_modes and found.own_servers else warn)("sandbox", str(found))


def clis_check(environ: Mapping[str, str]) -> Check:
    from callboard.agents.brains.cli.adapters import ADAPTERS
    from callboard.cli.doctor_clis import installed, summary, versions

    programs = installed(environ)
    if not programs:
        return ok("agent CLIs", f"none of {', '.join(ADAPTERS)} is on PATH; agents with a model or a command need none")
    return ok("agent CLIs", ", ".join(summary(programs, versions(programs, environ))))


def _workspace_checks(workspace: Workspace) -> Iterator[Check]:
    from callboard.launch.checks import LEAST_FREE_BYTES, check
    from callboard.launch.exclude import exclude_ours

    exclude_ours(workspace)
    try:
        check(workspace, workspace.settings.started, LEAST_FREE_BYTES)  # the disk has a line of its own
    except CallboardError as error:
        reasons = str(error).split("\n- ")
        for reason in reasons[1:] or reasons:
            yield fail("launch", reason)
    yield from server_checks(workspace.settings.bus_at(""))
    yield from _directions(workspace)
    yield from brain_checks(workspace)
    yield from mcp_checks(workspace)
    yield trio_check(workspace.settings)
    yield from notify_checks(workspace)
    yield from deploy_checks(workspace)
    yield sandbox_check(workspace)
    yield _archives(workspace)
    yield ledger_check(workspace)
    yield from traces_checks(workspace)
    yield _lock(workspace)


def server_checks(url: str = "") -> Iterator[Check]:
    """Of the bus's server; "" = the embedded one."""
    from callboard.cli.doctor_server import embedded_findings, external_findings

    yield from (Check(*found) for found in (external_findings(url) if url else embedded_findings()))


def _directions(workspace: Workspace) -> Iterator[Check]:
    from callboard.directions.parse import read_direction

    folder = workspace.root / workspace.settings.paths.directions
    for agent in workspace.settings.agents:
        path = folder / f"{agent.name}.md"
        if path.is_file():
            direction = read_direction(path)
            text = f"{path.relative_to(workspace.root)}: {plural(len(direction.tasks), 'task')}"
            if direction.problems:
                yield warn(
                    "directions", f"{text}, {plural(len(direction.problems), 'problem')}: `callboard directions check`"
                )
            else:
                yield ok("directions", text)
    if not any(folder.glob("*.md")):
        yield warn(
            "directions", f"no file in {folder.name}/, so there is nothing to do; `callboard assign` gives single tasks"
        )


def brain_checks(workspace: Workspace) -> Iterator[Check]:
    """Whether each agent's program or model's key is there."""
    from callboard.needs import key_problems

    problems = key_problems(workspace)
    for agent in workspace.settings.agents:
        if agent.model is not None:
            yield from (_model(workspace, agent.name, name, problems.get(name)) for name in agent.model)
        elif agent.cli is not None:
            yield _cli(workspace, agent)
        elif agent.outside:
            yield _outside(workspace, agent.name)
        elif agent.command:
            program = program_of(agent.command)
            found_at = shutil.which(program, path=workspace.environment(agent.name).get("PATH"))
            if found_at or not program:
                yield ok(agent.name, f"runs {agent.command}")
            elif "/" in program:
                yield warn(agent.name, f"runs {program}, which must be in the repository, for it is started in a clone")
            else:
                yield fail(agent.name, f"{program} is not on PATH; install it, or change the agent's command")


def _outside(workspace: Workspace, agent: str) -> Check:
    from callboard.bus.clock import utc_now
    from callboard.web.tokens import Tokens

    found = [
        token for token in Tokens(workspace.layout.tokens).all() if token.name == agent and "agent" in token.scopes
    ]
    if any(token.is_good(utc_now()) for token in found):
        return ok(agent, "from outside: whoever has its token joins through `callboard mcp`")
    way_out = f"`callboard token create {agent} --scope agent`, then `callboard mcp {agent} --print-config`"
    return warn(agent, f"from outside, and there is no token for it, so nobody can join as it: {way_out}")


def _model(workspace: Workspace, agent: str, name: str, problem: str | None) -> Check:
    if workspace.is_played:
        return ok(agent, f"plays what was recorded of {name}; without .callboard/play it would think with it")
    settings = workspace.settings.models[name]
    key = f"key in {settings.key_env}" if settings.key_env else "no key"
    return fail(agent, problem) if problem else ok(agent, f"thinks with {name} ({settings.model}, {key})")


def mcp_checks(workspace: Workspace) -> Iterator[Check]:
    """MCP servers and the tools that they offer."""
    from callboard.cli.doctor_mcp import mcp_findings

    yield from (Check("MCP", state, text) for state, text in mcp_findings(workspace))


def notify_checks(workspace: Workspace) -> Iterator[Check]:
    from callboard.cli.doctor_notify import notify_findings

    yield from (Check("notify", state, text) for state, text in notify_findings(workspace))


def traces_checks(workspace: Workspace) -> Iterator[Check]:
    from callboard.cli.doctor_traces import traces_findings

    yield from (Check("traces", state, text) for state, text in traces_findings(workspace))


def deploy_checks(workspace: Workspace) -> Iterator[Check]:
    """Where releases run, and with what."""
    from callboard.cli.doctor_deploy import deploy_findings

    yield from (Check("deploy", state, text) for state, text in deploy_findings(workspace))


def trio_check(settings: Settings) -> Check:
    """Which model families judge; whether they may is said with the launch."""
    from callboard.settings.trio import shown_families

    return ok("trio", shown_families(settings.reviewers, settings.models))


def _cli(workspace: Workspace, agent: AgentSettings) -> Check:
    from callboard.agents.brains.cli.adapters import ADAPTERS
    from callboard.cli.doctor_clis import can_log_in

    adapter, env = ADAPTERS[agent.cli or ""], workspace.cli_environment(agent)
    runs = f"runs {agent.cli}" + (f" with {agent.cli_model}" if agent.cli_model else "")
    if not shutil.which(adapter.program, path=env.get("PATH")):
        return fail(agent.name, f"{runs}, which is not on PATH: {adapter.install}")
    way = can_log_in(adapter, env, workspace.environ)
    if way:
        return ok(agent.name, f"{runs}, {way}")
    keys = " or ".join(adapter.keys)
    return warn(
        agent.name, f"{runs}, with no login of its own here: log in with it once, or set {keys} and name it in pass_env"
    )


def program_of(command: str) -> str:
    """The program that a shell would start first; "" where that takes a shell to tell."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    named = [word for word in words if "=" not in word.partition("/")[0]]
    return named[0] if named and not set(named[0]) & set("$`(){}<>|&;!") else ""


def _archives(workspace: Workspace) -> Check:
    from callboard.cli.doctor_archive import verify_archives

    try:
        runs, entries = verify_archives(workspace.layout.archives)
    except BusError as error:
        return fail("archive", str(error))
    return ok("archive", f"{plural(runs, 'run')} archived, {entries} entries, every hash is right")


def ledger_check(workspace: Workspace) -> Check:
    from callboard.cli.doctor_ledger import ledger_finding

    return Check("ledger", *ledger_finding(workspace))


def _lock(workspace: Workspace) -> Check:
    from callboard.launch.status import is_running

    holder = is_running(workspace)
    if holder is None:
        return ok("roster", "nothing runs here now")
    return ok("roster", f"runs here: process {holder.pid} on {holder.host} since {holder.since:%Y-%m-%d %H:%M:%SZ}")
