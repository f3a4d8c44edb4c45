"""Blockers climb a ladder: canon, senior, trio, person. One rung at a time, each once for a problem, the person whenever
nobody else is left. The agent is at its next task meanwhile; an answer brings the task back with it among its notes.

A step of the ladder follows from the board alone (`settle`), so it waits while nothing is handed out, and goes on after.
"""

from __future__ import annotations

from callboard.agents.manager import consults, counsel, person_rung, rungs
from callboard.agents.manager.decision import Decision, hands_out
from callboard.bus.board import BlockerDoc, ProblemDoc, TaskState, TrackDoc
from callboard.bus.messages import (
    JOURNAL,
    BlockerResolved,
    CanonRead,
    ConsultAnswered,
    MessageRefused,
)
from callboard.bus.problems import RUNGS, Advice, Rung, RungName
from callboard.bus.task import Note

MOST_ADVISED = 5
"""How often canon and reviewers bring one task back: an agent that words its problem anew each time would never reach a
person."""


def settle(decision: Decision) -> None:
    """Every blocker that climbs and that nobody is asked about takes its next rung."""
    if not hands_out(decision.board):
        return
    for blocker in list(decision.board.all(BlockerDoc)):
        if blocker.state == "open" and not blocker.question:
            problem = rungs.problem_of(decision, blocker)
            if not problem.consult:
                _climb(decision, blocker, problem)


def heard(decision: Decision, body: CanonRead | ConsultAnswered) -> None:
    """An answer of whoever was asked."""
    if isinstance(body, CanonRead):
        _canon_read(decision, body)
    else:
        _consult_answered(decision, body)


def _canon_read(decision: Decision, body: CanonRead) -> None:
    problem = _under_way(decision, body.consult)
    if problem is None:
        return
    if body.passage and body.reference is not None:
        place = f"{body.reference.file}:{body.reference.line}"
        _resolve(decision, problem, "canon", body.passage, f"it stands at {place}")
        return
    unread = f"; not there to be read: {', '.join(body.unread)}" if body.unread else ""
    _pass(decision, problem, counsel.Passed(f"no passage is about it{unread}"))


def _consult_answered(decision: Decision, body: ConsultAnswered) -> None:
    name, problem = decision.cause.sender, _under_way(decision, body.consult)
    if problem is None or name not in problem.asked or name in problem.heard:
        reason = f"consult {body.consult} does not wait for {name}"
        refused = MessageRefused(
            refused=decision.cause.id, refused_kind=decision.cause.kind, refused_sender=name, reason=reason
        )
        decision.send(JOURNAL, refused)
        return
    problem = rungs.put(decision, problem, heard={**problem.heard, name: body.advice})
    if len(problem.heard) == len(problem.asked):
        _judge(decision, problem)


def deadline(decision: Decision, consult: str) -> None:
    """Who has not answered by now has nothing to say."""
    problem = _under_way(decision, consult)
    if problem is not None:
        _judge(decision, problem)


def _under_way(decision: Decision, consult: str) -> ProblemDoc | None:
    """The problem that a consult is about, while its blocker waits for just that."""
    found = next((doc for doc in decision.board.all(ProblemDoc) if doc.consult == consult), None)
    if found is None:
        return None
    blocker = decision.board.get(f"blocker:{found.blocker}", BlockerDoc)
    return found if blocker.state == "open" and not blocker.question else None


def _climb(decision: Decision, blocker: BlockerDoc, problem: ProblemDoc) -> None:
    """Take the next rung that somebody stands on."""
    passed: list[str] = []
    for name in RUNGS[:-1]:
        if any(rung.name == name for rung in problem.rungs):
            continue
        request = _request(decision, blocker, problem, name)
        if isinstance(request, consults.Request):
            problem = rungs.step(decision, problem, Rung(name=name, state="asked", at=decision.now))
            _send(decision, problem, request)
            rungs.tell(decision, blocker, name, (*passed, f"asks {', '.join(request.asked)}"))
            return
        problem = rungs.step(decision, problem, Rung(name=name, state="silent", why=request, at=decision.now))
        passed.append(f"{name}: {request}")
    person_rung.ask(decision, blocker, problem, passed)


def _request(decision: Decision, blocker: BlockerDoc, problem: ProblemDoc, name: RungName) -> consults.Request | str:
    """What is asked on a rung; or why nobody is."""
    task = decision.board.task(blocker.task)
    if decision.board.get(f"track:{task.id}", TrackDoc).advised >= MOST_ADVISED:
        return f"{MOST_ADVISED} times already it came back with advice"
    if name == "canon":
        return consults.of_canon(decision, blocker, task)
    if name == "senior":
        return consults.of_senior(decision, blocker, task)
    if not any(rung.name == "senior" and rung.state != "silent" for rung in problem.rungs):
        return "the three agree on nothing without the senior"
    return consults.of_juniors(decision, blocker, task)


