from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callboard.bus.board import AgentDoc, Change
from callboard.bus.errors import NotAllowed
from callboard.bus.keys import Keys
from callboard.bus.messages import (
    JOURNAL,
    Draft,
    Envelope,
    FeedbackLogged,
    Outcome,
    TaskCancelled,
    TaskProgressed,
    Timer,
    emitted_id,
    outcome_id,
)
from callboard.bus.parcel import pack_emitted, pack_outcome
from callboard.bus.timer_keys import timer_key

NOW = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
ID = "0193a1b2-0000-7000-8000-000000000001"


@pytest.fixture
def handled() -> Envelope:
    draft = Draft("driver-1", TaskCancelled(reason="test"), task="T-7", attempt=2)
    return draft.stamp(id=ID, run="r", sender="manager", now=NOW)


def progress(recipient: str = "manager") -> Draft:
    return Draft(recipient, TaskProgressed(doing="x"))


def test_the_same_outcome_is_the_same_parcel(handled: Envelope) -> None:
    outcome = Outcome(messages=(progress(), progress(JOURNAL)), timers=(Timer(timedelta(seconds=1), progress()),))
    assert pack_outcome(outcome, handled, sender="driver-1", now=NOW) == pack_outcome(
        outcome, handled, sender="driver-1", now=NOW
    )


def test_what_follows_belongs_to_the_task_attempt_and_trace_of_its_cause(handled: Envelope) -> None:
    parcel = pack_outcome(Outcome(messages=(progress(),)), handled, sender="driver-1", now=NOW)
    [(envelope, raw)] = parcel.messages
    assert (envelope.id, envelope.in_reply_to, envelope.sender) == (outcome_id(ID, 0), ID, "driver-1")
    assert (envelope.task, envelope.attempt, envelope.trace) == ("T-7", 2, handled.trace)
    assert Envelope.decode(raw) == envelope


def test_timers_have_ids_after_the_messages(handled: Envelope) -> None:
    outcome = Outcome(messages=(progress(),), timers=(Timer(timedelta(seconds=1.5), progress()),))
    parcel = pack_outcome(outcome, handled, sender="driver-1", now=NOW)
    [(after_ms, begins, raw)] = parcel.timers
    assert (after_ms, begins, Envelope.decode(raw).id) == (1_500, "", outcome_id(ID, 1))


@pytest.mark.parametrize("key", ["k", 'a "quoted" \\ key', "ünlike\n"])
def test_a_timers_key_can_be_read_from_how_its_message_begins(handled: Envelope, key: str) -> None:
    outcome = Outcome(timers=(Timer(timedelta(0), progress(), key),), cancelled=(key,))
    parcel = pack_outcome(outcome, handled, sender="driver-1", now=NOW)
    [(_, begins, raw)] = parcel.timers
    assert raw.startswith(begins)
    assert (timer_key(raw), parcel.cancelled) == (begins, (begins,))
    assert Envelope.decode(raw).id == outcome_id(ID, 0)
    assert timer_key(raw.replace(begins, "{", 1)) == ""


def test_a_second_delivery_and_a_second_emission_have_other_ids(handled: Envelope) -> None:
    first, again, later = (
        pack_emitted([progress()], handled, deliveries, n, sender="driver-1", now=NOW).messages[0][0].id
        for deliveries, n in ((1, 0), (2, 0), (1, 1))
    )
    assert (first, again, later) == (emitted_id(ID, 1, 0), emitted_id(ID, 2, 0), emitted_id(ID, 1, 1))
    assert len({first, again, later, outcome_id(ID, 0)}) == 4


def test_each_inbox_is_one_key_and_the_journal_is_none(handled: Envelope) -> None:
    outcome = Outcome(messages=(progress("a"), progress("b"), progress(JOURNAL), progress("a")))
    parcel = pack_outcome(outcome, handled, sender="driver-1", now=NOW)
    keys = Keys("r")
    assert parcel.destinations(keys) == [keys.inbox("a"), keys.inbox("b")]
    count, *rows = parcel.message_args(keys)
    assert (count, rows[::2]) == (3, [1, 2, 1])


def test_a_change_is_sent_with_the_version_it_replaces_at_the_front_of_its_document(handled: Envelope) -> None:
    outcome = Outcome(changes=(Change("agent:x", AgentDoc(version=4)),), guards=(("manager", 2),))
    parcel = pack_outcome(outcome, handled, sender="manager", now=NOW)
    count, field, expected, doc = parcel.change_args()
    assert (count, field, expected) == (1, "agent:x", 3)
    assert str(doc).startswith('{"version":4,')
    assert parcel.guard_args() == [1, "manager", 2]


def test_one_field_changed_twice_is_a_mistake(handled: Envelope) -> None:
    change = Change("agent:x", AgentDoc(version=1))
    with pytest.raises(ValueError, match="twice"):
        pack_outcome(Outcome(changes=(change, change)), handled, sender="manager", now=NOW)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(JOURNAL, FeedbackLogged(log="driver-2", entry="task")),
        Draft("manager", FeedbackLogged(log="driver-1", entry="task")),
    ],
)
def test_only_ones_own_log_is_written_and_only_through_the_journal(handled: Envelope, draft: Draft) -> None:
    with pytest.raises(NotAllowed):
        pack_emitted([draft], handled, 1, 0, sender="driver-1", now=NOW)
