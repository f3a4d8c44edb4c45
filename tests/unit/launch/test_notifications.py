"""What people are told, read off the journal; and how it waits until a service has taken it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from boards import NOW, board_of, question_doc, run_doc, task_doc

from callboard.agents.deployment.events import Event, Rules, StepEnded, WentBack
from callboard.agents.deployment.flow import advance
from callboard.bus.board import BudgetDoc, Doc
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.envelope import Draft
from callboard.bus.journal import BoardChange, DeadNote, JournalEntry, Step
from callboard.bus.messages import Body, RosterChanged
from callboard.launch.notifications import LONGEST, Notification, Told, follow, open_questions, short
from callboard.launch.outbox import IN_ONE, LONGEST_WAIT_S, MOST, Outbox, Patience, Waiting, letter


def entry(
    seq: int = 1, *, step: Step = "commit", dead: DeadNote | None = None, body: Body | None = None, **docs: Doc
) -> JournalEntry:
    changes = tuple(BoardChange(field=name.replace("__", ":"), doc=doc.model_dump_json()) for name, doc in docs.items())
    sent = (
        (
            Draft("manager", body).stamp(
                id=f"{seq:08x}-0000-7000-8000-000000000000", run="r", sender="launcher", now=NOW
            ),
        )
        if body
        else ()
    )
    return JournalEntry(seq=seq, at=NOW, step=step, changes=changes, dead=dead, messages=sent)


def said(told: Told, *entries: JournalEntry) -> list[Notification]:
    found: list[Notification] = []
    for one in entries:
        told, fresh = follow(told, one)
        found += fresh
    assert not entries or told.seq == entries[-1].seq
    return found


def note(number: int) -> Notification:
    return Notification(f"k{number}", "run", f"title {number}", f"text {number}")


# --- what is told ---


def test_a_question_is_told_once_with_how_to_answer_it() -> None:
    asked = question_doc(3, "T-1", "Which?", options=("yes", "no"), default="no", deadline=NOW, may_answer=("lead",))
    answered = asked.model_copy(update={"version": 2, "state": "answered"})
    [found] = said(Told(), entry(1, question__q3=asked), entry(2, question__q3=answered))
    assert (found.key, found.event, found.title) == ("q-3 asked", "question", "q-3 (T-1) needs an answer")
    assert "Which?\nAnswer (as lead): callboard answer q-3 yes, or with no\nBy itself it takes 'no' at " in found.text


def test_an_option_can_be_typed_as_it_is_shown() -> None:
    asked = question_doc(3, "T-1", "Which?", options=("take 80 & go", "$(id)"))
    [found] = said(Told(), entry(1, question__q3=asked))
    assert found.text.endswith("Answer: callboard answer q-3 'take 80 & go', or with '$(id)'")


def test_a_question_that_is_overdue_is_told_again_as_such() -> None:
    overdue = question_doc(3, "T-1", "Which?", version=2, is_overdue=True)
    [found] = said(Told(), entry(1, question__q3=overdue))
    assert (found.key, found.title) == ("q-3 overdue", "q-3 is overdue")


def test_a_spent_budget_is_told_as_a_budget_with_how_to_raise_it() -> None:
    [found] = said(Told(), entry(1, question__q1=question_doc(1, "", "The budget of the run is spent.", scope="run")))
    assert (found.event, found.title) == ("budget", "q-1: the budget of the run is spent")
    assert 'callboard answer q-1 "..."' in found.text


def test_most_of_a_cap_is_told_once_for_each_cap_however_often_the_document_changes() -> None:
    budget = BudgetDoc(version=1, noticed={"run tokens": 5_000_000})
    more = budget.model_copy(update={"version": 3, "noticed": {"run tokens": 6_000_000, "task:T-3 minutes": 60}})
    found = said(Told(), entry(1, budget=budget), entry(2, budget=budget), entry(3, budget=more))
    assert [one.title for one in found] == [
        "the run has used 80 % of its tokens",
        "the run has used 80 % of its tokens",
        "T-3 has used 80 % of its minutes",
    ]
    assert len({one.key for one in found}) == 3


@pytest.mark.parametrize(
    ("state", "reason", "title"),
    [
        ("succeeded", "", "run run-1 has succeeded"),
        ("failed", "requires_human_review", "run run-1 has failed: requires_human_review"),
        ("paused", "provider", "run run-1 is paused: provider"),
        ("paused", "operator", None),
        ("paused", "budget", None),
        ("paused", "question", None),
        ("paused", "approval", None),
        ("running", "", None),
    ],
)
def test_a_run_that_ends_or_is_paused_by_no_person_is_told_once(state: str, reason: str, title: str | None) -> None:
    run = run_doc(state=state, reason=reason)
    again = run.model_copy(update={"version": 9, "gate_failures": 3})
    found = said(Told(run="running"), entry(1, run=run), entry(2, run=again))
    assert [one.title for one in found] == ([title] if title else [])


def test_a_run_that_fails_a_second_time_is_told_a_second_time_under_another_key() -> None:
    failed, running = run_doc(state="failed"), run_doc(state="running")
    found = said(Told(), entry(1, run=failed), entry(2, run=running), entry(3, run=failed))
    assert len({one.key for one in found}) == 2


def test_a_dead_letter_and_an_agent_that_is_down_are_told() -> None:
    dead = DeadNote(inbox="driver-1", reason="it failed 5 times")
    down = RosterChanged(agents={}, down=("driver-2",), reason="it died 5 times")
    letter_, agent = said(Told(), entry(7, step="bury", dead=dead), entry(8, body=down))
    assert (letter_.key, letter_.event) == ("dead 7", "dead-letter")
    assert "callboard dead show 7" in letter_.text
    assert (agent.event, agent.title) == ("agent-down", "driver-2 is down")
    assert said(Told(), entry(8, body=RosterChanged(agents={"driver-2": "driver"}))) == []


GREEN = DeploymentDoc(
    version=1, id="d-3", environment="production", commit="c" * 40, release="r-3", blue="r-2", by="Ada"
)
RULES = Rules(canary=(100,), asks=False, fixes=5)


def led(doc: DeploymentDoc, *events: Event, **values: object) -> list[Notification]:
    """What is told of all documents on the way; `values`: what the desk adds to the last one."""
    entries = [entry(1, deployment__d3=doc)]
    for event in events:
        doc = advance(doc, event, RULES).doc
        last = doc.model_copy(update=values) if event is events[-1] else doc
        entries.append(entry(len(entries) + 1, deployment__d3=last))
    return said(Told(), *entries)


def test_a_rollback_is_told_once_it_has_ended_with_the_reason_and_what_is_next() -> None:
    watched = GREEN.model_copy(update={"state": "promoting", "step": "shift"})
    failed, gone = StepEnded("shift", "failed", "errors: 9 %"), StepEnded("roll_back", "passed")
    [found] = led(watched, failed, gone, task="T-9")
    assert (found.key, found.event, found.title) == ("d-3 rolled back", "rollback", "d-3 is rolled back in production")
    assert found.text.startswith("shift: errors: 9 %\nNext: development; T-9 was opened for it.")
    [wanted] = led(watched, WentBack("Ada wanted it"), gone)
    assert "Ada wanted it\nNext: retry. Once the reason is seen to, `callboard deploy --env production`" in wanted.text


def test_green_that_could_not_be_taken_away_is_told_with_the_rollback() -> None:
    going = GREEN.model_copy(update={"state": "rolled_back", "step": "roll_back", "reason": "slow", "next": "retry"})
    [found] = led(going, *[StepEnded("roll_back", "failed", "no answer")] * 3)
    assert "slow; and Green could not be taken away: no answer" in found.text


def test_a_release_that_was_brought_back_is_told_and_one_that_did_not_come_is_told_as_rolled_back() -> None:
    coming = GREEN.model_copy(update={"kind": "restore", "state": "baking", "step": "finish"})
    [back] = led(coming, StepEnded("finish", "passed"))
    assert (back.event, back.title) == ("rollback", "production is back at commit cccccccccccc (d-3)")
    assert back.text.startswith("Ada wanted the release before.")
    [not_back] = led(coming, StepEnded("finish", "failed", "gone"), StepEnded("roll_back", "passed"))
    assert "`callboard rollback --env production`" in not_back.text
    assert led(GREEN.model_copy(update={"state": "baking", "step": "finish"}), StepEnded("finish", "passed")) == []


def test_whoever_begins_to_be_told_in_the_middle_hears_of_open_questions_and_nothing_else_that_is_past() -> None:
    board = board_of(
        run_doc(state="failed"),
        task_doc(1, "One"),
        question_doc(1, "T-1", "A?", state="answered"),
        question_doc(2, "T-1", "B?"),
    )
    told = Told.of(board, 40)
    assert [one.key for one in open_questions(board)] == ["q-2 asked"]
    assert said(told, entry(41, run=run_doc(state="failed", version=5))) == []


@pytest.mark.parametrize("text", ["@everyone look", "<!channel> look", "@HERE", "<@U123>"])
def test_hostile_text_calls_nobody(text: str) -> None:
    clean = short(text)
    assert text not in clean
    assert clean.replace("\u200b", "") == text


def test_hostile_text_ends_and_turns_nothing_round() -> None:
    assert short("a\u202eb\x1b[31m\x07") == "a b [31m"
    assert len(short("x" * 10_000)) == LONGEST


# --- how it waits ---


def test_what_waits_survives_in_its_file_and_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "notify" / "r.json"
    assert Outbox.load(path) is None
    outbox = Outbox(Told(7, "running", ("run tokens 5",)))
    outbox.take(["a", "b"], [note(1)])
    outbox.save(path)
    assert Outbox.load(path) == outbox
    path.write_text('{"told": {}}')
    assert Outbox.load(path) is None


def test_the_same_event_again_waits_once_and_each_service_forgets_its_own() -> None:
    outbox = Outbox()
    outbox.take(["a", "b"], [note(1), note(2)])
    outbox.take(["a", "b"], [note(2)])
    outbox.waiting["a"].delivered((note(1), note(2)))
    assert [len(outbox.waiting[name].notifications) for name in "ab"] == [0, 2]
    outbox.keep_only(["a"])
    assert list(outbox.waiting) == ["a"]


def test_whoever_dies_between_sending_and_saving_sends_it_again_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notify" / "r.json"
    outbox = Outbox()
    outbox.take(["a"], [note(1)])
    outbox.save(path)
    outbox.waiting["a"].delivered([note(1)])  # sent; it dies before it saves
    after = Outbox.load(path)
    assert after is not None
    after.take(["a"], [note(1), note(2)])  # its journal is read again from where it was
    assert after.waiting["a"].notifications == [note(1), note(2)]
    after.waiting["a"].delivered([note(1), note(2)])
    after.save(path)
    last = Outbox.load(path)
    assert last is not None
    assert last.waiting["a"].notifications == []


def test_what_came_while_a_message_was_sent_stays() -> None:
    waiting = Waiting([note(1)])
    sent = tuple(waiting.notifications)
    waiting.add([note(2)])
    waiting.delivered(sent)
    assert waiting.notifications == [note(2)]


def test_one_event_is_a_message_of_its_own_and_a_flood_becomes_one_message() -> None:
    assert letter("shop", Waiting([note(1)])) == ("[shop] title 1", "text 1")
    waiting = Waiting()
    waiting.add(note(number) for number in range(MOST + 100))
    assert len(waiting.notifications) == MOST
    title, text = letter("shop", waiting)
    assert title == f"[shop] {MOST + 100} things happened"
    assert text.count("* title") == IN_ONE
    assert f"and {MOST + 100 - IN_ONE} earlier: " in text
    assert f"title {MOST + 99}" in text


def test_a_dead_service_is_tried_ever_more_seldom_and_said_to_be_so_once() -> None:
    patience, now, gaps = Patience(every_s=30.0), 0.0, []
    assert patience.is_due(now)
    firsts = []
    for _ in range(40):
        firsts.append(patience.failed(now))
        gap = next(step for step in range(1, 1000) if patience.is_due(now + step))
        gaps.append(gap)
        now += gap
    assert gaps[:3] == [5, 10, 20]
    assert gaps[-1] == LONGEST_WAIT_S
    assert firsts.count(True) == 1
    patience.went(now)
    assert not patience.is_due(now + 29)
    assert patience.is_due(now + 30)
    assert patience.failed(now + 30)


def test_now_is_not_used_for_keys() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    one = entry(7, step="bury", dead=DeadNote(inbox="a"))
    assert said(Told(), one)[0].key == said(Told(), one.model_copy(update={"at": at}))[0].key
