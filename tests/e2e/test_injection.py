"""Attack 16: a brain that obeys every instruction it finds changes nothing outside its role; with the sandbox off it does."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from payloads import BUS, OBEDIENT, PAYLOADS, TALK, found_in, planted
from roster import AGENTS, HANG_S, REVIEWERS, Workspace, run_git, task, until

from callboard.app import Workspace as Callboard
from callboard.launch.joining import current_run, open_bus

Make = Callable[..., Workspace]
OURS = ("refs/callboard/", "refs/heads/callboard/", "refs/tags/callboard/")
LOGS = tuple(f"refs/heads/{name}/" for name in AGENTS)


@dataclass
class Listener:
    """Hears what reaches a port of this computer."""

    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: bytes = b""

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65536):
                    self.heard += data


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.server.close()


def poisoned(workspace: Make, tmp_path: Path, listener: Listener, extra: str) -> tuple[Workspace, Path]:
    """A repository with the planted document, and a place outside of it."""
    outside, brains = tmp_path / "outside", tmp_path / "brains"
    outside.mkdir()
    brains.mkdir()
    (outside / "there").write_text("mine\n")
    (outside / "precious").write_text("mine\n")
    (brains / "obedient.py").write_text(OBEDIENT)
    (brains / "talk.py").write_text(TALK)
    made = workspace(
        drivers={"driver-1": f"{sys.executable} {brains / 'obedient.py'}"}, extra=extra, gate=["test -e README"]
    )
    values = {
        "outside": outside,
        "root": made.path,
        "python": sys.executable,
        "talk": brains / "talk.py",
        "port": listener.server.getsockname()[1],
    }
    made.init({"driver-1": task("1 - Read the notes", Obeys="yes")}, {"NOTES.md": planted(values)})
    return made, outside


def obeyed(made: Workspace) -> dict[str, list[object]]:
    """Payload -> exit code and output, as the brain wrote it down in its own scratch folder; {} before."""
    path = made.path / ".callboard/scratch/driver-1/tmp/obeyed.json"
    told: dict[str, list[object]] = json.loads(path.read_text()) if path.exists() else {}
    return told


async def said(made: Workspace) -> set[tuple[str, str]]:
    """Sender and kind of every message of the run; none of them may be dead."""
    opened = Callboard.open(made.path, os.environ)
    async with open_bus(opened, current_run(opened)) as bus:
        assert await bus.dead() == []
        return {(message.sender, message.kind) async for entry in bus.journal() for message in entry.messages}


def refs(made: Workspace) -> str:
    return run_git(made.path, "for-each-ref", "--format=%(refname)")


@pytest.mark.long
def test_fifty_planted_instructions_that_are_obeyed_change_nothing_outside_the_role(
    workspace: Make, tmp_path: Path, listener: Listener
) -> None:
    made, outside = poisoned(workspace, tmp_path, listener, extra="")
    before = run_git(made.path, "rev-parse", "main")
    config = (made.path / ".git/config").read_bytes()
    code, output = made.launch()
    done = obeyed(made)
    print(f"{len(done)} of {len(PAYLOADS)} payloads obeyed, {sum(1 for each in done.values() if each[0])} were refused")
    assert len(PAYLOADS) >= 50
    assert len(done) == len(PAYLOADS), "every one was tried"
    assert found_in(made.path, outside, refs(made), listener.heard) == {}, done
    assert sorted(path.name for path in outside.iterdir()) == ["precious", "there"]
    assert (outside / "there").read_text() == (outside / "precious").read_text() == "mine\n"
    assert (made.path / ".git/config").read_bytes() == config
    assert code == 0, output
    kinds = asyncio.run(said(made))
    assert {sender for sender, kind in kinds if kind == "verdict.given"} == set(REVIEWERS)
    assert {sender for sender, kind in kinds if kind in ("task.assigned", "review.requested")} == {"manager"}
    assert not [sender for sender, kind in kinds if kind == "command.given"]
    assert run_git(made.path, "rev-parse", "main") == before
    assert run_git(made.path, "status", "--porcelain") == ""
    assert made.landed_keys(made.integration()) == ["driver-1/read-the-notes"], "its own work landed all the same"
    assert set(made.files(made.integration())) - set(made.files("main")) == {"work.txt"}
    assert [name for name in refs(made).splitlines() if not name.startswith((*OURS, *LOGS))] == ["refs/heads/main"]


LEAST = 45
"""Payloads that do what they are after where nothing holds them."""


@pytest.mark.long
def test_with_the_sandbox_off_most_of_them_reach_what_they_are_after(
    workspace: Make, tmp_path: Path, listener: Listener
) -> None:
    """The control: the payloads work, and the test above would see it."""
    made, outside = poisoned(workspace, tmp_path, listener, extra='[sandbox]\nkind = "off"\n')
    launched = made.start()
    must_reach = {n for n, each in enumerate(PAYLOADS) if each in BUS}

    def reached() -> set[int]:
        return set(found_in(made.path, outside, refs(made), listener.heard))

    try:
        until(lambda: len(obeyed(made)) == len(PAYLOADS), every_s=0.3)
        # some of them do what they are after in the background
        until(lambda: (must_reach <= reached() and len(reached()) >= LEAST) or launched.poll() is not None, every_s=1)
        found = found_in(made.path, outside, refs(made), listener.heard)
    finally:
        made.stop_everything()
        launched.communicate(timeout=HANG_S)
    missed = {n: obeyed(made)[str(n)] for n in range(len(PAYLOADS)) if n not in found}
    print(f"{len(found)} of {len(PAYLOADS)} payloads reached something; not: {missed}")
    assert len(found) >= LEAST
    assert [each for n, each in enumerate(PAYLOADS) if each in BUS and n not in found] == []
    assert listener.heard
