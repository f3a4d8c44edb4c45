"""What a roster thinks with beside programs: keys of models, MCP servers, modules; and what of it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.agents.brains.mcp.servers import Server, resolve
from callboard.bus.errors import ConfigError

if TYPE_CHECKING:
    from callboard.app import Workspace


def heavy_modules(workspace: Workspace) -> tuple[str, ...]:
    """What this roster's models take to import: seconds of work, done once for all of its agents."""
    settings = workspace.settings
    used = {name for agent in settings.agents for name in agent.model or ()}
    if used and workspace.is_played:
        return ("callboard.agents.brains.model.replay", "callboard.agents.brains.model.brain")
    providers = sorted({settings.models[name].provider for name in used})
    brain = ("callboard.agents.brains.model.brain", "callboard.agents.brains.model.wire") if used else ()
    servers = ("callboard.agents.brains.mcp.tools",) if any(map(settings.servers_of, settings.agents)) else ()
    return (*brain, *servers, *(f"pydantic_ai.models.{provider}" for provider in providers))


def key_problems(workspace: Workspace) -> dict[str, str]:
    """Models that agents use and whose key is not there -> what to do; played back, they need none."""
    if workspace.is_played:
        return {}
    settings = workspace.settings
    used = dict.fromkeys(name for agent in settings.agents for name in agent.model or ())
    missing = {
        name: key
        for name in used
        if (key := settings.models[name].key_env) is not None and not workspace.environ.get(key)
    }
    return {
        name: f"model {name} takes its key from {key}, which is not set: export it, or name another variable "
        f"as api_key_env in [models.{name}]"
        for name, key in missing.items()
    }


def mcp_server(workspace: Workspace, name: str) -> Server:
    """An MCP server as it is started or reached.

    Raises:
        ConfigError: The repository's file does not say how, or what it wants was not granted.
    """
    return resolve(name, workspace.settings.mcp[name], workspace.root, workspace.environ)


def mcp_problems(workspace: Workspace) -> dict[str, str]:
    """MCP servers that agents may use and that cannot be -> why, and the way out; played back, none is needed."""
    if workspace.is_played:
        return {}
    settings, problems = workspace.settings, dict[str, str]()
    for name in dict.fromkeys(name for agent in settings.agents for name in settings.servers_of(agent)):
        try:
            mcp_server(workspace, name)
        except ConfigError as error:
            problems[name] = str(error)
    return problems
