"""What the demo promises to show, held against what happened; pure."""

from __future__ import annotations

from collections.abc import Iterable

from callboard.bus.board import Board, GateDoc, IntentDoc, TaskDoc, TaskState
from callboard.bus.task import Finding
from callboard.demo.deploy_checks import deploy_checks
from callboard.demo.evidence import Check, Evidence, counted
from callboard.demo.story import Blocker, GateFailure, Refusal, Rejection

LEAST_TASKS = 6
DRIVERS = 2


def check(evidence: Evidence) -> tuple[Check, ...]:
    """Every promise, in the order in which it reads best."""
    return (
        _tasks(evidence),
        _gate(evidence),
        _review(evidence),
        _blocker(evidence),
        _intake(evidence),
        _no_code(evidence),
        _merges(evidence),
        *deploy_checks(evidence),
        _promotion(evidence),
        _logs(evidence),
    )


def _tasks(evidence: Evidence) -> Check:
    tasks = evidence.board.tasks()
    done = [task for task in tasks if task.state is TaskState.DONE]
    drivers = sorted({task.agent for task in done})
    holds = len(done) == len(tasks) >= LEAST_TASKS and len(drivers) >= DRIVERS and bool(evidence.story.at_once)
    at_once = "who worked at the same time" if evidence.story.at_once else "one after the other"
    return Check("tasks", f"{len(done)} of {len(tasks)} done by {' and '.join(drivers) or 'nobody'}, {at_once}.", holds)


def _gate(evidence: Evidence) -> Check:
    for failure in evidence.story.gate_failures:
        task = evidence.board.task(failure.task)
        if evidence.landed_later(task, failure.attempt):
            return Check("gate", _failed(evidence, task, failure), True)
    return Check("gate", "No evidence failed the gate and landed after it was redone.", False)


def _failed(evidence: Evidence, task: TaskDoc, failure: GateFailure) -> str:
    red = next((command for command in failure.commands if not command.passed), None)
    own = " Its own check had passed." if red and red.command not in task.task.checks else ""
    why = f": `{red.command}` exited {red.exit_code}" if red else ""
    return (
        f"{task.agent}'s evidence for {evidence.title(task.id)} failed the project's gate{why}.{own} "
        f"It was redone, and attempt {task.attempt} landed."
    )


def _review(evidence: Evidence) -> Check:
    for rejection in evidence.story.rejections:
        task = evidence.board.task(rejection.task)
        proven = [one for one in rejection.findings if one.severity == "major" and one.verified]
        if proven and evidence.landed_later(task, rejection.attempt):
            return Check("review", _found(evidence, task, rejection, proven[0]), True)
    return Check("review", "No review sent a proven bug back that was then mended.", False)


def _found(evidence: Evidence, task: TaskDoc, rejection: Rejection, bug: Finding) -> str:
    approvals = sum(vote == "approved" for vote in rejection.votes.values())
    by = ", ".join(name for name, vote in rejection.votes.items() if vote == "needs_revision")
    return (
        f"{by} found a real bug in {evidence.title(task.id)}, at {bug.file}:{bug.line}, which every test had passed: "
        f"{bug.scenario.partition('. ')[0].rstrip('.')}. {counted(approvals, 'approval')} could not outvote it; "
        f"attempt {task.attempt} landed."
    )


def _blocker(evidence: Evidence) -> Check:
    for blocker in evidence.story.blockers:
        task = evidence.board.task(blocker.task)
        if blocker.answer and blocker.meanwhile and blocker.came_back and task.state is TaskState.DONE:
            return Check("blocker", _resolved(evidence, blocker), True)
    return Check("blocker", "No blocker was resolved by an answer while its driver worked on.", False)


def _resolved(evidence: Evidence, blocker: Blocker) -> str:
    return (
        f"{blocker.agent} could not go on with {evidence.title(blocker.task)} and began {blocker.meanwhile[0]} instead. "
        f"The answer, given meanwhile, brought {blocker.task} back, and it is done."
    )


def _intake(evidence: Evidence) -> Check:
    for refusal in evidence.story.refusals:
        task = evidence.board.task(refusal.task)
        kept_out = refusal.path not in evidence.traces.files
        if refusal.rule == "paths" and kept_out and evidence.landed_later(task, refusal.attempt):
            return Check("intake", _refused(evidence, task, refusal), True)
    return Check("intake", "Nothing outside a task's paths was refused and then put right.", False)


def _refused(evidence: Evidence, task: TaskDoc, refusal: Refusal) -> str:
    return (
        f"{task.agent} had also written `{refusal.path}`, which {evidence.title(task.id)} may not touch: "
        f"nothing of it was taken in. Attempt {task.attempt} landed without it."
    )


def _no_code(evidence: Evidence) -> Check:
    for task in evidence.board.tasks():
        if task.state is TaskState.DONE and task.attempt and not task.head and not task.landed:
            said = (
                f"{evidence.title(task.id)} changed nothing: it was accepted on its evidence, and nothing was merged."
            )
            return Check("no code", said, True)
    return Check("no code", "No task was accepted on its evidence alone.", False)


def _merges(evidence: Evidence) -> Check:
    board, line = evidence.board, evidence.traces.line
    intents = {intent.new: intent for intent in board.all(IntentDoc) if intent.state == "finished"}
    landed = {task.landed for task in board.tasks() if task.landed}
    unproven = [one.commit[:12] for one in line if not _is_green(board, intents.get(one.commit), one.tree)]
    holds = bool(line) and not unproven and {one.commit for one in line} == landed
    where = f"{counted(len(line), 'commit')} on {board.run.integration}"
    if holds:
        return Check("merges", f"{where}, each with a green gate for exactly its tree.", True)
    return Check(
        "merges", f"{where}; without a green gate: {', '.join(unproven) or 'none'}; landed: {len(landed)}.", False
    )


def _is_green(board: Board, intent: IntentDoc | None, tree: str) -> bool:
    if intent is None or intent.tree != tree:
        return False
    verdict = board.get(intent.verdict, GateDoc)
    return verdict.verdict == "green" and verdict.tree == tree and bool(verdict.version)


def _promotion(evidence: Evidence) -> Check:
    run, traces = evidence.board.run, evidence.traces
    holds = bool(traces.line) and traces.line[-1].commit == traces.target == evidence.story.promoted
    if holds and not traces.changed:
        return Check("promotion", f"{run.target} is at {traces.target[:12]} now, and its checkout with it.", True)
    return Check(
        "promotion", f"{run.target} is at {traces.target[:12]}, with {len(traces.changed)} files changed.", False
    )


def _logs(evidence: Evidence) -> Check:
    logs, logged = evidence.traces.logs, evidence.story.logged
    wrong = [agent for agent, log in logs.items() if list(log.entries) != logged.get(agent) or not log.on_branch]
    trouble = [*(f"the log of {agent} is not what it logged" for agent in wrong), *evidence.story.oddities]
    if trouble or not logs:
        return Check("logs", f"{_sentence(trouble)}.", False)
    count = sum(len(log.entries) for log in logs.values())
    return Check(
        "logs",
        f"{counted(len(logs), 'agent')} wrote {count} entries, each once, and kept on branches of their own.",
        True,
    )


def _sentence(parts: Iterable[str]) -> str:
    return "; ".join(parts) or "there are none"
