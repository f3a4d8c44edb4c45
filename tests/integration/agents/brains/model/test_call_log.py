"""What a model says and does is recorded before it is used, and an attempt goes on from its record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_brain_world import DONE, World, calls
from model_faults import Reply
from model_server import ModelServer
from model_wire import Asked

from callboard.agents.brains.brain import Done
from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord
from callboard.bus.task import Note

STEPS = (
    calls(("write", {"path": "a", "text": "a"})),
    calls(("run", {"command": "date +%N >> stamp"}), ("run", {"command": "cat stamp"})),
    calls(("edit", {"path": "app.py", "old": "two", "new": "2"})),
    DONE,
)


def test_everything_is_recorded_before_it_is_used(tmp_path: Path) -> None:
    kinds: list[list[str]] = []

    def look(asked: Asked) -> Reply:
        kinds.append([record.kind for record in read_records(log)] if log.exists() else [])
        return STEPS[asked.number - 1]

    with ModelServer(look) as server:
        world = World(tmp_path, server)
        log = world.log
        world.work()
        count = server.tokens
    begun = ["begin", "call", "tool"]
    assert kinds == [["begin"], begun, [*begun, "call", "tool", "tool"], [*kinds[2], "call", "tool"]]
    records = [record for record in read_records(log) if isinstance(record, CallRecord)]
    assert sum(record.input_tokens for record in records) == count.input
    assert sum(record.output_tokens for record in records) == count.output


@pytest.mark.parametrize("keep", range(10))
def test_an_attempt_resumes_from_its_log_wherever_it_was_broken_off(tmp_path: Path, keep: int) -> None:
    """Begin, calls and tools: b c t c t t c t c, then nothing is left to ask."""
    with ModelServer(lambda asked: STEPS[len(asked.results) - (len(asked.results) > 2)]) as server:
        world = World(tmp_path, server)
        world.work()
        lines = world.log.read_bytes().splitlines(keepends=True)
        assert len(lines) == 9
        stamp = json.loads(lines[5])["result"]
        world.log.write_bytes(b"".join(lines[:keep]))
        world.reset()
        asked_before = server.requests
        assert world.work() == Done("It answers.")
        asked_again = server.requests - asked_before
    recorded = sum(b'"kind":"call"' in line for line in lines[:keep])
    assert asked_again == 4 - recorded
    assert ((world.clone / "a").read_text(), (world.clone / "app.py").read_text()) == ("a", "one\n2\n")
    assert (world.clone / "stamp").read_text().count("\n") == 1
    again = world.log.read_bytes().splitlines(keepends=True)
    assert again[:keep] == lines[:keep]
    assert (json.loads(again[5])["result"] == stamp) == (keep > 5)


def test_another_prompt_is_another_conversation(tmp_path: Path) -> None:
    with ModelServer(lambda asked: STEPS[len(asked.results) - (len(asked.results) > 2)]) as server:
        world = World(tmp_path, server)
        world.work()
        world.reset()
        assert world.work(notes=(Note(source="person", text="Hurry"),)) == Done("It answers.")
        assert server.requests == 8
    assert len(read_records(world.log.with_name("T-7.1.driver-1.cut-1.jsonl"))) == 9
    assert len(read_records(world.log)) == 9
