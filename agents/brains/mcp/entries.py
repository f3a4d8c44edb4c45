"""`.mcp.json` as a repository has it for Claude Code and others: `mcpServers`, by name. Read, and nothing started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from callboard.bus.errors import ConfigError

REPOSITORY_FILE = ".mcp.json"
MAX_BYTES = 1_000_000


class Entry(BaseModel):
    """One server; keys that others made up are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    type: Literal["stdio", "http", "streamable-http", "streamable_http", "sse"] | None = None
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    url: str | None = None
    headers: dict[str, str] = {}


def read_text(path: Path) -> str:
    """
    Raises:
        ConfigError: It is not there, too large, or no UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"is larger than {MAX_BYTES:,} bytes", path=str(path))
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", path=str(path)) from error


def read_names(path: Path) -> tuple[str, ...]:
    """The servers that a file names.

    Raises:
        ConfigError: It cannot be read.
    """
    return tuple(_servers(read_text(path), path))


def read_entry(path: Path, name: str) -> Entry:
    """One server's entry.

    Raises:
        ConfigError: The file or the entry is wrong, or has none of this name; the error names line and key.
    """
    text = read_text(path)
    servers = _servers(text, path)
    if name not in servers:
        raise ConfigError(
            f"has no server {name!r}; it has {', '.join(servers) or 'none'}", path=str(path), key="mcpServers"
        )
    line = next((n for n, each in enumerate(text.split("\n"), 1) if f"{json.dumps(name)}:" in each.replace(" ", "")), 1)
    key = f"mcpServers.{name}"
    try:
        entry = Entry.model_validate(servers[name])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join([key, *map(str, first["loc"])])
        raise ConfigError(first["msg"], path=str(path), line=line, key=where) from error
    problem = _problem(entry)
    if problem:
        raise ConfigError(problem, path=str(path), line=line, key=key)
    return entry


def _servers(text: str, path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigError(f"not JSON: {getattr(error, 'msg', error)}", path=str(path), line=line) from error
    servers = found.get("mcpServers") if isinstance(found, dict) else None
    if not isinstance(servers, dict):
        raise ConfigError('expected {"mcpServers": {"name": {...}}}', path=str(path), line=1, key="mcpServers")
    return servers


def _problem(entry: Entry) -> str:
    if (entry.command is None) == (entry.url is None):
        return "expected a command or a url"
    if entry.type == "sse":
        return 'type sse is not spoken; give the url at which the server speaks streamable HTTP, and "type": "http"'
    if entry.type is not None and (entry.type == "stdio") != (entry.command is not None):
        return f"type {entry.type} does not go with {'command' if entry.command else 'url'}"
    return ""
