"""Boards for tests of what people see: built document by document, as the desk leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from callboard.bus.board import (
    AgentDoc,
    BlockerDoc,
    Board,
    Doc,
    IntentDoc,
    ProblemDoc,
    QuestionDoc,
    RunDoc,
    TaskDoc,
    TaskState,
)
from callboard.bus.task import Source, TaskSpec

NOW = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
BASE = "b" * 40
ROSTER: Mapping[str, str] = {
    "manager": "manager",
    "driver-1": "driver",
    "driver-2": "driver",
    "senior": "reviewer",
    "junior-1": "reviewer",
    "junior-2": "reviewer",
}


def run_doc(**values: object) -> RunDoc:
    doc = RunDoc(
        version=1,
        id="run-1",
        state="running",
        base=BASE,
        head=BASE,
        integration="callboard/run-1",
        target="main",
        created_at=NOW - timedelta(minutes=4),
    )
    return doc.model_copy(update=values)


def agent_doc(name: str, **values: object) -> AgentDoc:
    doc = AgentDoc(version=1, name=name, role=ROSTER.get(name, "driver"), state="idle", pid=100, host="here", since=NOW)
    return doc.model_copy(update=values)


def task_doc(number: int, title: str, state: TaskState = TaskState.QUEUED, **values: object) -> TaskDoc:
    spec_values = {name: values.pop(name) for name in tuple(values) if name in TaskSpec.model_fields}
    agent = str(spec_values.pop("agent", "driver-1"))
    spec = TaskSpec(
        key=f"{agent}/{title.lower().replace(' ', '-')}",
        number=number,
        title=title,
        agent=agent,
        source=Source(kind="direction", file=f"directions/{agent}.md", line=10 * number),
    ).model_copy(update=spec_values)
    doc = TaskDoc(version=1, id=f"T-{number}", spec=spec, state=state, queued_at=NOW, changed_at=NOW)
    given_out = {"agent": agent} if values.get("attempt") else {}
    return doc.model_copy(update={**given_out, **values})


def question_doc(number: int, task: str, text: str, **values: object) -> QuestionDoc:
    doc = QuestionDoc(version=1, id=f"q-{number}", task=task, agent="driver-1", text=text, asked_at=NOW)
    return doc.model_copy(update=values)


def blocker_doc(number: int, task: str, what: str, **values: object) -> BlockerDoc:
    doc = BlockerDoc(
        version=1, id=f"B-{number}", task=task, agent="driver-1", what=what, question=f"q-{number}", raised_at=NOW
    )
    return doc.model_copy(update=values)


def intent_doc(number: int, task: str, **values: object) -> IntentDoc:
    new = f"{number:040x}"[::-1]
    doc = IntentDoc(
        version=1, id=f"I-{number}", tasks=(task,), old=BASE, new=new, tree="e" * 40, state="finished", at=NOW
    )
    return doc.model_copy(update=values)


def board_of(*docs: Doc) -> Board:
    """A board with these documents, each under its own field."""
    return Board(dict(_field(doc) for doc in docs))


def roster(**states: AgentDoc) -> Iterable[AgentDoc]:
    """The usual six, idle but for the ones given by name (`driver_1=...`)."""
    return [states.get(name.replace("-", "_"), agent_doc(name)) for name in ROSTER]


def _field(doc: Doc) -> tuple[str, Doc]:
    match doc:
        case RunDoc():
            return "run", doc
        case AgentDoc():
            return f"agent:{doc.name}", doc
        case TaskDoc():
            return f"task:{doc.id}", doc
        case QuestionDoc():
            return f"question:{doc.id}", doc
        case BlockerDoc():
            return f"blocker:{doc.id}", doc
        case ProblemDoc():
            return f"problem:{doc.id}", doc
        case IntentDoc():
            return f"intent:{doc.id}", doc
    raise TypeError(f"no field for {type(doc).__name__}")
