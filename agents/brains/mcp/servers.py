"""From settings to what is started or reached: entries of the repository's file looked up, variables filled in.

Who may say what: callboard.toml names servers, and may take any variable of the launcher for them. A file of the
repository says how to start or reach one that callboard.toml names, with those variables, and at those places, which
callboard.toml grants it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from callboard.agents.brains.mcp.entries import Entry, read_entry
from callboard.agents.brains.mcp.settings import McpSettings, is_variable, url_problem
from callboard.agents.workspace.sandbox import EVERYWHERE
from callboard.bus.errors import ConfigError
from callboard.bus.known_secrets import KnownSecret, secrets_in
from callboard.bus.secret_shapes import looks_random

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_PORTS = {"https": 443, "http": 80}
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
SETTINGS_FILE = "callboard.toml"

May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Server:
    """One server, as it is started or reached; what may hold a secret is not shown."""

    name: str
    argv: tuple[str, ...] = field(default=(), repr=False)
    """The program; () = it is reached under its url."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect: tuple[str, ...] = ()
    in_clone: bool = False
    tools: tuple[str, ...] = ("*",)
    timeout_s: float = 60.0

    def offers(self, tool: str) -> bool:
        """Whether a tool of this name, as the server calls it, is one of those that may be called."""
        return any(fnmatchcase(tool, glob) for glob in self.tools)


def resolve(name: str, settings: McpSettings, root: Path, environ: Mapping[str, str]) -> Server:
    """A server as it is to be used.

    Args:
        root: The folder of callboard.toml.
        environ: What `${...}` is filled in from.

    Raises:
        ConfigError: The repository's file does not say how, asks for what it was not granted, or a variable is not set.
    """
    if settings.file is None:
        entry = Entry(
            command=settings.command,
            args=list(settings.args),
            env=settings.env,
            url=settings.url,
            headers=settings.headers,
        )
        fill = _Fill(environ, is_variable, root / SETTINGS_FILE, f"mcp.{name}", "")
    else:
        entry = read_entry(root / settings.file, name)
        fill = _Fill(
            environ, _granted(settings), root / settings.file, f"mcpServers.{name}", f"pass_env of [mcp.{name}]"
        )
        _check_entry(entry, fill)
    server = Server(
        name=name,
        argv=tuple(fill(f"args.{n}", text) for n, text in enumerate([entry.command, *entry.args]))
        if entry.command is not None
        else (),
        env={key: fill(f"env.{key}", value) for key, value in entry.env.items()},
        url=fill("url", entry.url or ""),
        headers={key: fill(f"headers.{key}", value) for key, value in entry.headers.items()},
        connect=settings.connect,
        in_clone=settings.in_clone,
        tools=settings.tools,
        timeout_s=settings.timeout_s,
    )
    if settings.file is not None and server.url:
        _check_place(server, settings, fill)
    return server


def secrets_of(name: str, settings: McpSettings, root: Path, environ: Mapping[str, str]) -> tuple[KnownSecret, ...]:
    """What one server is given that nobody else may see; as much of it as can be known now."""
    try:
        server = resolve(name, settings, root, environ)
    except ConfigError:
        # it says so where it is used; what stands written in callboard.toml is secret all the same
        server = Server(name, tuple(settings.args), settings.env, settings.url or "", settings.headers)
    return secrets_given(server.env, server.headers, (*server.argv, server.url))


def secrets_given(
    env: Mapping[str, str], headers: Mapping[str, str], words: tuple[str, ...]
) -> tuple[KnownSecret, ...]:
    """The secrets in a server's variables, headers, arguments and URL."""
    spoken = {
        f"{name}-{n}": part
        for name, value in headers.items()
        if name.lower() not in _PLAIN_HEADERS
        for n, part in enumerate(value.split())
    }
    random = {name: value for name, value in env.items() if looks_random(value)}
    pieces = [piece for word in words for piece in re.split(r"[=&?/\s]", word) if looks_random(piece)]
    said = {f"mcp-argument-{n}": piece for n, piece in enumerate(pieces)}
    return (
        *secrets_in(env, random),
        *secrets_in(spoken, spoken),
        *secrets_in(said, said),
    )


@dataclass(frozen=True, slots=True)
class _Fill:
    """Fills `${NAME}` and `${NAME:-default}` into one server's texts."""

    environ: Mapping[str, str]
    may: May
    path: Path
    key: str
    grant: str
    """Where a variable is granted; "" = none has to be."""

    def __call__(self, key: str, text: str) -> str:
        return _VARIABLE.sub(lambda found: self._value(key, found[1], found[2]), text)

    def _value(self, key: str, name: str, default: str | None) -> str:
        if self.may(name):
            if self.environ.get(name):
                return self.environ[name]
        elif is_variable(name) and default is None:
            raise self.error(key, f"wants ${{{name}}}, which it was not granted: add {name} to {self.grant}")
        elif not is_variable(name):
            raise self.error(key, f"wants ${{{name}}}, and Callboard's own variables are handed to nobody")
        if default is None:
            raise self.error(key, f"wants ${{{name}}}, which is not set: export it, or write ${{{name}:-default}}")
        return default

    def error(self, key: str, message: str) -> ConfigError:
        return ConfigError(message, path=str(self.path), key=f"{self.key}.{key}")


def _granted(settings: McpSettings) -> May:
    return lambda name: is_variable(name) and any(fnmatchcase(name, glob) for glob in settings.pass_env)


def _check_entry(entry: Entry, fill: _Fill) -> None:
    for name in entry.env:
        if not is_variable(name):
            raise fill.error(f"env.{name}", "is no environment variable, or one of Callboard's own")


def _check_place(server: Server, settings: McpSettings, fill: _Fill) -> None:
    """The headers go where callboard.toml says, not where a file of the repository does."""
    if problem := url_problem(server.url):
        raise fill.error("url", problem)
    parts = urlsplit(server.url)
    place = f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
    if not {place, EVERYWHERE} & set(settings.connect):
        raise fill.error("url", f"leads to {place}, which it was not granted: add it to connect of [mcp.{server.name}]")


def literal_secrets(entries: Iterable[Entry]) -> tuple[KnownSecret, ...]:
    """What stands written in a repository's file, whether anybody uses it or not."""
    return tuple(
        secret
        for entry in entries
        for secret in secrets_given(entry.env, entry.headers, (*entry.args, entry.url or ""))
        if "${" not in secret.value
    )
