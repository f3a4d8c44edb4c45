"""Notices to a driver, and work that is stopped: what was done is kept, no process stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest
from agent_world import Delivered, World, bodies, entry
from driver_desk import AGENT, assigned, delivered, driver, files_of, handle, until, wip

from callboard.bus.errors import LeaseLost, Reject
from callboard.bus.messages import (
    AnswerGiven,
    AttemptStopped,
    Draft,
    EvidenceSubmitted,
    Outcome,
    TaskAccepted,
    TaskCancelled,
    TaskProgressed,
)


def test_work_and_notices_have_lanes_of_their_own(world: World) -> None:
    handler = driver(world, "true")
    assert handler.lane(delivered(assigned(world)).envelope) == "work"
    assert handler.lane(delivered(TaskCancelled(reason="x")).envelope) == "notice"
    assert handler.lane(delivered(AnswerGiven(question="?", text="!")).envelope) == "notice"


def test_a_notice_is_logged(world: World) -> None:
    outcome = handle(driver(world, "true"), delivered(AnswerGiven(question="Which?", text="A")))
    assert entry(outcome).facts == ("question: Which?", "answer: A")


def test_what_no_driver_handles_is_rejected(world: World) -> None:
    with pytest.raises(Reject):
        handle(driver(world, "true"), delivered(TaskAccepted()))


def test_a_cancelled_task_stops_at_once_and_keeps_its_work(world: World, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"echo half > half.py; (setsid sh -c 'echo $$ >> {pids}; sleep 300' &); echo $$ >> {pids}; echo up >&2; sleep 300"

    async def scenario() -> tuple[Outcome, Outcome]:
        handler = driver(world, command)
        work = delivered(assigned(world))
        running = asyncio.create_task(handler.handle(work))
        await work.until(TaskProgressed)
        await until(lambda: len(pids.read_text().split()) == 2)
        notice = await handler.handle(delivered(TaskCancelled(reason="cancelled by a person")))
        assert running.done()  # the notice is not acknowledged before the work is kept
        return await running, notice

    outcome, notice = asyncio.run(scenario())
    (kept,) = wip(world).values()
    assert files_of(world, kept)["half.py"] == b"half\n"
    assert [draft.recipient for draft in outcome.messages] == ["manager", "journal"]
    assert outcome.messages[0].body == AttemptStopped(head=kept)
    assert entry(outcome).facts == ("stopped: cancelled by a person", f"work so far: `{kept[:7]}`")
    assert entry(notice).title == "cancelled"
    assert not [pid for pid in map(int, pids.read_text().split()) if psutil.pid_exists(pid)]


def test_a_cancelled_task_stops_in_the_middle_of_its_checks(world: World, tmp_path: Path) -> None:
    up = tmp_path / "up"

    async def scenario() -> Outcome:
        handler = driver(world, "echo new > new.py")
        running = asyncio.create_task(handler.handle(delivered(assigned(world, f"echo > {up}; sleep 300"))))
        await until(up.exists)
        await handler.handle(delivered(TaskCancelled(reason="enough")))
        return await running

    outcome = asyncio.run(scenario())
    assert entry(outcome).facts[0] == "stopped: enough"
    assert list(bodies(outcome, EvidenceSubmitted)) == []


def test_a_task_cancelled_before_its_turn_is_never_begun(world: World) -> None:
    handler = driver(world, "touch begun.py")
    handle(driver(world, "echo mine > mine.py; exit 1"), delivered(assigned(world), task="T-0"))

    async def scenario() -> Outcome:
        await handler.handle(delivered(TaskCancelled(reason="changed my mind")))
        return await handler.handle(delivered(assigned(world)))

    outcome = asyncio.run(scenario())
    assert entry(outcome).facts == ("stopped: changed my mind", "work so far: nothing changed")
    assert not (world.layout.clone(AGENT) / "begun.py").exists()
    assert (world.layout.clone(AGENT) / "mine.py").exists()  # nor is the clone made ready for it
    assert list(wip(world)) == ["refs/wip/r1/T-0/1"]


def test_a_cancelled_attempt_does_not_stop_the_next_one(world: World) -> None:
    handler = driver(world, "echo new > new.py")

    async def scenario() -> Outcome:
        await handler.handle(delivered(TaskCancelled(reason="requeued")))
        return await handler.handle(delivered(assigned(world), attempt=2))

    assert list(bodies(asyncio.run(scenario()), EvidenceSubmitted))


def test_a_lost_lease_stops_the_brain_with_its_tree(world: World, tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    class Lost(Delivered):
        async def emit(self, *drafts: Draft) -> None:
            if any(isinstance(draft.body, TaskProgressed) for draft in drafts):
                raise LeaseLost("somebody else holds it")

    work = Lost(assigned(world), recipient=AGENT)
    with pytest.raises(LeaseLost):
        asyncio.run(driver(world, f"echo $$ > {pid}; echo up >&2; exec sleep 300", timeout_s=300).handle(work))
    assert not psutil.pid_exists(int(pid.read_text()))
