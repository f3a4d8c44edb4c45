"""Caps: of most of one a person is told, at the cap a person is asked, and raising it lets go what waited. Pure.

What calls cost is counted on the bus; the manager's watch says when it has come to something. The desk itself counts
attempts, as it hands them out, and minutes: each minute of a running manager in which something was in hand counts once
for the run, and for each task that a driver or its reviewers had in hand, its tier, and each of those agents.
"""

from __future__ import annotations

from collections.abc import Sequence

from callboard.agents.manager import closing, dispatch, gate_runs, questions, requests, seats
from callboard.agents.manager.decision import MANAGER, Decision, hands_out, was_stopped
from callboard.agents.manager.moot import has_ended
from callboard.agents.manager.worked_time import in_hand
from callboard.bus.board import ENDED, HELD_BY_AGENT, AgentDoc, Board, BudgetDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.caps import (
    RUN,
    Exhausted,
    Limits,
    Reached,
    Worked,
    agent_scope,
    called,
    is_much,
    read_amount,
    shown,
    tier_scopes,
)
from callboard.bus.messages import TaskCancelled, TaskClosed
from callboard.bus.task import OwnCaps

STOP = "stop"
"""What a person answers who does not raise a cap."""


def limits_told(decision: Decision, limits: Limits) -> list[str]:
    """What callboard.toml says now counts, also over what a person had raised where it says something new.

    Returns:
        Scopes that have room again.
    """
    before = decision.board.budget
    raised = {scope: _where_unchanged(own, before.limits, limits, scope) for scope, own in before.raised.items()}
    decision.put_budget(limits=limits, raised=raised)
    found = [scope for scope, known in before.exhausted.items() if _cap(decision.board, scope, known) > known.used]
    for scope in found:
        _lift(decision, scope, "raised in callboard.toml")
    return found


def _where_unchanged(own: OwnCaps, before: Limits, now: Limits, scope: str) -> OwnCaps:
    was, is_ = before.of(scope), now.of(scope)
    per_task = before.tier_gate_runs_per_task, now.tier_gate_runs_per_task
    same = {
        name: value
        for name, value in own.model_dump(exclude_none=True).items()
        if getattr(was, name, per_task[0]) == getattr(is_, name, per_task[1])
    }
    return OwnCaps.model_validate(same)


def _cap(board: Board, scope: str, known: Exhausted) -> int:
    if known.what == "gate_runs":
        return gate_runs.cap(board, scope)
    return board.caps(scope).of(known.what)


# --- what is used ----------------------------------------------------------------------------------


def minute_passed(decision: Decision) -> None:
    scopes = in_hand(decision.board)
    worked = dict(decision.board.budget.worked)
    for scope in scopes:
        known = worked.get(scope, Worked())
        worked[scope] = known.model_copy(update={"minutes": known.minutes + 1})
    decision.put_budget(worked=worked)
    for scope in scopes:
        cap = decision.board.caps(scope).minutes
        _weigh(decision, Reached(scope=scope, what="minutes", used=worked[scope].minutes, cap=cap))


def counted(decision: Decision, reached: Sequence[Reached]) -> None:
    """What calls have cost has come to something; held against the caps as they are now."""
    for each in reached:
        _weigh(decision, each.model_copy(update={"cap": decision.board.caps(each.scope).of(each.what)}))


def refused(decision: Decision, reached: Reached) -> None:
    """A call was not made. Where the cap was raised meanwhile, the same is simply tried again."""
    if decision.board.caps(reached.scope).of(reached.what) <= max(reached.used, reached.cap):
        _exhaust(decision, reached)


def settle(decision: Decision) -> None:
    """A begun task without a budget waits for its question; when no attempt is left for what is ready, a person is asked."""
    board = decision.board
    for scope, known in board.budget.exhausted.items():
        for task in _tasks_of(board, scope):
            if task.state not in dispatch.READY:
                continue
            if known.stopped:
                _fail(decision, task, _stopped(scope))
            elif task.attempt > 0 and task.not_before is None:
                reason = f"{_whose(scope)} is spent; waits for {known.question}"
                decision.put_task(task, state=TaskState.BLOCKED, reason=reason, question=known.question)
    if hands_out(board):
        _settle_stop(decision)
        _settle_attempts(decision)


def _tasks_of(board: Board, scope: str) -> list[TaskDoc]:
    """The tasks that a task's or a tier's scope is about; of the run and of agents none."""
    kind, _, name = scope.partition(":")
    if kind == "task":
        return [board.task(name)]
    return [task for task in board.tasks() if scope in tier_scopes(task.task.tier)]


