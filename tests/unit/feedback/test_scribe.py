"""The scribe writes every logged entry once, in its own agent's log, and brings it to that agent's branch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from feedback_world import (
    NOON,
    RUN,
    MemoryHistory,
    MemoryJournal,
    anybody_may,
    entries_in,
    ids_of,
    journalled,
    logged,
    long_journal,
    verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from callboard.bus.errors import BusError, GitError, WorkspaceError
from callboard.bus.journal import JournalEntry
from callboard.bus.known_secrets import KnownSecret
from callboard.bus.messages import ConsultAnswered, Draft, MessageRefused, SynthesisGiven, VoteGiven
from callboard.bus.problems import Advice
from callboard.bus.redaction import Redactor
from callboard.bus.reviews import Synthesis
from callboard.feedback.log import FeedbackLog
from callboard.feedback.scribe import Scribe

SECRET = "tr0ub4dor-and-3-staples"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def scribe(folder: Path, history: MemoryHistory | None = None, clock: Clock | None = None, **options: int) -> Scribe:
    made = history or MemoryHistory()
    return Scribe(
        RUN, folder, made, may_send=anybody_may, clock=clock or Clock(), rotate_bytes=options.get("rotate", 10**6)
    )


def log(folder: Path, agent: str) -> FeedbackLog:
    return FeedbackLog(folder, agent)


def test_an_entry_goes_to_its_senders_log_under_its_place_in_the_journal(tmp_path: Path) -> None:
    scribe(tmp_path).fold(journalled(12, verdict("senior"), logged("driver-1", "I did it.", kind="evidence")))
    (entry,) = log(tmp_path, "driver-1").entries()
    assert (str(entry.id), entry.kind, entry.task, entry.title, entry.text) == (
        "r1/12.2",
        "evidence",
        "T-7",
        "works",
        "I did it.",
    )
    assert entry.at == NOON.replace(second=12)


def test_a_title_that_begins_with_the_task_names_it_once(tmp_path: Path) -> None:
    sender, draft = logged("manager")
    body = draft.body.model_copy(update={"title": "T-7 Add it: landed"})
    scribe(tmp_path).fold(journalled(1, (sender, type(draft)("journal", body, "T-7", 1))))
    assert "· T-7 Add it: landed <!--" in (tmp_path / "manager.md").read_text()


def test_the_same_entry_again_changes_nothing(tmp_path: Path) -> None:
    step = journalled(1, logged("driver-1"), logged("driver-1"))
    first = scribe(tmp_path)
    first.fold(step)
    first.fold(step)
    scribe(tmp_path).fold(step)
    assert ids_of(log(tmp_path, "driver-1")) == ["r1/1.1", "r1/1.2"]


def sizes(folder: Path) -> dict[int, int]:
    return {path.stat().st_ino: path.stat().st_size for path in folder.glob("*.md")}


@given(st.data(), st.integers(0, 10**6))
def test_a_scribe_that_ends_anywhere_is_followed_by_one_that_writes_the_rest_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seed: int
) -> None:
    """Whatever was written after the last sync may be cut off too, at any byte; and a branch may be behind."""
    folder = tmp_path_factory.mktemp("feedback")
    journal = long_journal(seed, 12, ["driver-1", "senior"], "senior")
    history = MemoryHistory()
    for end in [*data.draw(st.lists(st.integers(0, 12), max_size=4)), 12]:
        running, safe = scribe(folder, history, rotate=700), sizes(folder)
        for step in journal[:end]:
            running.fold(step)
            if data.draw(st.booleans()):
                running.commit()
                safe = sizes(folder)
        for path in folder.glob("*.md"):
            size = path.stat().st_size
            os.truncate(path, data.draw(st.integers(min(safe.get(path.stat().st_ino, 0), size), size)))
    last = scribe(folder, history, rotate=700)
    for step in journal:
        last.fold(step)
    last.commit()
    for agent in ("driver-1", "senior"):
        assert ids_of(log(folder, agent)) == entries_in(journal, agent)
        tree = history.branches.get(f"{agent}/log", {})
        assert {name: text for name, text in tree.items() if name.startswith("feedback/")} == {
            f"feedback/{path.relative_to(folder)}": path.read_bytes()
            for path in sorted(folder.rglob("*.md"))
            if path.name.startswith(agent)
        }
    kept = {name for name in history.branches.get("senior/log", {}) if name.startswith("reviews/")}
    given = [step.seq for step in journal if any(message.kind == "verdict.given" for message in step.messages)]
    assert kept == {f"reviews/T-7-1-T-7-{seq}-1.md" for seq in given}


def test_files_that_were_deleted_are_written_again_from_the_journal(tmp_path: Path) -> None:
    journal = long_journal(1, 10, ["driver-1"], "senior")
    for _ in range(2):
        running = scribe(tmp_path)
        for step in journal:
            running.fold(step)
        assert ids_of(log(tmp_path, "driver-1")) == entries_in(journal, "driver-1")
        (tmp_path / "driver-1.md").unlink()


# --- refusals -------------------------------------------------------------------------------------------


def test_an_entry_for_another_agents_log_is_refused(tmp_path: Path) -> None:
    (refusal,) = scribe(tmp_path).fold(journalled(1, logged("driver-1", log="driver-2"), logged("driver-2")))
    assert (refusal.envelope.sender, refusal.reason) == ("driver-1", "driver-1 may not write to the log of driver-2")
    assert ids_of(log(tmp_path, "driver-2")) == ["r1/1.2"]
    assert not (tmp_path / "driver-1.md").exists()


@pytest.mark.parametrize("sender", ["../driver-1", "README", "a/b", ""])
def test_a_sender_whose_name_is_no_file_of_its_own_is_refused(tmp_path: Path, sender: str) -> None:
    (refusal,) = scribe(tmp_path / "feedback").fold(journalled(1, logged(sender, log=sender or "x")))
    assert refusal.envelope.sender == sender
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_that_was_told_is_not_told_again_by_the_next_scribe(tmp_path: Path) -> None:
    """However long ago it was: the server forgets after a day what was recorded already."""
    steps = [journalled(1, logged("driver-1", log="driver-2")), journalled(2, logged("driver-1"))]
    assert [len(running.fold(step)) for running in [scribe(tmp_path)] for step in steps] == [1, 0]
    assert [len(running.fold(step)) for running in [scribe(tmp_path)] for step in steps] == [0, 0]


def test_a_refusal_of_the_very_step_that_was_written_last_is_told_again(tmp_path: Path) -> None:
    """Its scribe may have been killed before it could tell; the server knows whether it did."""
    step = journalled(1, logged("driver-1", log="driver-2"), logged("driver-1"))
    assert [len(running.fold(step)) for running in (scribe(tmp_path), scribe(tmp_path))] == [1, 1]


def test_who_may_not_log_is_refused_and_keeps_what_it_logged_while_it_might(tmp_path: Path) -> None:
    journal = [journalled(1, logged("driver-1")), journalled(2, logged("driver-1"))]
    scribe(tmp_path).fold(journal[0])
    history = MemoryHistory()
    later = Scribe(RUN, tmp_path, history, may_send=lambda sender, kind: False, clock=Clock())
    assert later.fold(journal[0]) == ()
    assert [refusal.envelope.sender for refusal in later.fold(journal[1])] == ["driver-1"]
    later.commit()
    assert ids_of(log(tmp_path, "driver-1")) == ["r1/1.1"]
    assert "feedback/driver-1.md" in history.branches["driver-1/log"]


def test_a_verdict_of_somebody_who_may_give_none_is_no_document(tmp_path: Path) -> None:
    history = MemoryHistory()
    running = Scribe(RUN, tmp_path, history, may_send=lambda sender, kind: sender == "senior", clock=Clock())
    running.fold(journalled(1, verdict("driver-1"), verdict("senior")))
    running.commit()
    assert list(history.branches) == ["senior/log"]


async def folded(journal: MemoryJournal, running: Scribe) -> None:
    """Run a scribe over everything a journal has, and end it."""
    stop = asyncio.Event()
    stop.set()
    await running.run(journal, stop)


def test_a_refusal_is_recorded_once_over_restarts(tmp_path: Path) -> None:
    journal = MemoryJournal(journalled(1, logged("driver-1", log="driver-2")), journalled(2, logged("driver-1")))
    asyncio.run(folded(journal, scribe(tmp_path)))
    asyncio.run(folded(journal, scribe(tmp_path)))
    (refused,) = [body for body in journal.sent().values() if isinstance(body, MessageRefused)]
    assert refused.refused == journal.steps[0].messages[0].id
    assert (refused.refused_sender, refused.refused_kind) == ("driver-1", "feedback.logged")


# --- branches -------------------------------------------------------------------------------------------


def test_a_commit_brings_log_archive_and_documents_and_says_how_far(tmp_path: Path) -> None:
    history = MemoryHistory()
    running = scribe(tmp_path, history, rotate=1)
    for seq in (1, 2):
        running.fold(journalled(seq, logged("senior"), verdict("senior", f"T-7.{seq}.1")))
    running.commit()
    assert set(history.branches["senior/log"]) == {
        "feedback/archive/senior.1.md",
        "feedback/senior.md",
        "reviews/T-7-1-T-7-1-1.md",
        "reviews/T-7-1-T-7-2-1.md",
    }
    assert history.messages["senior/log"] == [
        "Log 4 entries, the last: reviews/T-7-1-T-7-2-1.md\n\nJournal-Seq: r1/2",
    ]


def test_what_is_said_after_the_first_round_and_to_consults_is_in_the_branch_too(tmp_path: Path) -> None:
    of = {"review": "T-7.1.1", "commit": None, "requirements_hash": "ab12"}
    vote = VoteGiven.model_validate({**of, "vote": "approved", "notes": f"the key is {SECRET}"})
    made = SynthesisGiven.model_validate({**of, "synthesis": Synthesis(summary="fine")})
    advice = ConsultAnswered(consult="B-1.trio", advice=Advice(says="cannot_say"))
    said = [
        (name, Draft("manager", body, "T-7", 1)) for name in ("senior", "driver-1") for body in (vote, made, advice)
    ]
    history = MemoryHistory()
    running = Scribe(
        RUN,
        tmp_path,
        history,
        may_send=lambda sender, kind: sender == "senior",
        clock=Clock(),
        redactor=Redactor([KnownSecret("KEY", SECRET)]),
    )
    running.fold(journalled(1, *said))
    running.commit()
    assert list(history.branches) == ["senior/log"], "a driver may say nothing of it"
    pages = history.branches["senior/log"]
    names = ["consults/T-7-1-B-1-trio.md", "reviews/T-7-1-T-7-1-1-synthesis.md", "reviews/T-7-1-T-7-1-1-vote.md"]
    assert sorted(pages) == names
    assert SECRET.encode() not in pages[names[-1]]


def test_a_log_that_was_moved_to_the_archive_and_not_begun_again_is_not_in_the_branch_twice(tmp_path: Path) -> None:
    history = MemoryHistory()
    killed = scribe(tmp_path, history)
    killed.fold(journalled(1, logged("senior")))
    killed.commit()
    (tmp_path / "archive").mkdir()
    (tmp_path / "senior.md").rename(tmp_path / "archive/senior.1.md")
    running = scribe(tmp_path, history)
    running.fold(journalled(1, logged("senior")))
    running.fold(journalled(2, verdict("senior", "T-7.2.1")))
    running.commit()
    assert history.branches["senior/log"]["feedback/senior.md"] == b""
    assert b"r1/1.1" in history.branches["senior/log"]["feedback/archive/senior.1.md"]


def test_a_commit_with_nothing_new_is_none(tmp_path: Path) -> None:
    history = MemoryHistory()
    for running in (scribe(tmp_path, history), scribe(tmp_path, history)):
        running.fold(journalled(1, logged("driver-1")))
        running.commit()
        running.commit()
    assert len(history.messages["driver-1/log"]) == 1


def test_a_branch_behind_its_file_is_committed_once_the_journal_is_read_that_far(tmp_path: Path) -> None:
    history = MemoryHistory()
    steps = [journalled(seq, logged("senior"), verdict("senior", f"T-7.{seq}.1")) for seq in (1, 2)]
    killed = scribe(tmp_path, history)
    for step in steps:
        killed.fold(step)
    running = scribe(tmp_path, history)
    running.fold(steps[0])
    running.commit()
    assert history.messages == {}
    running.fold(steps[1])
    running.commit()
    assert [message.rpartition(" ")[2] for message in history.messages["senior/log"]] == ["r1/2"]
    assert len(history.branches["senior/log"]) == 3


def test_a_trailer_of_an_earlier_run_says_nothing_about_this_one(tmp_path: Path) -> None:
    history = MemoryHistory({"driver-1/log": {}}, {"driver-1/log": ["Log\n\nJournal-Seq: r0/999"]})
    running = scribe(tmp_path, history)
    running.fold(journalled(1, logged("driver-1")))
    running.commit()
    assert history.messages["driver-1/log"][1:] == ["Log 1 entry, the last: progress T-7\n\nJournal-Seq: r1/1"]


def test_a_branch_that_cannot_be_written_waits_and_the_files_go_on(tmp_path: Path) -> None:
    broken = GitError("`git update-ref` failed", argv=(), exit_code_of_git=128, stderr="")
    history = MemoryHistory(broken=broken)
    running = scribe(tmp_path, history)
    running.fold(journalled(1, logged("driver-1")))
    running.commit()
    running.fold(journalled(2, logged("driver-1")))
    history.broken = None
    running.commit()
    assert ids_of(log(tmp_path, "driver-1")) == ["r1/1.1", "r1/2.1"]
    assert history.messages["driver-1/log"] == ["Log 2 entries, the last: progress T-7\n\nJournal-Seq: r1/2"]


# --- running --------------------------------------------------------------------------------------------


@dataclass
class Telling(MemoryHistory):
    """Tells who waits for it that something was committed."""

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.told = asyncio.Event()

    def commit(self, branch: str, files: Mapping[str, bytes], message: str, author: str, at: datetime) -> None:
        super().commit(branch, files, message, author, at)
        self.loop.call_soon_threadsafe(self.told.set)


def test_what_is_in_the_journal_when_it_stops_is_folded_and_committed(tmp_path: Path) -> None:
    history = MemoryHistory()
    journal = MemoryJournal(*(journalled(seq, logged("driver-1")) for seq in range(1, 30)))
    running = scribe(tmp_path, history)
    asyncio.run(folded(journal, running))
    assert running.seq == 29
    assert len(ids_of(log(tmp_path, "driver-1"))) == 29
    assert history.messages["driver-1/log"] == ["Log 29 entries, the last: progress T-7\n\nJournal-Seq: r1/29"]


class Shrinking(MemoryJournal):
    """Counts an entry that it does not have, as a server does from whose journal it was deleted."""

    def __init__(self, clock: Clock, *steps: JournalEntry) -> None:
        super().__init__(*steps)
        self._clock = clock

    async def seq(self) -> int:
        self._clock.now += 20.0
        return 3


@pytest.mark.timeout(30)
def test_a_stop_does_not_wait_for_ever_for_an_entry_that_is_gone(tmp_path: Path) -> None:
    clock = Clock()
    journal = Shrinking(clock, journalled(1, logged("driver-1")), journalled(2, logged("driver-1")))
    with pytest.raises(BusError, match="entries 3 to 3 of the journal do not come"):
        asyncio.run(folded(journal, scribe(tmp_path, clock=clock)))
    assert len(ids_of(log(tmp_path, "driver-1"))) == 2


def test_entries_that_come_within_five_seconds_are_one_commit_without_any_stop(tmp_path: Path) -> None:
    async def scenario() -> None:
        history, clock, stop = Telling(), Clock(), asyncio.Event()
        journal = MemoryJournal(journalled(1, logged("driver-1")), journalled(2, logged("driver-1")))
        async with asyncio.TaskGroup() as group:
            group.create_task(scribe(tmp_path, history, clock).run(journal, stop))
            await journal.waited_for.wait()
            assert history.messages == {}
            clock.now = 5.0
            journal.add(journalled(3, logged("driver-1")))
            await history.told.wait()
            assert ids_of(log(tmp_path, "driver-1")) == ["r1/1.1", "r1/2.1", "r1/3.1"]
            assert len(history.messages["driver-1/log"]) == 1
            stop.set()
        assert len(history.messages["driver-1/log"]) == 1

    asyncio.run(scenario())


def test_a_scribe_that_is_cancelled_commits_what_it_wrote(tmp_path: Path) -> None:
    async def scenario() -> None:
        history, journal = MemoryHistory(), MemoryJournal(journalled(1, logged("driver-1")))
        running = asyncio.create_task(scribe(tmp_path, history).run(journal, asyncio.Event()))
        await journal.waited_for.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert len(history.messages["driver-1/log"]) == 1

    asyncio.run(scenario())


def test_a_log_that_cannot_be_written_ends_the_scribe_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "feedback").write_text("a file")
    with pytest.raises(WorkspaceError, match="could not write"):
        asyncio.run(folded(MemoryJournal(journalled(1, logged("driver-1"))), scribe(tmp_path / "feedback")))
