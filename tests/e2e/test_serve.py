"""`callboard serve` as a process of its own, with the embedded server: killed, started again, beside a launch, ended by Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import guide
import pytest
from event_stream import Stream
from roster import HANG_S, Workspace, task, until
from served import Served

from callboard.app import Workspace as Opened
from callboard.launch.runs import runs
from callboard.web.tokens import SCOPES, Tokens

Make = Callable[..., Workspace]
RUN = "run-001"
PHASE = f"/runs/{RUN}/phases/P1.1"
WRITES = """
import json, pathlib, sys
pathlib.Path(json.load(sys.stdin)["spec"]["fields"].get("Writes", "lent.txt")).write_text("done\\n")
"""
"""A driver that writes what its task says, and lent.txt in a phase, which says nothing."""


class Serving(Served):
    """`callboard serve` in a workspace."""

    def __init__(self, made: Workspace) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "callboard", "serve", "--port", "0", "--json"],
            cwd=made.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        address = json.loads(self.process.stdout.readline())["address"]
        self.port = int(address.rpartition(":")[2])
        self.token = Tokens(Opened.open(made.path, {}).layout.tokens).create("ada", SCOPES)[0]

    def end(self, number: int) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(HANG_S)

    def post(self, path: str, body: object, status: int = 200) -> None:
        answer = self.ask(path, self.token, body=body)
        assert answer.status == status, answer.body

    def phases(self) -> list[dict[str, object]]:
        answer = self.ask(f"/runs/{RUN}", self.token)
        assert answer.status in (200, 503), answer.body
        return list(answer.json["phases"]) if answer.status == 200 else [{"state": ""}]

    def is_landed(self) -> bool:
        answer = self.ask(f"/runs/{RUN}", self.token)
        # while the server of the bus changes hands nobody answers for a moment
        return answer.status == 200 and bool(answer.json["phases"][0]["landed"])


@pytest.fixture
def made(workspace: Make) -> Workspace:
    found = workspace(gate=("test -e README",))
    found.init({"driver-1": task("1 - A", Writes="a.txt")})
    return found


@pytest.mark.long
def test_a_killed_serve_goes_on_where_it_was_and_who_listens_misses_nothing(made: Workspace) -> None:
    first = Serving(made)
    first.post("/runs/start", guide.start(RUN), 201)
    first.post(f"{PHASE}/builder_result", guide.built(RUN, guide.PATCH))
    stream = Stream(first, RUN, first.token)
    had = [int(event["id"]) for event in stream.take(3)]
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    stream.close()
    second = Serving(made)
    again = Stream(second, RUN, second.token, last=str(had[-1]))
    second.post(f"{PHASE}/auditor_result", guide.audited(RUN))
    until(second.is_landed)
    last = second.ask(f"/messages?run={RUN}&limit=1000", second.token).json["items"][-1]["seq"]
    caught_up = [int(event["id"]) for event in again.take(last - had[-1])]
    assert had + caught_up == list(range(1, last + 1))
    again.close()
    assert second.end(signal.SIGINT) == 130
    until(lambda: made.processes() == [])


@pytest.mark.long
def test_a_launch_takes_the_server_over_and_gives_it_back(made: Workspace) -> None:
    serving = Serving(made)
    serving.post("/runs/start", guide.start(RUN), 201)
    serving.post(f"{PHASE}/builder_result", guide.built(RUN, guide.PATCH))
    code, output = made.launch()
    assert code == 0, output
    [launched] = runs(Opened.open(made.path, {}).repository)
    assert "a.txt" in made.files(f"callboard/{launched}")
    until(lambda: serving.ask(f"/runs/{RUN}", serving.token).status == 200)
    serving.post(f"{PHASE}/auditor_result", guide.audited(RUN))
    until(serving.is_landed)
    assert serving.end(signal.SIGTERM) == -signal.SIGTERM
    until(lambda: made.processes() == [])


@pytest.mark.long
def test_a_launched_roster_does_the_phases_that_name_its_driver_beside_its_own_work(
    workspace: Make, tmp_path: Path
) -> None:
    """Two runs in one repository, each with its own branch; of the other phase the roster takes nothing."""
    program = tmp_path / "driver.py"
    program.write_text(WRITES)
    made = workspace(gate=("test -e README",), drivers={"driver-1": f"{sys.executable} {program}"})
    made.init({"driver-1": task("1 - A", Writes="a.txt")})
    serving, launched = Serving(made), made.start("--stay")
    repository = Opened.open(made.path, {}).repository
    until(lambda: bool(runs(repository)))
    asked = guide.start(RUN, phases=2)
    asked["phases"][0] |= {"driver": "driver-1", "name": "Write it"}
    serving.post("/runs/start", asked | {"phases": [asked["phases"][0] | {"driver": "senior"}]}, 422)
    until(lambda: serving.ask("/runs/start", serving.token, body=asked, headers={"Idempotency-Key": "s"}).status == 201)
    until(lambda: serving.phases()[0]["state"] == "GATE")
    serving.post(f"{PHASE}/builder_result", guide.built(RUN, guide.PATCH), 409)
    judged = serving.ask(f"{PHASE}/auditor_request", serving.token, body=guide.audit_asked(RUN)).json
    assert "b/lent.txt" in judged["patch"]
    serving.post(f"{PHASE}/auditor_result", guide.audited(RUN))
    until(serving.is_landed)
    [phase, other] = serving.phases()
    assert (phase["state"], phase["driver"], other["state"], other["driver"]) == ("COMPLETE", "driver-1", "QUEUED", "")
    [own] = runs(repository)
    until(lambda: "a.txt" in made.files(f"callboard/{own}"))
    assert "lent.txt" not in made.files(f"callboard/{own}")
    assert "a.txt" not in made.files(f"callboard/{RUN}")
    launched.send_signal(signal.SIGINT)
    launched.communicate(timeout=HANG_S)
    serving.end(signal.SIGTERM)
    until(lambda: made.processes() == [])