def _settle_stop(decision: Decision) -> None:
    """A person brought the run back after a stop: what is ready now waits for the same cap, so it is asked about anew."""
    board = decision.board
    workers = (agent.name for agent in board.all(AgentDoc) if agent.role in dispatch.WORKERS)
    if was_stopped(board) and any(dispatch.next_task(decision, name) for name in workers):
        known = board.budget.exhausted[RUN]
        _exhaust(decision, Reached(scope=RUN, what=known.what, used=known.used, cap=known.cap))


def _settle_attempts(decision: Decision) -> None:
    board = decision.board
    if not board.has_attempt(RUN):
        if any(task.state in dispatch.READY for task in board.tasks()):
            _exhaust(decision, _attempts(board, RUN))
        return
    full = gate_runs.full(board)
    for task in board.tasks():
        for scope in tier_scopes(task.task.tier):
            is_known = scope in decision.board.budget.exhausted
            if task.state not in dispatch.READY or is_known:
                continue
            if scope in full or not board.has_attempt(scope):
                _exhaust(decision, full.get(scope) or _attempts(board, scope))
    for agent in list(board.all(AgentDoc)):
        scope = agent_scope(agent.name)
        is_spent = agent.role in dispatch.WORKERS and not board.has_attempt(scope)
        if is_spent and scope not in board.budget.exhausted and dispatch.next_task(decision, agent.name):
            _exhaust(decision, _attempts(board, scope))


def _attempts(board: Board, scope: str) -> Reached:
    used = board.budget.worked.get(scope, Worked()).attempts
    return Reached(scope=scope, what="attempts", used=used, cap=board.caps(scope).attempts)


def _weigh(decision: Decision, reached: Reached) -> None:
    doc, key = decision.board.budget, f"{reached.scope} {reached.what}"
    if has_ended(decision.board, reached.scope):
        return
    if reached.used >= reached.cap:
        _exhaust(decision, reached)
    elif is_much(reached.used, reached.cap) and doc.noticed.get(key) != reached.cap:
        decision.put_budget(noticed={**doc.noticed, key: reached.cap})
        share = reached.used * 100 // reached.cap
        facts = [f"{shown(reached.what, reached.used)} of {shown(reached.what, reached.cap)}; at the cap you are asked"]
        decision.log("progress", f"{called(reached.scope)} has used {share} % of its {reached.what}", facts)


# --- at the cap ------------------------------------------------------------------------------------


def _exhaust(decision: Decision, reached: Reached) -> None:
    """Ask a person, once; what the run pays for waits with the run, what a task or an agent pays for with that alone."""
    scope, run = reached.scope, decision.board.run
    known = decision.board.budget.exhausted.get(scope)
    if scope == RUN and run.state != "paused" and not hands_out(decision.board):
        return
    if known is not None and not (scope == RUN and known.stopped):
        return
    said = f"{shown(reached.what, reached.used)} of {shown(reached.what, reached.cap)}"
    detail = f"the budget of {called(scope)} is spent: {said}"
    question = _ask(decision, scope, f"{detail}. Answer with a new cap, such as {_example(reached)}, or {STOP}.")
    entry = Exhausted(what=reached.what, used=reached.used, cap=reached.cap, question=question.id)
    decision.put_budget(exhausted={**decision.board.budget.exhausted, scope: entry})
    if scope == RUN:
        closing.pause(decision, "budget", detail)


