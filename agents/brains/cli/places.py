"""Where an agent CLI may connect to, and what it reads of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from callboard.agents.brains.cli.adapter import Adapter

_PORTS = {"https": 443, "http": 80}


def servers(adapter: Adapter, env: Mapping[str, str]) -> tuple[str, ...]:
    """`host:port` of its provider: of the base URL in its environment, or of its own servers."""
    url = next((env[name] for name in adapter.base_url if env.get(name)), "")
    if not url:
        return adapter.hosts
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ()
    return (f"{parts.hostname}:{port}",) if parts.hostname and port else ()


def own_files(program: Path, home: Path | None, login: Iterable[str]) -> tuple[Path, ...]:
    """What a program must read of itself to start, also where that lies in a hidden folder such as ~/.claude/local.

    Args:
        program: As it was found on PATH.
        home: Of the person who launched.
        login: Files below it that stay hidden.
    """
    real = program.resolve()
    folders = dict.fromkeys((program.parent, _installation(program), _installation(real)))
    secrets = [home / name for name in login] if home else []
    return tuple(folder for folder in folders if not any(secret.is_relative_to(folder) for secret in secrets))


def _installation(program: Path) -> Path:
    """The packages it lies among, or its own folder."""
    parts = program.parts
    if "node_modules" in parts:
        return Path(*parts[: parts.index("node_modules") + 1])
    return program.parent
