"""The first and the last entry of an agent's log: what it starts with, and what it leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from callboard.bus.board import HELD_BY_AGENT, AgentDoc, BlockerDoc, Board, BriefingDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged
from callboard.feedback import facts

_JUDGED = frozenset({TaskState.GATE, TaskState.REVIEW, TaskState.APPROVED, TaskState.MERGING})
_NEXT = HELD_BY_AGENT | {TaskState.QUEUED, TaskState.CHANGES_REQUESTED}
_OPEN = HELD_BY_AGENT | {TaskState.BLOCKED, TaskState.CHANGES_REQUESTED}


@dataclass(frozen=True, slots=True)
class Place:
    """What an agent's own branch and clone hold."""

    branch: str
    """The branch it commits to, such as `driver-1/work`."""
    head: str = ""
    """Where that branch is; "" before its first commit."""
    uncommitted: tuple[str, ...] = ()
    """Paths of its clone that are in no commit."""

    def __str__(self) -> str:
        return f"`{self.branch}` at `{self.head[:7]}`" if self.head else f"`{self.branch}`, no commit yet"


def startup_facts(board: Board, agent: str, place: Place) -> tuple[str, ...]:
    """The four startup steps, from the board as it is when the agent starts."""
    briefing = board.get(f"briefing:{agent}", BriefingDoc).briefing
    return facts.startup_facts(
        rules=briefing.locks if briefing else (),
        direction_version=briefing.version if briefing else "",
        canon=briefing.canon if briefing else (),
        branch=str(place),
        open_work=_names(board, agent, _OPEN),
    )


def startup_entry(agent: str, facts: Sequence[str]) -> Draft:
    """The entry for the agent's own log; `agent.started` carries the same facts."""
    return Draft(JOURNAL, FeedbackLogged(log=agent, entry="startup", title="at work", facts=tuple(facts)))


def shutdown_facts(board: Board, agent: str, place: Place) -> tuple[str, ...]:
    """The seven shutdown steps, from the board as it is when the agent stops."""
    done = [task for task in _tasks(board, agent) if task.state is TaskState.DONE and _ended_since(board, agent, task)]
    judged = [task for task in _tasks(board, agent) if task.state in _JUDGED]
    return facts.shutdown_facts(
        done=[f"{task.id} {task.task.title}" for task in done],
        evidence=[*map(_handed_in, done), *(f"{_handed_in(task)}, not landed yet" for task in judged)],
        blockers=[f"{doc.id} {doc.what}" for doc in board.all(BlockerDoc) if _is_open(doc, agent)],
        uncommitted=place.uncommitted,
        questions=[f"{doc.id} {doc.text}" for doc in board.all(QuestionDoc) if _is_open(doc, agent)],
        branch=str(place),
        next_up="; ".join(_names(board, agent, _NEXT)[: facts.SHOWN]),
    )


def shutdown_entry(agent: str, facts: Sequence[str], reason: str) -> Draft:
    """The entry for the agent's own log.

    Args:
        reason: Why it stops, such as `the roster was stopped`.
    """
    return Draft(JOURNAL, FeedbackLogged(log=agent, entry="shutdown", title=reason, facts=tuple(facts)))


def _tasks(board: Board, agent: str) -> Iterable[TaskDoc]:
    """What it works on or last worked on, and what waits for it."""
    return (task for task in board.tasks() if (task.agent or task.task.agent) == agent)


def _ended_since(board: Board, agent: str, task: TaskDoc) -> bool:
    """Since the agent's startup."""
    started = board.get(f"agent:{agent}", AgentDoc).since
    return started is None or task.changed_at is None or task.changed_at >= started


def _handed_in(task: TaskDoc) -> str:
    return f"{task.id} `{task.head[:7]}`" if task.head else f"{task.id} without code"


def _names(board: Board, agent: str, states: Collection[TaskState]) -> list[str]:
    return [f"{task.id} {task.task.title}" for task in _tasks(board, agent) if task.state in states]


def _is_open(doc: BlockerDoc | QuestionDoc, agent: str) -> bool:
    return doc.agent == agent and doc.state == "open"
