"""What is read off a journal."""

from __future__ import annotations

from demo_run import AT, BUG, journal

from callboard.bus.journal import DeadNote, JournalEntry
from callboard.bus.messages import (
    BlockerRaised,
    BlockerResolved,
    ChangesRequested,
    EvidenceSubmitted,
    FeedbackLogged,
    GateFinished,
    HandInRefused,
    MessageRefused,
    PromotionChanged,
    TaskAccepted,
    TaskAssigned,
    VerdictGiven,
)
from callboard.bus.task import Briefing, CommandResult, TaskSpec
from callboard.demo.story import GateFailure, Refusal, read_story

RED = (CommandResult(command="make test", exit_code=1, duration_s=1, digest=""),)


def assigned() -> TaskAssigned:
    return TaskAssigned(
        spec=TaskSpec(key="d/t", title="t", agent="driver-1"),
        briefing=Briefing(agent="driver-1", version=""),
        base="",
        start="",
    )


def verdict(vote: str) -> VerdictGiven:
    return VerdictGiven.model_validate({"review": "R", "commit": None, "requirements_hash": "", "vote": vote})


def test_setbacks_are_told_with_their_attempt() -> None:
    story = read_story(
        journal(
            [("gate", "T-1", GateFinished(purpose="evidence", verdict="red", commands=RED))],
            [("gate", "T-2", GateFinished(purpose="evidence", verdict="green"))],
            [("manager", "T-3", HandInRefused(rule="paths", path="Makefile", way_out=""))],
            [("senior", "T-4", verdict("needs_revision"))],
            [("junior-1", "T-4", verdict("approved"))],
            [("manager", "T-4", ChangesRequested(source="review", summary="", findings=(BUG,)))],
            [("manager", "T-5", ChangesRequested(source="gate", summary=""))],
        )
    )
    assert story.gate_failures == [GateFailure("T-1", 1, RED)]
    assert story.refusals == [Refusal("T-3", 1, "paths", "Makefile")]
    assert [(one.task, one.findings, one.votes) for one in story.rejections] == [
        ("T-4", (BUG,), {"senior": "needs_revision", "junior-1": "approved"})
    ]


def test_two_drivers_work_at_once_only_between_beginning_and_handing_in() -> None:
    accept, hand_in = TaskAccepted(), EvidenceSubmitted(head=None)
    story = read_story(
        journal(
            [("driver-1", "T-1", accept)],
            [("driver-2", "T-2", accept)],
            [("driver-1", "T-1", hand_in)],
            [("driver-2", "T-2", hand_in)],
            [("driver-1", "T-3", accept)],
        )
    )
    assert story.at_once == {frozenset({"T-1", "T-2"})}


def test_a_blocker_counts_what_its_agent_begins_until_the_task_comes_back() -> None:
    story = read_story(
        journal(
            [("driver-1", "T-3", TaskAccepted())],
            [("driver-1", "T-3", BlockerRaised(what="which?"))],
            [("driver-2", "T-9", TaskAccepted())],
            [("driver-1", "T-4", TaskAccepted())],
            [("manager", "T-3", BlockerResolved(blocker="which?", answer="that one"))],
            [("manager", "T-3", assigned())],
            [("driver-1", "T-3", TaskAccepted())],
            [("driver-1", "T-5", TaskAccepted())],
        )
    )
    (blocker,) = story.blockers
    assert (blocker.meanwhile, blocker.answer, blocker.came_back) == (("T-4",), "that one", True)


def test_a_log_has_to_have_what_its_agent_logged_and_nothing_else() -> None:
    mine = FeedbackLogged(log="driver-1", entry="task")
    story = read_story(
        journal(
            [("driver-1", "T-1", TaskAccepted()), ("driver-1", "T-1", mine)],
            [("driver-2", "T-1", mine)],
            [("driver-1", "T-1", mine)],
        )
    )
    assert story.logged == {"driver-1": ["run-1/1.2", "run-1/3.1"]}


def test_promotions_refused_messages_and_dead_letters_are_told() -> None:
    refused = MessageRefused(refused="1", refused_kind="task.assigned", refused_sender="driver-1", reason="may not")
    dead = JournalEntry(seq=9, at=AT, step="bury", dead=DeadNote(inbox="gate", reason="5 failures"))
    moved = PromotionChanged(target="main", old="a", new="b")
    story = read_story([*journal([("manager", "", refused)], [("manager", "", moved)]), dead])
    assert story.promoted == "b"
    assert story.oddities == ["task.assigned of driver-1 was refused: may not", "dead letter of gate: 5 failures"]
