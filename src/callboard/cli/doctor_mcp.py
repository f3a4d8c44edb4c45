"""What `callboard doctor` says about MCP servers: each is started as for an agent, and asked what it offers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from callboard.agents.brains.mcp.entries import REPOSITORY_FILE, read_names
from callboard.bus.errors import BrainError, CallboardError, ConfigError
from callboard.cli.session import wait_for
from callboard.needs import mcp_problems, mcp_server

if TYPE_CHECKING:
    from callboard.agents.brains.brain import Seat
    from callboard.agents.brains.mcp.servers import Server
    from callboard.agents.settings import AgentSettings
    from callboard.app import Workspace

Found = tuple[Literal["ok", "warn", "fail"], str]


def mcp_findings(workspace: Workspace) -> Iterator[Found]:
    """One or more for each server of callboard.toml; none where it names none and the repository has none."""
    settings, problems = workspace.settings, mcp_problems(workspace)
    users = {name: [agent for agent in settings.agents if table.may_use(agent)] for name, table in settings.mcp.items()}
    for name, agents in users.items():
        if not agents:
            yield (
                "warn",
                f"nobody may use {name}: only agents with a model get tools, and its roles and agents name none",
            )
    yield from (("fail", problem) for problem in problems.values())
    usable = [(mcp_server(workspace, name), who) for name, who in users.items() if who and name not in problems]
    if usable:
        yield from wait_for(_try(workspace, usable))
    yield from _repository_file(workspace)


async def _try(workspace: Workspace, usable: Sequence[tuple[Server, list[AgentSettings]]]) -> list[Found]:
    with tempfile.TemporaryDirectory(prefix="callboard-doctor-") as folder:
        tries = (_try_one(workspace, server, agents, Path(folder)) for server, agents in usable)
        return [finding for findings in await asyncio.gather(*tries) for finding in findings]


async def _try_one(workspace: Workspace, server: Server, agents: list[AgentSettings], folder: Path) -> list[Found]:
    from callboard.agents.brains.mcp.content import choose
    from callboard.agents.brains.mcp.session import Session

    clone = workspace.layout.clone(agents[0].name)
    if server.in_clone and not clone.is_dir():
        return [("warn", f"{server.name} starts in a clone, and there is none before the first launch: not tried")]
    try:
        seat = _seat(workspace, agents[0], clone if clone.is_dir() else folder)
        session = Session(server, seat, folder)
        try:
            tools = await session.tools()
        finally:
            await session.close()
    except BrainError as error:
        return [("fail", workspace.redactor.known(str(error)))]
    except CallboardError as error:
        return [("fail", f"{server.name} was not tried: {error}")]
    choice = choose(server, tools)
    who = ", ".join(agent.name for agent in agents)
    names = ", ".join(tool.name for tool in choice.offered)
    found: list[Found] = [("ok", f"{server.name}, for {who}: {names}")] if names else []
    return [*found, *(("warn", workspace.redactor.known(problem)) for problem in choice.problems)]


def _seat(workspace: Workspace, agent: AgentSettings, clone: Path) -> Seat:
    """As the agent's own, but that nothing of it is written to."""
    from callboard.agents.brains.brain import Seat
    from callboard.agents.workspace.sandbox_probe import candidates

    kind = candidates(workspace.settings.sandbox.kind)[0]
    return Seat(
        run="doctor",
        agent=agent.name,
        prompt="",
        cwd=clone,
        timeout_s=agent.timeout_s,
        env=workspace.environment(agent.name),
        sandbox=replace(workspace.base_sandbox, kind=kind),
    )


def _repository_file(workspace: Workspace) -> Iterator[Found]:
    path = workspace.root / REPOSITORY_FILE
    if not path.is_file():
        return
    used = {name for name, table in workspace.settings.mcp.items() if table.file == REPOSITORY_FILE}
    with suppress(ConfigError):
        left = [name for name in read_names(path) if name not in used]
        if left:
            yield (
                "ok",
                f"{REPOSITORY_FILE} has {', '.join(left)}, which nobody may use: only a [mcp.NAME] table of callboard.toml "
                "lets agents use a server (docs/mcp-tools.md)",
            )
