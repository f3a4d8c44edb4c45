"""The demo's recording: made anew it is the same, and what plays it goes on after everything was killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from record_demo import record_demo
from roster import HANG_S, Workspace, kill, until

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord
from callboard.agents.brains.recording import Recording, Said, Talk, talk_path
from callboard.demo.person import ANSWER
from callboard.demo.wishes import BURSTS
from callboard.demo.workspace import RECORDING

pytestmark = pytest.mark.long

AFTERWARDS = re.compile(rf"^release/|{BURSTS.key}$|-development$")
"""Keys of what is said only once the demo's person deploys."""


def told(recording: Path) -> dict[Path, tuple[object, ...]]:
    """All of a recording but what is counted anew each time."""
    return {talk_path(talk.about): _told(talk) for talk in Recording(recording).talks()}


def _told(talk: Talk) -> tuple[object, ...]:
    counted = {name: 0 for name in Said.model_fields if name.endswith("_tokens")} | {"usd": None}
    return talk.about, [said.model_copy(update=counted) for said in talk.replies], talk.parked


def test_the_models_of_the_demo_say_at_a_server_what_is_recorded(tmp_path: Path) -> None:
    assert told(record_demo(tmp_path, RECORDING)) == told(RECORDING)


def test_a_demo_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    made = Workspace(tmp_path / "demo")
    argv = [sys.executable, "-m", "callboard", "demo", "--dir", str(made.path), "--json"]
    demo = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert demo.stderr is not None
    said = [next(demo.stderr)]
    while "T-1 Say that the service is up: landed" not in said[-1]:
        said.append(next(demo.stderr))
    kill([*psutil.Process(demo.pid).children(recursive=True), psutil.Process(demo.pid)])
    made.stop_everything()
    demo.wait()
    going_on = made.start()

    def has_ended() -> bool:
        if "q-1" in made.call("questions").stdout:
            made.call("answer", "q-1", ANSWER)
        return going_on.poll() is not None

    try:
        until(has_ended, every_s=3)
        output, _ = going_on.communicate(timeout=HANG_S)
        assert going_on.returncode == 0, output
        status = json.loads(made.call("status", "--json").stdout)
        assert [task["state"] for task in status["tasks"]] == ["done"] * 8
        costs = json.loads(made.call("costs", "--json").stdout)["rows"][0]
        logs = (made.path / ".callboard" / "calls").glob("*/*.jsonl")
        played = [record for log in logs for record in read_records(log) if isinstance(record, CallRecord)]
        assert costs["calls"] == len(played), "each reply counts once"
        # who was killed at the wrong moment may need an attempt or a review once more; nobody deploys what has landed
        told = [talk for talk in Recording(RECORDING).talks() if not AFTERWARDS.search(talk.about.key)]
        assert len(played) >= sum(len(talk.replies) for talk in told)
    finally:
        made.stop_everything()
