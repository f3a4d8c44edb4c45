"""What changed between two boards, in one line each: the plain progress of `callboard launch`; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from callboard.bus.board import (
    AgentDoc,
    BlockerDoc,
    Board,
    BriefingDoc,
    IntentDoc,
    ProblemDoc,
    QuestionDoc,
    TaskDoc,
    TaskState,
)
from callboard.bus.caps import What, called, shown
from callboard.bus.deployments import DeploymentDoc, deployment_field
from callboard.bus.states import NOTICE
from callboard.cli.plain import one_line, stated
from callboard.launch.notifications import answering

LONGEST = 240
"""Characters: three lines of a small terminal. Findings of reviewers are longer."""
LONGEST_NEED = 140
"""Characters of a question's end that stay: what the manager asks of a person after reviews that lead nowhere."""
SPELLED_OUT = 6
"""New tasks, and notes on direction files, that are named one by one."""
QUIET = frozenset({TaskState.ASSIGNED, TaskState.APPROVED})
"""States a task passes through at once: the next one says more."""

_SAID = {
    TaskState.WORKING: "{agent} works on it{again}",
    TaskState.GATE: "handed in, at the gate",
    TaskState.REVIEW: "gate is green, in review",
    TaskState.MERGING: "approved, merging",
    TaskState.CHANGES_REQUESTED: "sent back",
    TaskState.QUEUED: "queued",
    TaskState.BLOCKED: "blocked",
}


def news(before: Board, after: Board) -> list[str]:
    """Everything a person would want to hear of, in the order in which it is easiest to follow."""
    parts = (_directions, _agents, _tasks, _landings, _deployments, _budget, _needs, _run)
    return [short(line) for part in parts for line in part(before, after)]


def opening(board: Board) -> list[str]:
    """How things stand when somebody begins to listen; that it starts, a launch has said already."""
    tasks = board.tasks()
    done = sum(task.state is TaskState.DONE for task in tasks)
    stand = f"run {board.run.id} is {stated(board.run.state, board.run.reason)}" + (
        f": {done} of {len(tasks)} tasks done" if tasks else ""
    )
    stands = () if board.run.state == "created" and not tasks else (stand,)
    return [short(line) for line in (*stands, *_needs(Board(), board))] if board.run.version else []


def short(text: str) -> str:
    """One line that a person reads at a glance; the whole stands in the feedback logs."""
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]} …"


def odd_directions(board: Board) -> list[str]:
    """What is odd in the direction files of the roster, as they were last read; a few lines."""
    agents = [agent.name for agent in board.all(AgentDoc) if agent.role]
    docs = [board.get(f"briefing:{name}", BriefingDoc) for name in agents]
    notes = [short(f"note: {problem}") for doc in docs for problem in doc.problems]
    left = len(notes) - SPELLED_OUT
    return [*notes[:SPELLED_OUT], *([f"{left} more notes: `callboard directions check`"] if left > 0 else [])]


def _directions(before: Board, after: Board) -> Iterator[str]:
    was = odd_directions(before)
    yield from (note for note in odd_directions(after) if note not in was)


