"""`callboard mcp`: the door for agents whose thinking is done outside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note, print_json, print_json_line, say
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace

PORT = 8001


def mcp(
    agent: Annotated[
        str,
        typer.Argument(metavar="[AGENT]", help="With --print-config: for this agent; else the only one from outside."),
    ] = "",
    http: Annotated[
        bool, typer.Option("--http", help="Serve over HTTP, any number of agents; else on stdin and stdout.")
    ] = False,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="--http: where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="--http: 0 = any that is free.")] = PORT,
    print_config: Annotated[
        bool,
        typer.Option("--print-config", help="Print what to paste into AGENTS.md and into a client's configuration."),
    ] = False,
    dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The workspace; else the one of the current folder.")
    ] = None,
    json: Json = False,
) -> None:
    """Let agents from outside work on the roster, through an MCP server.

    An agent of callboard.toml with `outside = true` is worked for by whoever has a token of its name: `callboard token create
    driver-2 --scope agent`. On stdin and stdout the token is in CALLBOARD_TOKEN.
    """
    workspace = open_workspace(dir)
    if print_config:
        _print_config(workspace, _outsider(workspace, agent), f"http://{host}:{port}", json=json)
    elif http:
        _serve_http(workspace, host, port, json=json)
    else:
        _serve_stdio(workspace)


def _serve_stdio(workspace: Workspace) -> None:
    from callboard.bus.errors import ConfigError
    from callboard.mcp.stdio import serve
    from callboard.web.problems import Refused

    try:
        wait_for(serve(workspace))
    except Refused as error:
        raise ConfigError(error.detail, key="CALLBOARD_TOKEN") from error


def _serve_http(workspace: Workspace, host: str, port: int, *, json: bool) -> None:
    from callboard.mcp.http import serve
    from callboard.web.server import Place

    def told(address: str) -> None:
        if json:
            print_json_line({"address": address})
        else:
            say(f"the MCP server is at {address}")
            note("each agent has a token of its name: `callboard token create AGENT --scope agent`. Ctrl-C ends it")

    serve(workspace, Place(host, port), told)


def _outsider(workspace: Workspace, agent: str) -> str:
    from callboard.bus.errors import ConfigError

    known = workspace.settings.outsiders
    if agent in known or (not agent and len(known) == 1):
        return agent or known[0]
    if not known:
        raise ConfigError(
            "no agent of callboard.toml is from outside: write `outside = true` into the table of a driver or a reviewer, "
            "instead of its model, cli or command",
            key="AGENT",
        )
    why = f"no agent from outside is called {agent}" if agent else "say which agent it is for"
    raise ConfigError(f"{why}; from outside are: {', '.join(known)}", key="AGENT")


def _print_config(workspace: Workspace, agent: str, address: str, *, json: bool) -> None:
    from json import dumps

    from callboard.launch.rows import by_field
    from callboard.mcp.config import pasted

    made = pasted(agent, [sys.executable, "-m", "callboard", "mcp"], str(workspace.root), f"{address}/mcp")
    if json:
        print_json({"agent": agent, **by_field(made)})
        return
    say("# Into AGENTS.md or CLAUDE.md of the folder in which the agent works:\n")
    say(made.agents_md)
    say("# Into the client's MCP configuration (such as .mcp.json), where it starts the server itself:\n")
    say(dumps(made.stdio, indent=2))
    say("\n# Or, where `callboard mcp --http` runs:\n")
    say(dumps(made.http, indent=2))
    note(
        f"`callboard token create {agent} --scope agent` makes the token; put it into CALLBOARD_TOKEN, or in place of it"
    )
