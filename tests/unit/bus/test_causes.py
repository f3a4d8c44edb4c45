"""Trees from journals that are written out here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callboard.bus.causes import Causes, Traced
from callboard.bus.journal import DeadNote, JournalEntry, Step
from callboard.bus.messages import JOURNAL, Draft, Envelope, TaskProgressed

START = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)


class Journal:
    """Entries a second apart."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self._sent: dict[str, Envelope] = {}

    def add(self, step: Step, cause: str = "", *messages: str, dead: DeadNote | None = None) -> None:
        """Messages as `id`, `id@task` or `id>recipient`."""
        seq = len(self.entries) + 1
        sent = tuple(self._message(word, cause) for word in messages)
        at = START + timedelta(seconds=seq)
        self.entries.append(JournalEntry(seq=seq, at=at, step=step, cause=cause, messages=sent, dead=dead))

    def _message(self, word: str, cause: str) -> Envelope:
        rest, _, recipient = word.partition(">")
        id, _, task = rest.partition("@")
        draft = Draft(recipient or "manager", TaskProgressed(doing=id), task=task)
        self._sent[id] = made = draft.stamp(id=id, run="r", sender="x", now=START, cause=self._sent.get(cause))
        return made


@pytest.fixture
def journal() -> Journal:
    """T-1 is assigned, worked on (with an emit), and ends; its end assigns T-2, which nobody has handled yet."""
    made = Journal()
    made.add("send", "", "begin")
    made.add("commit", "begin", "assigned1@T-1")
    made.add("emit", "assigned1", "progress1@T-1", f"log1@T-1>{JOURNAL}")
    made.add("commit", "progress1")
    made.add("commit", "assigned1", "evidence1@T-1")
    made.add("commit", "evidence1", "assigned2@T-2")
    return made


def told(found: tuple[Traced, ...]) -> list[tuple[int, str]]:
    return [(each.depth, each.id) for each in found]


def test_a_tasks_messages_stand_below_what_they_came_from(journal: Journal) -> None:
    found = Causes(journal.entries).of_task("T-1")
    assert told(found) == [(0, "assigned1"), (1, "progress1"), (1, "evidence1")]
    assert [each.cause for each in found] == ["begin", "assigned1", "assigned1"]
    assert found[0].sent_at == START + timedelta(seconds=2)
    assert found[0].handled_at == START + timedelta(seconds=5)


def test_what_nobody_handled_has_no_time(journal: Journal) -> None:
    (waiting,) = Causes(journal.entries).of_task("T-2")
    assert waiting.handled_at is None
    assert waiting.cause == "evidence1"


def test_a_message_is_shown_with_where_it_came_from_and_all_it_led_to(journal: Journal) -> None:
    assert told(Causes(journal.entries).of_message("evidence1")) == [
        (0, "begin"),
        (1, "assigned1"),
        (2, "evidence1"),
        (3, "assigned2"),
    ]
    assert told(Causes(journal.entries).of_message("begin"))[-1] == (3, "assigned2")


def test_a_beginning_that_fits_several_gives_each_its_tree(journal: Journal) -> None:
    found = Causes(journal.entries).of_message("assigned")
    assert [each.id for each in found if each.depth == 0] == ["begin", "begin"]


def test_nothing_is_found_of_what_is_not_there(journal: Journal) -> None:
    assert Causes(journal.entries).of_task("T-9") == Causes(journal.entries).of_message("x") == ()


def test_a_dead_letter_says_why_until_it_is_sent_again(journal: Journal) -> None:
    note = DeadNote(inbox="driver-2", reason="5 failures")
    journal.add("bury", "assigned2", dead=note)
    assert [each.dead for each in Causes(journal.entries).of_task("T-2")] == ["5 failures"]
    journal.add("retry", "assigned2", dead=note)
    assert [each.dead for each in Causes(journal.entries).of_task("T-2")] == [""]


def test_a_chain_longer_than_the_stack_is_deep_is_told(journal: Journal) -> None:
    journal.add("send", "", "0")
    for n in range(5_000):
        journal.add("commit", str(n), str(n + 1))
    found = Causes(journal.entries).of_message("5000")
    assert (len(found), found[-1].depth) == (5_001, 5_000)
