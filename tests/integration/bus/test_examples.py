"""The programs of docs/bus.md, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import Go

import callboard.bus
from callboard.bus.bus import Bus
from callboard.bus.messages import BlockerRaised, CommandGiven, Draft, TaskAssigned
from callboard.bus.task import Briefing, Source, TaskSpec

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "bus.md").read_text("utf-8")
WATCH, PAUSE, WORK = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def play(program: str, bus: Bus) -> str:
    env = {**os.environ, "BUS_URL": bus.url, "BUS_RUN": bus.run}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_command_is_given_once_and_seen(bus: Bus, go: Go) -> None:
    play(PAUSE, bus)
    play(PAUSE, bus)
    (delivery,) = go(bus.inbox("manager", "manager.here.1").receive(limit=10))
    assert delivery.envelope.body == CommandGiven(command="pause")
    assert play(WATCH, bus) == "1 person -> manager command.given \n"


def test_an_agent_of_ten_lines_answers_its_task(bus: Bus, go: Go) -> None:
    spec = TaskSpec(key="k", title="t", agent="driver-2", source=Source(kind="person"))
    body = TaskAssigned(spec=spec, briefing=Briefing(agent="driver-2", version="1"), base="b", start="b")
    go(bus.send(Draft("driver-2", body, task="T-1", attempt=1), sender="manager"))
    play(WORK, bus)
    (delivery,) = go(bus.inbox("manager", "manager.here.1").receive(limit=10))
    answer = delivery.envelope
    assert (answer.sender, answer.task, answer.attempt) == ("driver-2", "T-1", 1)
    assert isinstance(answer.body, BlockerRaised)
    assert go(bus.backlog(["driver-2"])) == {"driver-2": 0}
    assert "async def work" in WORK
    assert len(WORK.split("async def work")[1].splitlines()) <= 12


def test_what_the_page_on_programs_calls_exported_is(bus: Bus) -> None:
    _, _, said = (DOCS / "client.md").read_text("utf-8").partition("## What `callboard.bus` exports")
    assert sorted(set(re.findall(r"`(\w+)`", said))) == sorted(callboard.bus.__all__)
    assert all(getattr(callboard.bus, name) for name in callboard.bus.__all__)
    with pytest.raises(AttributeError):
        callboard.bus.nothing_of_this_name  # noqa: B018
