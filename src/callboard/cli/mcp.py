"""`callboard mcp`: the door for agents whose thinking is done outside."""

from __future__ import annotations

from callboard.cli.session import open_workspace, wait_for


def mcp() -> None:
    """Let an agent from outside work on the roster, as an MCP server."""
    from callboard.bus.errors import ConfigError
    from callboard.mcp.stdio import serve
    from callboard.web.problems import Refused

    workspace = open_workspace()
    try:
        wait_for(serve(workspace))
    except Refused as error:
        raise ConfigError(error.detail, key="CALLBOARD_TOKEN") from error
