"""Startup and shutdown entries are read off the board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callboard.agents.shift import Place, shutdown_entry, shutdown_facts, startup_entry, startup_facts
from callboard.bus.board import AgentDoc, BlockerDoc, Board, BriefingDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.messages import JOURNAL, FeedbackLogged
from callboard.bus.task import Briefing, TaskSpec


def task(number: int, state: TaskState, agent: str = "driver-1", head: str = "") -> TaskDoc:
    spec = TaskSpec(key=f"{agent}/t{number}", title=f"Title {number}", agent=agent)
    return TaskDoc(version=1, id=f"T-{number}", spec=spec, state=state, agent=agent, head=head)


BRIEFING = Briefing(
    agent="driver-1", version="00ff", path="directions/driver-1.md", locks=("NO_MOCKS",), canon=("docs/api.md",)
)
BOARD = Board(
    {
        "briefing:driver-1": BriefingDoc(version=1, briefing=BRIEFING),
        "task:T-1": task(1, TaskState.DONE, head="c" * 40),
        "task:T-2": task(2, TaskState.REVIEW, head="a" * 40),
        "task:T-3": task(3, TaskState.BLOCKED),
        "task:T-4": task(4, TaskState.QUEUED),
        "task:T-5": task(5, TaskState.QUEUED, agent="driver-2"),
        "task:T-6": task(6, TaskState.GATE),
        "blocker:B-1": BlockerDoc(version=1, id="B-1", agent="driver-1", what="no key"),
        "blocker:B-2": BlockerDoc(version=1, id="B-2", agent="driver-1", what="old", state="resolved"),
        "question:q-1": QuestionDoc(version=1, id="q-1", agent="driver-1", text="Which port?"),
        "question:q-2": QuestionDoc(version=1, id="q-2", agent="driver-2", text="Why?"),
    }
)


def test_a_startup_names_rules_version_canon_branch_and_open_work() -> None:
    assert startup_facts(BOARD, "driver-1", Place("driver-1/work", head="b" * 40)) == (
        "1. rules: NO_MOCKS",
        "2. direction: version `00ff`",
        "3. canon: docs/api.md",
        "4. branch: `driver-1/work` at `bbbbbbb`; open work: T-3 Title 3",
    )


def test_an_agent_without_a_direction_file_starts_too() -> None:
    facts = startup_facts(Board(), "senior", Place("senior/log"))
    assert facts[1] == "2. direction: no direction file"
    assert facts[3] == "4. branch: `senior/log`, no commit yet; open work: none"


def test_a_shutdown_names_the_seven_steps() -> None:
    assert shutdown_facts(BOARD, "driver-1", Place("driver-1/work", "b" * 40, ("app.py",))) == (
        "1. done: T-1 Title 1",
        "2. evidence: T-1 `ccccccc`; T-2 `aaaaaaa`, not landed yet; T-6 without code, not landed yet",
        "3. blockers: B-1 no key",
        "4. uncommitted work: `app.py`",
        "5. questions: q-1 Which port?",
        "6. branch: `driver-1/work` at `bbbbbbb`",
        "7. next: T-4 Title 4",
    )


def test_what_ended_before_its_startup_is_no_part_of_a_shutdown() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    at = {"T-1": noon - timedelta(hours=1), "T-2": noon}
    tasks = {
        f"task:{id}": task(int(id[2:]), TaskState.DONE).model_copy(update={"changed_at": when})
        for id, when in at.items()
    }
    board = Board({"agent:driver-1": AgentDoc(version=1, name="driver-1", since=noon), **tasks})
    facts = shutdown_facts(board, "driver-1", Place("driver-1/work"))
    assert facts[:2] == ("1. done: T-2 Title 2", "2. evidence: T-2 without code")


def test_both_entries_go_to_the_agents_own_log_alone() -> None:
    for draft, kind in (
        (startup_entry("driver-1", ["a"]), "startup"),
        (shutdown_entry("driver-1", ["a"], "stopped"), "shutdown"),
    ):
        assert draft.recipient == JOURNAL
        assert isinstance(draft.body, FeedbackLogged)
        assert (draft.body.log, draft.body.entry, draft.body.facts) == ("driver-1", kind, ("a",))