def _both_ends(text: str, room: int) -> str:
    """A question may be as long as it likes: what it needs stands at its end."""
    line, end = one_line(text), min(LONGEST_NEED, room * 3 // 4)
    return line if len(line) <= room or end < 1 else f"{line[: room - end - 3]} … {line[-end:]}"


def _agents(before: Board, after: Board) -> Iterator[str]:
    for agent in after.all(AgentDoc):
        was = before.get(f"agent:{agent.name}", AgentDoc)
        if was.state == agent.state:
            continue
        if agent.state == "down":
            yield f"{agent.name} is down: {agent.doing}"
        elif was.state in ("absent", "down") and agent.state != "absent":
            yield f"{agent.name} is at work"
        elif agent.state == "absent" and was.version and was.state != "absent":
            yield f"{agent.name} has stopped"


def _tasks(before: Board, after: Board) -> Iterator[str]:
    fresh = [task for task in after.tasks() if not before.task(task.id).version]
    waiting = [task for task in fresh if task.state is TaskState.QUEUED]
    if waiting:
        yield f"{len(waiting)} {'task' if len(waiting) == 1 else 'tasks'} queued: {_span(waiting)}"
    known = [task for task in fresh if task.state is TaskState.DONE]
    if known:
        yield f"{len(known)} done in an earlier run: {_span(known)}"
    said = {task.id for task in (*waiting, *known)}
    for task in after.tasks():
        was = before.task(task.id)
        if task.id not in said and (was.version == 0 or (was.state, was.attempt) != (task.state, task.attempt)):
            yield from _state(task)


def _state(task: TaskDoc) -> Iterator[str]:
    if task.state in QUIET or (task.state is TaskState.DONE and task.landed):
        return
    again = f" (attempt {task.attempt})" if task.attempt > 1 else ""
    said = _SAID.get(task.state, task.state.value).format(agent=task.agent, again=again)
    reason = f": {task.reason}" if task.reason else ""
    yield f"{task.id} {task.task.title}: {said}{reason}"


def _landings(before: Board, after: Board) -> Iterator[str]:
    for intent in after.all(IntentDoc):
        was = before.get(f"intent:{intent.id}", IntentDoc)
        if intent.state == "finished" and was.state != "finished":
            for id in intent.tasks:
                title = f" {task.title}" if (task := after.task(id).spec) else ""
                yield f"{id}{title}: landed, {after.run.integration} is at {intent.new[:12]}"


def _deployments(before: Board, after: Board) -> Iterator[str]:
    for doc in after.all(DeploymentDoc):
        was = before.get(deployment_field(doc.id), DeploymentDoc)
        if (was.state, was.fixes, was.ended_at) == (doc.state, doc.fixes, doc.ended_at):
            continue
        facts = doc.history[-1].facts if doc.history else ()
        last = "; ".join(fact for fact in facts if not fact.startswith("`"))  # commands stand in the logs
        why = doc.reason or (doc.problem if doc.state == "fixing" else last)
        why = "" if was.state == doc.state and was.reason == doc.reason != "" else why
        yield f"{doc.id} {doc.environment}: {doc.stands}" + (f": {why}" if why else "")


def _needs(before: Board, after: Board) -> Iterator[str]:
    for blocker in after.all(BlockerDoc):
        was = before.get(f"blocker:{blocker.id}", BlockerDoc)
        if blocker.state == "resolved" and was.state == "open" and was.version:
            yield f"{blocker.id} of {blocker.task} is resolved: {blocker.answer}"
    for problem in after.all(ProblemDoc):
        was_there = before.get(f"problem:{problem.id}", ProblemDoc)
        if problem.consult and problem.consult != was_there.consult:
            yield f"{problem.blocker} of {problem.task}: {', '.join(problem.asked)} asked"
    for question in after.all(QuestionDoc):
        was_asked = before.get(f"question:{question.id}", QuestionDoc)
        if question.state == "open" and not was_asked.version:
            head = f"{question.id} needs an answer ({answering(question)}): "
            yield head + _both_ends(question.text, LONGEST - len(head))
        elif was_asked.state == "open" and (question.state, question.is_overdue) != ("open", was_asked.is_overdue):
            yield from _no_longer_open(question)


def _no_longer_open(question: QuestionDoc) -> Iterator[str]:
    if question.is_overdue:
        yield f"{question.id} is overdue: nobody has answered, and it has no default"
    elif question.is_default:
        yield f"{question.id} takes its default: {question.answer}"
    elif question.state == "closed":
        yield f"{question.id} needs no answer any more: {question.closed_for}"


def _budget(before: Board, after: Board) -> Iterator[str]:
    for key, cap in after.budget.noticed.items():
        if before.budget.noticed.get(key) != cap:
            scope, _, what = key.rpartition(" ")
            yield f"{called(scope)} has used {NOTICE} % of its budget of {shown(cast(What, what), cap)}"


def _run(before: Board, after: Board) -> Iterator[str]:
    if after.run.promoted != before.run.promoted:
        yield f"{after.run.target} promoted to {after.run.promoted[:12]}"
    if after.run.state != before.run.state:
        verb = "has" if after.run.state in ("succeeded", "failed") else "is"
        stands = stated(after.run.state, after.run.reason)
        yield f"run {after.run.id} {verb} {stands}" + (f": {after.run.detail}" if after.run.detail else "")


def _span(tasks: list[TaskDoc]) -> str:
    names = [task.id for task in tasks]
    return ", ".join(names) if len(names) <= SPELLED_OUT else f"{names[0]}, {names[1]}, ... {names[-1]}"
