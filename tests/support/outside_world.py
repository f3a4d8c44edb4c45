"""One served workspace whose runs are started from outside, and who asks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import guide
import requests
from collector import Collector
from postgres import PostgresServer
from roster import Workspace as Made
from served import Answer, Served
from servers import IN_MEMORY, Server

from callboard.app import Workspace
from callboard.web.app import create
from callboard.web.tokens import Tokens

GATE = "test ! -e broken"
RUN = "run-002"
"""The run of the tests that are about rules; each has a phase of it."""
CURL = shutil.which("curl")


@dataclass
class Outside:
    """A served workspace, and who asks it with every scope that the guide needs."""

    workspace: Workspace
    served: Served
    token: str
    collector: Collector
    """Is told what runs do."""

    def ask(self, path: str, body: object = None, **headers: Any) -> Answer:
        return self.served.ask(path, self.token, body=body, **headers)

    def ask_as_shown(self, shown: guide.Shown) -> Answer:
        """With the program that the guide asks with, where it is there; the token is all that is added."""
        url = f"http://localhost:{self.served.port}{shown.path}"
        if shown.by == "python":
            return _by_requests(url, self.token, shown)
        if shown.by == "curl" and CURL:
            return _by_curl(url, self.token, shown)
        return self.ask(shown.path, shown.body)

    def get(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: object, status: int = 200) -> Any:
        answer = self.ask(path, body)
        assert answer.status == status, answer.body
        return answer.json

    def phase(self, id: str, run: str = RUN) -> Any:
        return next(phase for phase in self.get(f"/runs/{run}")["phases"] if phase["phase_id"] == id)

    def hand_in(self, phase: str, patch: str, **values: Any) -> Any:
        body = guide.built(RUN, patch, phase_id=phase, **values)
        return self.post(f"/runs/{RUN}/phases/{phase}/builder_result", body)

    def audit(self, phase: str, says: str = "approve", **values: Any) -> Any:
        body = guide.audited(RUN, says, phase_id=phase, **values)
        return self.post(f"/runs/{RUN}/phases/{phase}/auditor_result", body)


def _by_requests(url: str, token: str, shown: guide.Shown) -> Answer:
    answer = requests.post(url, json=json.loads(shown.text), headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return Answer(answer.status_code, Message(), answer.content)


def _by_curl(url: str, token: str, shown: guide.Shown) -> Answer:
    assert CURL is not None
    sent = ["-X", "POST", "-H", "Content-Type: application/json", "-d", shown.text] if shown.text else []
    argv = [CURL, "-sS", "--noproxy", "*", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {token}", *sent, url]
    out = subprocess.run(argv, capture_output=True, check=True).stdout
    body, _, status = out.rpartition(b"\n")
    return Answer(int(status), Message(), body)


@contextmanager
def postgres_url() -> Iterator[str]:
    """An empty database on a Postgres server of its own."""
    with tempfile.TemporaryDirectory(prefix="cb-pg-") as folder:
        server = PostgresServer(Path(folder))
        try:
            yield server.fresh()
        finally:
            server.stop()


@contextmanager
def bus_server() -> Iterator[Server]:
    """A server of the bus of its own: on it no other test has a run of the guide's name."""
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def served_outside(folder: Path, bus_url: str, ledger_url: str) -> Iterator[Outside]:
    """A new repository, served."""
    made = Made(folder, gate=(GATE,))
    made.init({})
    environ = {**os.environ, "CALLBOARD_BUS_URL": bus_url, "CALLBOARD_LEDGER_URL": ledger_url}
    with Collector() as collector:
        workspace = Workspace.open(made.path, {**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        token = Tokens(workspace.layout.tokens).create("ada", ["read", "operate", "agent"])[0]
        found = Outside(workspace, Served(create(workspace)), token, collector)
        try:
            yield found
        finally:
            found.served.stop()


def until(look: Callable[[], bool]) -> None:
    """The manager, its gate and its landings are at work beside us."""
    while not look():
        time.sleep(0.1)


def patch_of(phase: str, path: str = "") -> str:
    """A patch that only one phase hands in."""
    return guide.PATCH.replace("src/auth.py", path or f"src/{phase}.py")
