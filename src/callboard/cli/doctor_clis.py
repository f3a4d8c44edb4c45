"""What `callboard doctor` says about agent CLIs: which are installed, and whether an agent's can log in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.agents.brains.answer import plain
from callboard.agents.brains.cli.adapters import ADAPTERS

if TYPE_CHECKING:
    from callboard.agents.brains.cli.adapter import Adapter

VERSION_S = 10.0
"""aider takes three seconds to say its version."""


def installed(environ: Mapping[str, str]) -> dict[str, str]:
    """Agent CLIs on PATH -> the program's path."""
    found = {name: shutil.which(adapter.program, path=environ.get("PATH")) for name, adapter in ADAPTERS.items()}
    return {name: path for name, path in found.items() if path}


def versions(programs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What each says when asked for its version, all at once; why not, where it says none."""
    with ThreadPoolExecutor(max_workers=len(ADAPTERS)) as pool:
        return dict(zip(programs, pool.map(lambda path: _version(path, environ), programs.values()), strict=True))


def _version(program: str, environ: Mapping[str, str]) -> str:
    argv = [program, "--version"]
    known = {name: environ[name] for name in ("PATH", "HOME", "LANG") if name in environ}
    try:
        said = subprocess.run(
            argv, env=known, stdin=subprocess.DEVNULL, capture_output=True, timeout=VERSION_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not say its version: {plain(str(error), 100)}"
    words = plain(said.stdout.decode("utf-8", "replace"), 200).splitlines()
    return words[-1] if words and not said.returncode else f"does not say its version: exit code {said.returncode}"


def can_log_in(adapter: Adapter, pass_env: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Where an agent's CLI takes its key or login from; "" = nowhere that is known.

    Args:
        pass_env: The variables that it will get.
        environ: The launcher's own, for its HOME.
    """
    key = next((name for name in adapter.keys if pass_env.get(name)), "")
    if key:
        return f"key in {key}"
    home = Path(environ.get("HOME") or os.path.devnull)
    return next((f"login of ~/{file}" for file in adapter.login if (home / file).is_file()), "")


def usable(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Agent CLIs that are installed and can log in, each with the variables that it must be given for that."""
    for name in installed(environ):
        adapter = ADAPTERS[name]
        passed = tuple(url for url in adapter.base_url if environ.get(url))
        key = next((key for key in adapter.keys if environ.get(key)), "")
        if can_log_in(adapter, {}, environ):
            yield name, passed
        elif key and (passed or not adapter.needs_server):
            yield name, (key, *passed)


def summary(programs: Mapping[str, str], said: Mapping[str, str]) -> Iterator[str]:
    """`claude 2.1.197 (/usr/bin/claude)`, one for each that is installed."""
    for name, path in programs.items():
        yield f"{name} {said[name].removeprefix(name).strip()} ({path})"
