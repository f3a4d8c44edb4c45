"""What a journal is as spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from boards import task_doc

from callboard.bus.board import TaskState
from callboard.bus.body import Body
from callboard.bus.caps import OpenCall, Spent
from callboard.bus.envelope import parent_id, task_trace, trace_id
from callboard.bus.journal import BoardChange, JournalEntry, PaidCall
from callboard.bus.messages import AttemptFailed, Draft, Envelope, TaskAssigned, new_id
from callboard.bus.task import Briefing
from callboard.telemetry.spans import Span, Spans, span_id

START = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)


class Journal:
    """Entries a second apart, and the spans that they end."""

    def __init__(self) -> None:
        self.spans = Spans(
            "r", {"anthropic:claude-opus-4-5": ("anthropic", "claude-opus-4-5")}, frozenset({"driver-2"})
        )
        self.seq = 0
        self.told: list[Span] = []

    def take(self, **values: object) -> None:
        self.seq += 1
        at = START + timedelta(seconds=self.seq)
        entry = JournalEntry.model_validate({"seq": self.seq, "at": at, "step": "commit", **values})
        self.told += self.spans.take(entry)


def message(body: Body, sender: str, recipient: str, cause: Envelope | None = None) -> Envelope:
    draft = Draft(recipient, body, task="T-1", attempt=1)
    return draft.stamp(id=new_id(), run="r", sender=sender, now=START, cause=cause)


def assigned() -> Envelope:
    spec = task_doc(1, "Greet by the secret name").task
    briefing = Briefing(agent="driver-1", version="1")
    return message(TaskAssigned(spec=spec, briefing=briefing, base="b", start="b"), "manager", "driver-1")


def changed(state: TaskState) -> tuple[BoardChange, ...]:
    return (BoardChange(field="task:T-1", doc=task_doc(1, "Greet", state).model_dump_json()),)


def test_a_task_its_attempt_and_a_call_are_one_trace_of_spans_within_each_other() -> None:
    journal, request = Journal(), assigned()
    call = OpenCall(id="c1", agent="driver-1", task="T-1", model="anthropic:claude-opus-4-5", tokens=9, micro_usd=9)
    paid = Spent(calls=1, input_tokens=7, output_tokens=2, cached_tokens=3, micro_usd=100_000)
    answer = message(AttemptFailed(reason="the secret reason", cause="brain"), "driver-1", "manager", request)
    journal.take(messages=(request,), changes=changed(TaskState.ASSIGNED))
    journal.take(step="reserve", call=call)
    journal.take(step="settle", paid=PaidCall(call=call, paid=paid))
    journal.take(sender="driver-1", cause=request.id, messages=(answer,))
    journal.take(cause=answer.id, changes=changed(TaskState.FAILED))
    chat, attempt, root = journal.told
    trace = task_trace("r", "T-1")
    assert {span.trace for span in journal.told} == {trace_id(trace)}
    assert (root.id, root.parent, attempt.parent, chat.parent) == (parent_id(trace), "", root.id, attempt.id)
    assert [(span.name, span.agent, span.error) for span in journal.told] == [
        ("chat claude-opus-4-5", "driver-1", ""),
        ("attempt T-1", "driver-1", "brain"),
        ("task T-1", "manager", "failed"),
    ]
    assert [(span.begins - START, span.ends - START) for span in journal.told] == [
        (timedelta(seconds=2), timedelta(seconds=3)),
        (timedelta(seconds=1), timedelta(seconds=4)),
        (timedelta(seconds=1), timedelta(seconds=5)),
    ]
    assert chat.attributes == {
        "callboard.run": "r",
        "callboard.agent": "driver-1",
        "callboard.task": "T-1",
        "callboard.attempt": 1,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-4-5",
        "gen_ai.agent.name": "driver-1",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "callboard.cost_usd": "0.1",
    }
    assert "secret" not in str(journal.told)


def test_what_is_told_twice_is_the_same_span_twice() -> None:
    first, again, request = Journal(), Journal(), assigned()
    for journal in (first, again):
        journal.take(messages=(request,))
        journal.take(sender="driver-1", cause=request.id)
    assert first.told == again.told
    assert first.told[0].id == span_id(request.id)


def test_what_is_not_handled_yet_is_no_span_and_what_was_buried_has_failed() -> None:
    journal, request = Journal(), assigned()
    journal.take(messages=(request,), changes=changed(TaskState.ASSIGNED))
    journal.take(step="emit", sender="driver-1", cause=request.id)
    assert journal.told == []
    journal.take(step="bury", sender="driver-1", cause=request.id)
    assert [span.error for span in journal.told] == ["given_up"]


@pytest.mark.parametrize(
    ("agent", "priced_as", "told"),
    [
        ("driver-1", "anthropic:claude-opus-4-5", [("anthropic", "claude-opus-4-5", "refused")]),
        ("driver-1", "openai:gpt-5.2", [("openai", "gpt-5.2", "refused")]),
        ("driver-1", "qwen3:8b", [("unknown", "qwen3:8b", "refused")]),
        ("driver-2", "openai:gpt-5.2", []),
    ],
)
def test_a_call_that_was_refused_is_an_error_and_one_that_a_command_line_never_made_is_nothing(
    agent: str, priced_as: str, told: list[tuple[str, str, str]]
) -> None:
    journal = Journal()
    call = OpenCall(id="c1", agent=agent, task="T-1", model=priced_as, tokens=9, micro_usd=9)
    journal.take(step="reserve", call=call)
    journal.take(step="settle", paid=PaidCall(call=call, paid=Spent()))
    assert [
        (span.attributes["gen_ai.provider.name"], span.attributes["gen_ai.request.model"], span.error)
        for span in journal.told
    ] == told
    assert all("callboard.cost_usd" not in span.attributes for span in journal.told)


def test_what_nobody_knows_the_price_of_has_no_cost() -> None:
    journal = Journal()
    call = OpenCall(id="c1", agent="driver-1", task="T-1", model="m", tokens=9, micro_usd=None)
    journal.take(step="settle", paid=PaidCall(call=call, paid=Spent(calls=1, input_tokens=1, unpriced=1)))
    assert ["callboard.cost_usd" in span.attributes for span in journal.told] == [False]


def test_a_task_that_nobody_was_sent_begins_when_its_state_says_so_and_one_that_nobody_began_is_no_span() -> None:
    journal = Journal()
    for state in (TaskState.QUEUED, TaskState.BLOCKED, TaskState.SKIPPED):
        journal.take(changes=changed(state))
    assert journal.told == []
    for state in (TaskState.QUEUED, TaskState.GATE, TaskState.BLOCKED, TaskState.REVIEW, TaskState.DONE):
        journal.take(changes=changed(state))
    [root] = journal.told
    assert (root.name, root.begins - START, root.ends - START) == (
        "task T-1",
        timedelta(seconds=5),
        timedelta(seconds=8),
    )
