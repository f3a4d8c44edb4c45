"""How tasks join the board, change while they wait, and leave it."""

from __future__ import annotations

from callboard.agents.manager import closing
from callboard.agents.manager.decision import Decision, is_untouched, newest
from callboard.bus.board import ENDED, AgentDoc, BriefingDoc, TaskDoc, TaskState
from callboard.bus.messages import DirectionFile, DirectionsRead
from callboard.bus.task import TaskSpec


def directions_read(decision: Decision, body: DirectionsRead) -> None:
    """Fold all direction files as they stand now into the board."""
    decision.put_run(awaits_directions=False)
    for file in body.files:
        _brief(decision, file, is_read=file.briefing.path not in body.unreadable)
        for spec in file.tasks:
            fold_task(decision, spec, body.landed.get(spec.key, ""))
    _drop_removed(decision, body)


def fold_task(decision: Decision, spec: TaskSpec, landed_digest: str = "") -> None:
    """A new task joins, one that has not started is updated, one that has started finishes as it was given; one that
    ended comes again once its text has changed, one that was removed once it is back."""
    known = newest(decision.board).get(spec.key)
    if known is None:
        add_task(decision, spec, already_done=spec.digest == landed_digest)
    elif known.removed:
        closing.reopen(decision)
        decision.put_task(known, spec=spec, state=TaskState.QUEUED, removed=False, queued_at=decision.now)
    elif known.state in ENDED and known.task.digest != spec.digest:
        add_task(decision, spec)
    elif is_untouched(known):
        if known.rests and not spec.standing:
            decision.cancel(closing.rest_of(known))
        not_before = known.not_before if spec.standing else None
        decision.put_task(known, spec=spec, not_before=not_before, rests=known.rests and spec.standing)
    elif spec.digest not in (known.task.digest, known.edited):
        known = decision.put_task(known, edited=spec.digest)
        facts = [f"{spec.source.file}:{spec.source.line} was edited; the task goes on as it was given"]
        facts.append("what it says now is done as another task, when directions are next read after this one's end")
        decision.log("task", "finishes as it was given", facts, task=known)


def add_task(decision: Decision, spec: TaskSpec, *, already_done: bool = False) -> TaskDoc:
    run = decision.board.run
    task = TaskDoc(id=f"T-{run.next_task}", spec=spec, queued_at=decision.now, changed_at=decision.now)
    decision.put_run(next_task=run.next_task + 1)
    if already_done:
        return decision.put_task(task, state=TaskState.DONE, reason="done in an earlier run, and its text is the same")
    closing.reopen(decision)
    return decision.put_task(task)


def _brief(decision: Decision, file: DirectionFile, *, is_read: bool) -> None:
    """Keep what the file says for all its tasks; of one that cannot be read, what it said last."""
    name = f"briefing:{file.briefing.agent}"
    known = decision.board.get(name, BriefingDoc)
    briefing = file.briefing if is_read else known.briefing
    if known.briefing == briefing and known.problems == file.problems:
        return
    decision.put(name, BriefingDoc(briefing=briefing, problems=file.problems))
    path = file.briefing.path or "directions"
    if is_read:
        title, facts = (
            f"read {path}, version {file.briefing.version}",
            [f"{len(file.tasks)} {'task' if len(file.tasks) == 1 else 'tasks'}"],
        )
    else:
        title, facts = f"could not read {path}", ["its tasks stay as they are"]
    decision.log("task", title, [*facts, *file.problems])


def _drop_removed(decision: Decision, body: DirectionsRead) -> None:
    named = {spec.key for file in body.files for spec in file.tasks}
    for task in decision.board.tasks():
        source = task.task.source
        if source.kind != "direction" or source.file in body.unreadable or task.task.key in named:
            continue
        if _is_read(decision, task) and (is_untouched(task) or task.state is TaskState.SKIPPED):
            task = closing.cancel(decision, task, TaskState.CANCELLED, f"it is no longer in {source.file}")
            decision.put_task(task, removed=True)


def _is_read(decision: Decision, task: TaskDoc) -> bool:
    """The files of agents that have left the roster are not read; what they held open goes to others."""
    return decision.board.get(f"agent:{task.task.agent}", AgentDoc).role != ""