def _example(reached: Reached) -> str:
    more = max(reached.used, reached.cap) * 3 // 2 + 1
    rounded = -(-more // 1_000_000) * 1_000_000 if reached.what == "usd" else more
    return shown(reached.what, rounded).removesuffix(" USD").removesuffix(f" {reached.what.replace('_', ' ')}")


def _ask(decision: Decision, scope: str, text: str) -> QuestionDoc:
    kind, _, name = scope.partition(":")
    task = decision.board.task(name) if kind == "task" else None
    agent = name if kind == "agent" else "" if task and task.agent else MANAGER
    return questions.ask(decision, text, task=task, agent=agent, scope=scope)


# --- what a person says ----------------------------------------------------------------------------


def answered(decision: Decision, question: QuestionDoc, text: str) -> tuple[bool, str]:
    """Raise the cap, or stop; else the question stays open.

    Returns:
        Whether it was done, and what the person is told.
    """
    scope = question.scope
    known = decision.board.budget.exhausted.get(scope)
    if known is None:
        return False, f"{question.id} is closed: {called(scope)} has room again"
    if text.strip().lower() == STOP:
        return _stop(decision, scope, known)
    cap = read_amount(known.what, text)
    least = max(known.used, _cap(decision.board, scope, known))
    if cap is None or cap <= least:
        return False, f"{question.id} takes an amount above {shown(known.what, least)}, or {STOP}; found {text!r}"
    doc = decision.board.budget
    own = doc.raised.get(scope, OwnCaps()).model_copy(update={_FIELDS[known.what]: cap})
    decision.put_budget(raised={**doc.raised, scope: own})
    _lift(decision, scope, text)
    return True, f"{called(scope)} may use {shown(known.what, cap)} now, and goes on"


_FIELDS = {
    "tokens": "tokens",
    "usd": "micro_usd",
    "minutes": "minutes",
    "attempts": "attempts",
    "gate_runs": "gate_runs",
}


def _lift(decision: Decision, scope: str, answer: str) -> None:
    """There is room again: what waited goes on."""
    doc = decision.board.budget
    known = doc.exhausted[scope]
    decision.put_budget(exhausted={other: each for other, each in doc.exhausted.items() if other != scope})
    _close(decision, known.question, answer)
    decision.log("answer", f"{called(scope)} has room again", [f"{known.question}: {answer}"])
    kind, _, name = scope.partition(":")
    run = decision.board.run
    if scope == RUN:
        if (run.state, run.reason) in (("paused", "budget"), ("failed", EXHAUSTED)):
            closing.go_on(decision)
        return
    for task in _tasks_of(decision.board, scope):
        if task.state is TaskState.BLOCKED and task.question == known.question:
            decision.put_task(task, state=TaskState.QUEUED, question="")
    if run.state != "paused":
        requests.ask_parked_reviews(decision, name if kind == "agent" else "")


EXHAUSTED = "budget_exhausted"
"""Why a run failed whose budget a person did not raise."""


def _stop(decision: Decision, scope: str, known: Exhausted) -> tuple[bool, str]:
    kind, _, name = scope.partition(":")
    if kind == "agent" and decision.agent(name).role == "reviewer":
        return (
            False,
            f"without {name} nothing can be reviewed: raise its cap, or stop the whole run with `callboard stop`",
        )
    open_ = [task for task in _tasks_of(decision.board, scope) if task.state not in ENDED]
    if landing := next((task.id for task in open_ if task.intent), ""):
        return False, f"{landing} is landing; a landing that has begun is finished"
    doc = decision.board.budget
    stopped = known.model_copy(update={"stopped": True})
    decision.put_budget(exhausted={**doc.exhausted, scope: stopped})
    _close(decision, known.question, STOP)
    reason = _stopped(scope)
    decision.log("answer", f"{called(scope)}: {STOP}", [reason])
    if kind == "agent":
        seats.requeue_held(decision, name, f"{name}: {reason}")
    elif scope == RUN:
        decision.put_run(state="failed", reason=EXHAUSTED, detail=reason)
    for task in open_:
        _fail(decision, task, reason)
    return True, {
        "tier": f"{called(scope)} gets nothing more: its open tasks have failed ({len(open_)}); what was done is kept",
        "task": f"{name} has failed: {reason}; what was done is kept (`callboard recover`)",
        "agent": f"{name} gets nothing more in this run; other drivers take its tasks",
    }.get(kind, "the run has ended: raise [budget] in callboard.toml and launch again to go on with it")


def _whose(scope: str) -> str:
    return f"the budget of {called(scope)}" if scope.startswith("tier:") else "its budget"


def _stopped(scope: str) -> str:
    return f"{_whose(scope)} is spent, and a person said {STOP}"


def _fail(decision: Decision, task: TaskDoc, reason: str) -> None:
    if task.state in HELD_BY_AGENT:
        decision.send(task.agent, TaskCancelled(reason=reason), task)
        seats.let_go(decision, task.agent)
    task = decision.put_task(task, state=TaskState.FAILED, reason=reason, question="")
    if task.agent:
        decision.send(task.agent, TaskClosed(state="failed", reason=reason), task)


def _close(decision: Decision, id: str, answer: str) -> None:
    question = decision.board.get(f"question:{id}", QuestionDoc)
    if question.state == "open":
        given = {"state": "answered", "answer": answer, "answered_at": decision.now}
        decision.put(f"question:{id}", question.model_copy(update=given))


def still_spent(doc: BudgetDoc) -> str:
    """Why the run cannot go on yet, and the way out."""
    known = doc.exhausted[RUN]
    return (
        f"the run's budget is spent ({shown(known.what, known.used)}): answer {known.question} with a new cap, "
        "or raise [budget] in callboard.toml and resume"
    )
