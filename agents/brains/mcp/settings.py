"""`[mcp.NAME]`: servers whose tools models may call, and which agents may."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from callboard.agents.settings import AgentSettings, Seconds, Table, Texts, fault
from callboard.agents.workspace.sandbox_settings import Places

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,28}[A-Za-z0-9]|[A-Za-z0-9]")
_OWN = "CALLBOARD_"


def _server_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "expected letters, digits, - and single _, at most 30, such as fly: tools are called fly__status"
        )
    return name


ServerName = Annotated[str, AfterValidator(_server_name)]
"""How a server is called in callboard.toml, and in front of its tools."""


def _from_array(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _variables(env: dict[str, str]) -> dict[str, str]:
    for name in env:
        if not is_variable(name):
            raise fault(name, "expected the name of an environment variable that is none of Callboard's own")
    return env


def is_variable(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None and not name.startswith(_OWN)


def url_problem(url: str) -> str:
    """Why a server cannot be reached under it; "" = it may be. `${...}` may stand anywhere but in front."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment
        _ = parts.port
    except ValueError:
        sound = False
    if not sound:
        return "expected a URL such as https://host/mcp"
    return "expected a URL without a password in it; put it into headers" if parts.password else ""


def _url(url: str) -> str:
    if problem := url_problem(url):
        raise ValueError(problem)
    return url


def _file(path: str) -> str:
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") for part in parts) or parts[0] in (".git", ".callboard"):
        raise ValueError("expected a file inside the repository, from its top, such as .mcp.json")
    return path


class McpSettings(Table):
    """`[mcp.NAME]`"""

    command: Annotated[str, Field(min_length=1)] | None = None
    """A program that speaks MCP on its stdin and stdout; it runs in the agent's sandbox."""
    args: Annotated[tuple[str, ...], BeforeValidator(_from_array)] = ()
    """`{clone}` stands for the agent's clone."""
    env: Annotated[dict[str, str], AfterValidator(_variables)] = {}
    """What the program finds in its environment besides what every command of the agent finds there."""
    url: Annotated[str, AfterValidator(_url)] | None = None
    """A server that speaks streamable HTTP."""
    headers: dict[str, str] = {}
    """What goes with every request to it."""
    file: Annotated[str, AfterValidator(_file)] | None = None
    """A file of the repository, such as `.mcp.json`, whose entry NAME says all of the above."""
    pass_env: Texts = ()
    """Variables of the launcher that `${...}` in that file may stand for; globs."""
    connect: Places = ()
    """What the program may connect to, besides what the sandbox lets every command; or where that file's url may lead."""
    in_clone: bool = False
    """The program starts in the clone. What it is given is then as good as given to the brain, which writes there."""
    roles: Annotated[tuple[Literal["driver", "reviewer", "deployment"], ...], BeforeValidator(_from_array)] = ()
    """Every agent of these roles that thinks with a model may call its tools."""
    agents: Texts = ()
    """These agents may."""
    tools: Texts = ("*",)
    """Which of its tools; globs over the names that the server gives them."""
    timeout_s: Seconds = 60.0
    """For its start, and for each call."""

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        said = [key for key in ("command", "url", "file") if getattr(self, key) is not None]
        if len(said) != 1:
            raise fault(
                said[-1] if said else "command",
                f"expected one of command, url or file, found {' and '.join(said) or 'none'}",
            )
        for key, only in (
            ("args", "command"),
            ("env", "command"),
            ("headers", "url"),
            ("pass_env", "file"),
        ):
            if getattr(self, key) and said != [only]:
                raise fault(key, f"goes with {only} alone, and this server has {said[0]}")
        if said == ["url"] and (self.connect or self.in_clone):
            raise fault("connect" if self.connect else "in_clone", "is for programs, and this server has a url")
        if not self.roles and not self.agents:
            raise fault("roles", 'nobody may use it: say roles = ["driver"], or agents = ["driver-1"]')
        return self

    def may_use(self, agent: AgentSettings) -> bool:
        return agent.model is not None and (agent.role in self.roles or agent.name in self.agents)
