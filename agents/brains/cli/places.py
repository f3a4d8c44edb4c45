"""Where an agent CLI may connect to."""

from __future__ import annotations

from collections.abc import Mapping
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
