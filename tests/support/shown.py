"""A workspace as people have it: a roster that was launched, with its dashboard."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from roster import HANG_S, Workspace, until

from callboard.agents.workspace.layout import Layout
from callboard.app import Workspace as Opened
from callboard.web.beside import address_file
from callboard.web.tokens import Tokens, login_link

T = TypeVar("T")


def apart(work: Coroutine[object, object, T]) -> T:
    """Run it in a thread of its own: where a browser is open, the tests' thread has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@dataclass(slots=True)
class Shown:
    """A workspace whose roster works until `stop`.

    Args:
        environ: What its processes get.
    """

    path: Path
    environ: Mapping[str, str]
    address: str = ""
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @classmethod
    def launched(cls, path: Path, environ: Mapping[str, str] = os.environ) -> Shown:
        """Launch its roster, which stays, with the dashboard beside it."""
        shown = cls(path, {**environ, "CALLBOARD_WEB_WITH_LAUNCH": "true"})
        launching = shown._start("launch", "--stay")
        place = address_file(Opened.open(path, environ))
        until(lambda: place.exists() or launching.poll() is not None)
        shown.address = place.read_text()
        return shown

    @classmethod
    def served(cls, path: Path) -> Shown:
        """Serve the dashboard alone."""
        shown = cls(path, os.environ)
        serving = shown._start("serve", "--port", "0", "--json")
        assert serving.stdout is not None
        shown.address = json.loads(serving.stdout.readline())["address"]
        return shown

    def _start(self, *args: str) -> subprocess.Popen[str]:
        log = (self.path.parent / f"{args[0]}.log").open("a")
        started = subprocess.Popen(
            [sys.executable, "-m", "callboard", *args],
            cwd=self.path,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if args[0] == "serve" else log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        self._processes.append(started)
        return started

    def link(self, address: str = "") -> str:
        """A link that logs Ada in, once."""
        return login_link(Tokens(Layout(self.path).tokens), "Ada", address or self.address)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(HANG_S)
        Workspace(self.path).stop_everything()
