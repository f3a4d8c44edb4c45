"""A real scribe over a real server and repository: killed at any moment, it writes everything once."""

from __future__ import annotations

import asyncio
import io
import random
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import scribe_process
from feedback_world import entries_in, logged, long_journal
from forked import Forked
from servers import Server

from callboard.bus.bus import Bus
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import Draft, VerdictGiven
from callboard.feedback.log import FeedbackLog

T = TypeVar("T")


class Go(Protocol):
    def __call__(self, work: Coroutine[object, object, T], /) -> T: ...


AGENTS = ("driver-1", "driver-2", "senior")
ID = re.compile(r"^## .* <!-- (\S+) -->$", re.MULTILINE)


def git(repository: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=repository, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "product"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "main.py").write_text("print()\n")
    git(folder, "add", "main.py")
    git(folder, "commit", "--quiet", "-m", "Begin")
    (folder / ".git/info/exclude").write_text("/feedback/*.md\n/feedback/archive/\n")
    return folder


def start(server: Server, run: str, repository: Path, commit_every_s: float) -> Forked:
    return Forked(lambda: asyncio.run(scribe_process.main(server.url, run, repository, commit_every_s)))


def seq_read(scribe: Forked) -> int:
    line = scribe.stdout.readline()
    assert line, "the scribe ended by itself"
    return int(line)


Said = list[tuple[str, Draft]]


async def send(bus: Bus, said: Said) -> None:
    for sender, draft in said:
        await bus.send(draft, sender=sender)


async def whole_journal(bus: Bus) -> list[JournalEntry]:
    return [entry async for entry in bus.journal()]


def drawn(seed: int, steps: int) -> Said:
    messages = [message for step in long_journal(seed, steps, AGENTS, "senior") for message in step.messages]
    return [
        (message.sender, Draft(message.recipient, message.body, message.task, message.attempt)) for message in messages
    ]


def outside_of_the_logs(repository: Path) -> tuple[str, ...]:
    """What a user would notice: HEAD, index, checkout, configuration and branches that are not an agent's log."""
    index = (repository / ".git/index").read_bytes().hex()
    refs = [line for line in git(repository, "show-ref").splitlines() if not line.endswith("/log")]
    config = (repository / ".git/config").read_text()
    return (git(repository, "status", "--porcelain"), index, git(repository, "rev-parse", "HEAD"), config, *refs)


def lived_through_kills(
    server: Server, bus: Bus, go: Go, repository: Path, seed: int, kills: int
) -> list[JournalEntry]:
    """The journal, after a scribe was killed while it folded it, again and again, and one was let to end."""
    draw = random.Random(seed)
    said = drawn(seed, 12 * (kills + 1))
    for _ in range(kills):
        with start(server, bus.run, repository, draw.choice([0.0, 0.05])) as scribe:
            go(send(bus, [said.pop(0) for _ in range(draw.randrange(1, 10))]))
            place = draw.randint(1, go(bus.seq()))
            while seq_read(scribe) < place:
                pass
            go(send(bus, [said.pop(0) for _ in range(draw.randrange(3))]))
            scribe.kill()
    with start(server, bus.run, repository, 0.0) as scribe:
        seq_read(scribe)
        go(send(bus, said))
        scribe.send_signal(signal.SIGTERM)
        assert scribe.wait() == 0
    return go(whole_journal(bus))


def judge(journal: list[JournalEntry], repository: Path, run: str) -> None:
    for agent in AGENTS:
        log = FeedbackLog(repository / "feedback", agent)
        assert [str(entry.id) for entry in log.entries()] == entries_in(journal, agent, run)
        files = {path.relative_to(repository): path for path in (repository / "feedback").rglob(f"{agent}*.md")}
        assert {str(name): path.read_text() for name, path in files.items()} == {
            name: text for name, text in tree(repository, f"{agent}/log").items() if name.startswith("feedback/")
        }
        judge_branch(repository, agent, run)
    given = [
        f"reviews/T-7-1-{message.body.review.replace('.', '-')}.md"
        for step in journal
        for message in step.messages
        if isinstance(message.body, VerdictGiven)
    ]
    assert given
    assert sorted(name for name in tree(repository, "senior/log") if name.startswith("reviews/")) == sorted(given)


def tree(repository: Path, commit: str) -> dict[str, str]:
    argv = ["git", "archive", "--format=tar", commit]
    packed = subprocess.run(argv, cwd=repository, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {member.name: tar.extractfile(member) for member in tar}
        return {name: file.read().decode() for name, file in found.items() if file is not None}


def judge_branch(repository: Path, agent: str, run: str) -> None:
    """Each commit is the agent's, goes on exactly where the one before ended, and says so."""
    before: list[str] = []
    reached = 0
    for commit in git(repository, "rev-list", "--reverse", f"{agent}/log").splitlines():
        author, trailer = git(
            repository, "show", "-s", "--format=%an%n%(trailers:key=Journal-Seq,valueonly)", commit
        ).split("\n")[:2]
        assert author == agent
        files = tree(repository, commit)
        logs = sorted((name for name in files if name.startswith("feedback/archive/")), key=archive_number)
        ids = [id for name in [*logs, f"feedback/{agent}.md"] for id in ID.findall(files.get(name, ""))]
        assert ids[: len(before)] == before
        seq = int(trailer.removeprefix(f"{run}/"))
        assert seq > reached
        assert all(seq_of(id) <= seq for id in ids)
        reached = seq
        before = ids


def archive_number(name: str) -> int:
    return int(name.split(".")[-2])


def seq_of(id: str) -> int:
    return int(id.rpartition("/")[2].partition(".")[0])


@pytest.mark.long
def test_a_scribe_killed_at_random_moments_writes_every_entry_once(
    server: Server, bus: Bus, go: Go, repository: Path, seed: int
) -> None:
    before = outside_of_the_logs(repository)
    judge(lived_through_kills(server, bus, go, repository, seed, kills=4), repository, bus.run)
    assert outside_of_the_logs(repository) == before


@pytest.mark.long
@pytest.mark.parametrize("round", range(5))
def test_a_scribe_killed_twenty_times_writes_every_entry_once(
    server: Server, bus: Bus, go: Go, repository: Path, seed: int, round: int
) -> None:
    judge(lived_through_kills(server, bus, go, repository, seed + round, kills=20), repository, bus.run)


def test_what_is_logged_can_be_read_while_it_happens(server: Server, bus: Bus, go: Go, repository: Path) -> None:
    with start(server, bus.run, repository, 5.0) as scribe:
        go(send(bus, [logged("driver-1", "One."), logged("driver-1", "Two.")]))
        following = FeedbackLog(repository / "feedback", "driver-1").follow(lambda: time.sleep(0.01))
        assert [next(following).text, next(following).text] == ["One.", "Two."]
        scribe.send_signal(signal.SIGTERM)
    assert (
        git(repository, "log", "--format=%an %s", "driver-1/log") == "driver-1 Log 2 entries, the last: progress T-7\n"
    )
