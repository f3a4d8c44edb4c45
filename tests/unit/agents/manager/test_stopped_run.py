"""A run that a person stopped at its cap stays stopped, whatever comes in late; only people bring it back."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from desk_board import REVIEWERS, Desk, Heard, sha, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import HELD_BY_AGENT, IntentDoc, ProblemDoc, QuestionDoc, TaskState
from callboard.bus.caps import Caps, Limits, Reached
from callboard.bus.issues import Report
from callboard.bus.messages import (
    AgentStarted,
    AgentStopped,
    AttemptParked,
    AttemptStopped,
    BudgetReached,
    DiskChanged,
    IssueReported,
    MinutePassed,
)
from callboard.launch.runs import Continue, Start, choose

SMALL = Caps(tokens=100, micro_usd=1_000_000, minutes=10, attempts=50)
SAME = Limits(run=SMALL, task=SMALL, agent=SMALL)
DRIVERS = tuple(f"driver-{n}" for n in range(1, 9))
ROSTER = {"manager": "manager", **dict.fromkeys(DRIVERS, "driver"), **dict.fromkeys(REVIEWERS, "reviewer")}
TASKS = tuple(spec(f"task {n}", name) for n, name in enumerate((*DRIVERS, *DRIVERS)))
RUN = Reached(scope="run", what="tokens", used=100, cap=100)
STOPPED = ("failed", "budget_exhausted")
SCHEDULES = 20
Late = Callable[[Desk], object]


def spent(stay: bool) -> Desk:
    """A run at its cap with a task in each state that something can still come in about."""
    desk = Desk(ROSTER)
    desk.launch(ROSTER, limits=SAME, stay=stay)
    desk.start(*ROSTER)
    desk.directions(*TASKS)
    desk.hand_in("T-1")
    desk.to_review("T-2")
    desk.to_review("T-3")
    desk.vote("T-3", "senior")
    desk.to_intent("T-4")
    desk.accept("T-5")
    desk.raise_blocker("T-6")
    desk.ask("T-7")
    desk.park("T-8", minutes=30)
    desk.hear(BudgetReached(reached=(RUN,)), "manager")
    assert (desk.run.state, desk.run.reason) == ("paused", "budget")
    assert set(desk.states.values()) >= {"gate", "review", "merging", "working", "assigned", "blocked", "queued"}
    return desk


def stopped(stay: bool) -> Desk:
    return stop(spent(stay))


def stop(desk: Desk) -> Desk:
    [question] = [doc.id for doc in desk.board.all(QuestionDoc) if doc.scope == "run"]
    assert desk.person("answer", question=question, text="stop").reply.ok
    return desk


def held(desk: Desk, say: Callable[[str], Heard]) -> None:
    """Whoever still works says something about it."""
    for task in list(desk.board.tasks()):
        if task.state in HELD_BY_AGENT:
            say(task.id)
            return


def judged(desk: Desk, say: Callable[[str, str], object]) -> None:
    """Of reviews that are open, somebody who was asked says something."""
    for task in list(desk.board.tasks()):
        if task.state is TaskState.REVIEW and task.awaited:
            say(task.id, task.awaited[0])
            return


def refused(desk: Desk, id: str) -> Heard:
    """A driver's call was not made: the run has no room."""
    body = AttemptParked(cause="budget", detail="no room", head=sha("half"), reached=RUN)
    return desk.hear(body, desk.task(id).agent, id)


def cannot_judge(desk: Desk, id: str, name: str, cause: str) -> Heard:
    said = {"parked": cause, "notes": "no room", "reached": RUN if cause == "budget" else None}
    return desk.hear(desk.verdict(id, "abstained").model_copy(update=said), name, id)


def gated(desk: Desk, verdict: str) -> None:
    for task in list(desk.board.tasks()):
        if task.state is TaskState.GATE:
            desk.gate(task.id, verdict)  # type: ignore[arg-type]
            return


def landed(desk: Desk) -> None:
    if desk.task("T-4").intent:
        desk.land("T-4")


def advised(desk: Desk) -> None:
    if any("senior" in doc.asked and "senior" not in doc.heard for doc in desk.board.all(ProblemDoc)):
        desk.advise("senior")


def fired(desk: Desk) -> None:
    if desk.timers:
        desk.fire()


def launched_again(desk: Desk) -> None:
    desk.launch(ROSTER, limits=SAME, stay=desk.run.stays)
    desk.directions(*TASKS)