def _send(decision: Decision, problem: ProblemDoc, request: consults.Request) -> ProblemDoc:
    consults.send(decision, request, decision.board.task(problem.task))
    return rungs.put(decision, problem, consult=request.consult, asked=request.asked, heard={})


def _judge(decision: Decision, problem: ProblemDoc) -> None:
    """What was said to the consult that is under way; who is missing was silent."""
    name = problem.rungs[-1].name
    heard = {agent: problem.heard.get(agent, counsel.SILENCE) for agent in problem.asked}
    if name == "canon":
        _pass(decision, problem, counsel.Passed("it was not read in time"))
        return
    if name == "senior":
        [advice] = heard.values()
        problem = rungs.put(decision, problem, proposals=counsel.proposals(problem.proposals, heard))
        _end(decision, problem, counsel.of_senior(advice), "senior")
        return
    seated = {decision.agent(agent).seat: advice for agent, advice in heard.items()}
    if counsel.SENIOR in seated:
        _end(decision, problem, counsel.of_trio(seated, problem.proposals), "trio")
        return
    problem = rungs.put(decision, problem, proposals=counsel.proposals(problem.proposals, seated))
    _let_choose(decision, problem)


def _let_choose(decision: Decision, problem: ProblemDoc) -> None:
    """The second half of the trio's rung: all three choose from what each of them has said."""
    if not problem.proposals:
        _pass(decision, problem, counsel.Passed("none of the three has an answer"))
        return
    blocker = decision.board.get(f"blocker:{problem.blocker}", BlockerDoc)
    request = consults.of_all(decision, blocker, decision.board.task(problem.task), problem.proposals)
    if isinstance(request, str):
        _pass(decision, problem, counsel.Passed(request))
    else:
        _send(decision, problem, request)


def _end(decision: Decision, problem: ProblemDoc, outcome: counsel.Taken | counsel.Passed, by: RungName) -> None:
    if isinstance(outcome, counsel.Passed):
        _pass(decision, problem, outcome)
    else:
        _resolve(decision, problem, by, outcome.advice.text, _rests_on(outcome.advice))


def _rests_on(advice: Advice) -> str:
    found = [f"`{it.quote}` at {it.file}:{it.line}" for it in advice.references if it.verified]
    return "; ".join(filter(None, (advice.reasons, *found)))


def _pass(decision: Decision, problem: ProblemDoc, outcome: counsel.Passed) -> None:
    """Nothing came of the rung that was asked; `settle` takes the next one."""
    last = problem.rungs[-1]
    state = "silent" if outcome.is_silent else "passed"
    ended = last.model_copy(update={"state": state, "why": outcome.why, "at": decision.now})
    rungs.put(decision, problem, rungs=(*problem.rungs[:-1], ended), consult="", asked=(), heard={})
    blocker = decision.board.get(f"blocker:{problem.blocker}", BlockerDoc)
    decision.log(
        "blocker", f"{blocker.id}: no answer from {last.name}", [outcome.why], task=rungs.task_of(decision, problem)
    )


def _resolve(decision: Decision, problem: ProblemDoc, by: RungName, text: str, reasons: str) -> None:
    """The task comes back with the answer, as advice: whoever gave it directs nobody."""
    blocker = decision.board.get(f"blocker:{problem.blocker}", BlockerDoc)
    rungs.put(decision, problem, consult="", asked=(), heard={})
    problem = rungs.step(decision, problem, Rung(name=by, state="answered", why=reasons, at=decision.now))
    resolved = {"state": "resolved", "answer": text, "resolved_at": decision.now}
    decision.put(f"blocker:{blocker.id}", blocker.model_copy(update=resolved))
    task = rungs.task_of(decision, problem)
    told = BlockerResolved(blocker=blocker.what, answer=text, by=by)
    decision.send(blocker.agent, told, task)
    decision.log("resolved", blocker.id, [f"by {by}: {text}", f"rests on: {reasons}"], task=task)
    track = decision.board.get(f"track:{task.id}", TrackDoc)
    decision.put(f"track:{task.id}", track.model_copy(update={"task": task.id, "advised": track.advised + 1}))
    said = f"Problem: {blocker.what}\nAdvice from {by}: {text}\nIt rests on: {reasons or 'what it says'}"
    note = Note(source="canon" if by == "canon" else "consult", text=said)
    decision.put_task(task, state=TaskState.QUEUED, notes=(*task.notes, note), blocker="", question="")