LATE: dict[str, Late] = {
    "a driver is refused": lambda desk: held(desk, lambda id: refused(desk, id)),
    "a driver cannot reach its provider": lambda desk: held(desk, lambda id: desk.park(id, "provider")),
    "a driver is at its limit": lambda desk: held(desk, lambda id: desk.park(id, minutes=5)),
    "a driver hands in": lambda desk: held(desk, desk.hand_in),
    "a driver gives up": lambda desk: held(desk, desk.fail),
    "a driver is blocked": lambda desk: held(desk, desk.raise_blocker),
    "a driver asks": lambda desk: held(desk, desk.ask),
    "a driver is stopped": lambda desk: held(
        desk, lambda id: desk.hear(AttemptStopped(reason="shutdown", head=sha("half")), desk.task(id).agent, id)
    ),
    "a reviewer is refused": lambda desk: judged(desk, lambda id, name: cannot_judge(desk, id, name, "budget")),
    "a reviewer cannot reach its provider": lambda desk: judged(
        desk, lambda id, name: cannot_judge(desk, id, name, "provider")
    ),
    "a reviewer approves": lambda desk: judged(desk, desk.vote),
    "a reviewer wants a revision": lambda desk: judged(desk, lambda id, name: desk.vote(id, name, "needs_revision")),
    "a gate is green": lambda desk: gated(desk, "green"),
    "a gate is red": lambda desk: gated(desk, "red"),
    "a gate cannot run": lambda desk: gated(desk, "infrastructure"),
    "what was landing has landed": landed,
    "the senior says nothing": advised,
    "a timer fires": fired,
    "the watch says it again": lambda desk: desk.hear(BudgetReached(reached=(RUN,)), "manager"),
    "a minute has passed": lambda desk: desk.hear(MinutePassed(), "manager"),
    "the disk is full": lambda desk: desk.hear(DiskChanged(free_bytes=1, is_low=True), "manager"),
    "the disk has room": lambda desk: desk.hear(DiskChanged(free_bytes=10**12, is_low=False), "manager"),
    "an agent comes": lambda desk: desk.hear(AgentStarted(role="driver", pid=2, host="h"), "driver-5"),
    "an agent goes": lambda desk: desk.hear(AgentStopped(reason="done"), "driver-6"),
    "an agent is down": lambda desk: desk.down("driver-7"),
    "a person reports an issue": lambda desk: desk.hear(IssueReported(report=Report(key="k", title="odd")), "person"),
    "the files are read again": lambda desk: desk.directions(*TASKS),
    "the same is launched again": launched_again,
}


def handed_out(desk: Desk) -> tuple[int, int]:
    """Attempts and landings so far."""
    return desk.board.budget.worked["run"].attempts, len(list(desk.board.all(IntentDoc)))


def asked_about_the_run(desk: Desk) -> list[str]:
    return [doc.id for doc in desk.board.all(QuestionDoc) if doc.scope == "run" and doc.state == "open"]


@pytest.mark.parametrize("stay", [False, True], ids=["ends", "stays"])
def test_only_people_bring_back_a_run_that_a_person_stopped(stay: bool) -> None:
    for n in range(SCHEDULES):
        desk = stopped(stay)
        before = handed_out(desk)
        names = random.Random(n).choices(list(LATE), k=25)
        for step, name in enumerate(names):
            LATE[name](desk)
            assert (desk.run.state, desk.run.reason) == STOPPED, names[: step + 1]
            assert asked_about_the_run(desk) == [], names[: step + 1]
            assert handed_out(desk) == before, names[: step + 1]
        assert outlook(desk.board) == "ended"
        desk.launch(ROSTER, limits=Limits(), stay=stay)
        desk.start(*ROSTER)
        desk.directions(*TASKS)
        assert desk.run.state == "running"
        assert handed_out(desk) > before


@pytest.mark.parametrize("stay", [False, True], ids=["ends", "stays"])
def test_new_work_for_a_stopped_run_is_asked_about_once_and_goes_on_with_a_raise(stay: bool) -> None:
    desk = stopped(stay)
    refused(desk, "T-5")
    before = handed_out(desk)
    desk.person("assign", spec=spec("one more", "driver-8"))
    desk.person("assign", spec=spec("and one", "driver-8"))
    assert (desk.run.state, desk.run.reason) == ("paused", "budget")
    [question] = asked_about_the_run(desk)
    assert handed_out(desk) == before
    assert desk.person("answer", question=question, text="500").reply.ok
    assert desk.run.state == "running"
    assert handed_out(desk) > before


def test_launching_again_goes_on_with_it_although_nothing_landed_while_something_is_left_to_do() -> None:
    """What was handed in, gated and reviewed lies on the branches of that run; a new one would do it all anew."""
    desk = Desk(ROSTER)
    desk.launch(ROSTER, limits=SAME)
    desk.directions(*TASKS[:1])
    desk.to_review("T-1")
    desk.hear(BudgetReached(reached=(RUN,)), "manager")
    stop(desk)
    assert choose(desk.board, new=False, start_from="") == Continue(desk.run.id)
    assert choose(desk.board, new=True, start_from="") == Start("target")
    desk.person("cancel", task="T-1")
    assert choose(desk.board, new=False, start_from="") == Start("target")
