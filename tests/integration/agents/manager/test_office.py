"""Two managers on a real bus: the one that was replaced commits nothing, and moves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk_board import ROSTER, spec
from workshop import ENV, Workshop, git

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.gate import Gate
from callboard.agents.manager.hands import GateHandler, LandHandler
from callboard.agents.manager.intake import IntakeRules
from callboard.agents.manager.office import DeskHandler, Office
from callboard.agents.runtime import Runtime
from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.board import Change, GateDoc, IntentDoc, ManagerDoc, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery
from callboard.bus.errors import BoardStale, RosterError
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import (
    AgentStarted,
    Body,
    CommandGiven,
    CommandHandled,
    DirectionFile,
    DirectionsRead,
    Draft,
    GateRequested,
    LandRequested,
    MergePrepared,
    MergeRequested,
    RosterChanged,
)
from callboard.bus.task import Briefing

Go = Callable[[Coroutine[object, object, None]], None]
POLICY = Policy(gate=("true",))


def now() -> datetime:
    return datetime.now(UTC)


class Manager:
    """One manager process, as far as its office and desk go."""

    def __init__(self, bus: Bus, name: str) -> None:
        self.lost = asyncio.Event()
        self.office = Office(bus, name, self.lost.set)
        self.desk = DeskHandler(bus, self.office, POLICY, now)

    @classmethod
    async def at_work(cls, bus: Bus, name: str) -> Manager:
        made = cls(bus, name)
        await made.office.enter()
        return made

    async def decide(self, delivery: Delivery) -> None:
        await delivery.commit(await self.desk.handle(delivery))


async def begin(bus: Bus, base: str = "b" * 40) -> None:
    await bus.create_run(RunDoc(id=bus.run, base=base, head=base, integration="callboard/r", target="main"))


async def say(bus: Bus, body: Body, sender: str) -> Delivery:
    """Send a message to the desk and take it from the inbox."""
    await bus.send(Draft("manager", body), sender=sender)
    [delivery] = await bus.inbox("manager", f"manager.host.{sender}").receive()
    return delivery


async def owner(bus: Bus) -> str:
    return (await bus.board()).get("manager", ManagerDoc).owner


# --- the office ---


def test_each_manager_raises_the_epoch(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        for epoch in (1, 2, 3):
            await Manager.at_work(bus, f"m{epoch}")
            doc = (await bus.board()).get("manager", ManagerDoc)
            assert (doc.epoch, doc.owner) == (epoch, f"m{epoch}")

    go(scenario())


def test_of_two_that_enter_at_the_same_moment_one_hears_so(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        made = [Manager(bus, "one"), Manager(bus, "two")]
        results = await asyncio.gather(*(manager.office.enter() for manager in made), return_exceptions=True)
        stale = [result for result in results if isinstance(result, BoardStale)]
        assert len(stale) <= 1
        assert (await bus.board()).get("manager", ManagerDoc).epoch == 2 - len(stale)

    go(scenario())


def test_a_replaced_manager_commits_nothing_it_had_decided(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        old = await Manager.at_work(bus, "old")
        delivery = await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher")
        decided = await old.desk.handle(delivery)
        await Manager.at_work(bus, "new")
        before = (await bus.board()).docs
        with pytest.raises(BoardStale):
            await delivery.commit(decided)
        assert (await bus.board()).docs == before
        assert await bus.backlog(["driver-1"]) == {"driver-1": 0}

    go(scenario())


def test_without_its_guard_it_would_have(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        old = await Manager.at_work(bus, "old")
        delivery = await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher")
        decided = await old.desk.handle(delivery)
        await Manager.at_work(bus, "new")
        await delivery.commit(replace(decided, guards=()))
        assert (await bus.board()).run.state == "running"

    go(scenario())


def test_a_replaced_manager_stops_once_it_looks_again(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        old = await Manager.at_work(bus, "old")
        delivery = await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher")
        await old.desk.handle(delivery)
        await Manager.at_work(bus, "new")
        with pytest.raises(RosterError, match=r"another manager \(new\) has taken over"):
            await old.desk.handle(delivery)
        assert old.lost.is_set()

    go(scenario())


def test_of_two_managers_at_one_inbox_the_newer_decides_everything_once(bus: Bus, connect: Any, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        old, new = Manager(bus, "old"), Manager(await connect(), "new")
        await old.office.enter()
        async with asyncio.TaskGroup() as group:
            stop = asyncio.Event()
            group.create_task(runtime(bus, "manager.a.1", old).run(old.lost))
            await bus.send(Draft("manager", RosterChanged(agents=dict(ROSTER))), sender="launcher")
            await new.office.enter()
            group.create_task(runtime(bus, "manager.b.1", new).run(stop))
            for n in range(20):
                command = CommandGiven(command="pause" if n % 2 else "resume")
                await bus.send(Draft("manager", command), sender="person", idempotency_key=f"k{n}")
            async with asyncio.timeout(300):
                while (await bus.backlog(["manager"]))["manager"] or not old.lost.is_set():  # noqa: ASYNC110 - runtimes work
                    await asyncio.sleep(0.02)
            stop.set()
        answers = [
            m.body.command async for e in bus.journal() for m in e.messages if isinstance(m.body, CommandHandled)
        ]
        assert len(answers) == len(set(answers)) == 20
        assert await owner(bus) == "new"
        assert await bus.dead() == []

    go(scenario())


def runtime(bus: Bus, consumer: str, manager: Manager) -> Runtime:
    def may_send(sender: str, kind: str) -> bool:
        return True

    return Runtime(bus, {"manager": manager.desk}, consumer, may_send=may_send, handler_timeout_s=30, retry_s=0.05)


# --- a commit that may be lost ---


def test_what_was_decided_on_a_commit_that_was_lost_is_decided_again(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        manager = await Manager.at_work(bus, "m")
        await manager.decide(await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher"))
        lost = await say(bus, AgentStarted(role="driver", pid=1, host="h"), "driver-1")
        await manager.desk.handle(lost)  # its commit never goes through
        file = DirectionFile(briefing=Briefing(agent="driver-2", version="1"), tasks=())
        delivery = await say(bus, DirectionsRead(files=(file,)), "manager")
        with pytest.raises(BoardStale, match="agent:driver-1"):
            await manager.decide(delivery)
        await manager.decide(delivery)
        board = await bus.board()
        assert "briefing:driver-2" in board.docs
        assert board.docs["agent:driver-1"].version == 1

    go(scenario())


def test_so_is_what_was_decided_after_one_that_changed_nothing(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        manager = await Manager.at_work(bus, "m")
        await manager.decide(await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher"))
        await manager.desk.handle(await say(bus, CommandGiven(command="pause"), "person"))
        nothing = await say(bus, CommandGiven(command="cancel", task="T-9"), "person")
        assert (await manager.desk.handle(nothing)).changes == ()
        with pytest.raises(BoardStale, match="'run'"):
            await manager.decide(await say(bus, AgentStarted(role="driver", pid=1, host="h"), "driver-1"))

    go(scenario())


def test_what_follows_a_commit_that_went_through_needs_no_second_look(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        manager = await Manager.at_work(bus, "m")
        await manager.decide(await say(bus, RosterChanged(agents=dict(ROSTER)), "launcher"))
        await manager.decide(await say(bus, AgentStarted(role="driver", pid=1, host="h"), "driver-1"))
        file = DirectionFile(briefing=Briefing(agent="driver-1", version="1"), tasks=(spec("one"),))
        await manager.decide(await say(bus, DirectionsRead(files=(file,)), "manager"))
        assert (await bus.board()).task("T-1").state == "assigned"
        assert await bus.backlog(["driver-1"]) == {"driver-1": 1}

    go(scenario())


# --- the hands ---


async def hand(bus: Bus, inbox: str, body: Body) -> Delivery:
    await bus.send(Draft(inbox, body, "T-1", 1), sender="manager")
    [delivery] = await bus.inbox(inbox, f"{inbox}.host.1").receive()
    return delivery


def merge_of(commit: str, base: str) -> MergeRequested:
    branch = MergeBranch(
        task="T-1",
        agent="driver-1",
        commit=commit,
        base=base,
        reviewed_base=base,
        files=("new.py",),
        message="One\n",
        at=now(),
    )
    return MergeRequested(stack=1, branches=(branch,), at=now())


@pytest.fixture
def landing(workshop: Workshop) -> LandRequested:
    """A landing that the board intends, once `intend` has written it there."""
    base = workshop.head
    git(workshop.root, "branch", "callboard/r")
    git(workshop.root, "checkout", "--quiet", "-b", "work")
    new = workshop.commit({"new.py": "x\n"})
    git(workshop.root, "checkout", "--quiet", "main")
    tree = workshop.repository.tree_of(new)
    return LandRequested(
        intent="I-1",
        agent="driver-1",
        ref="refs/heads/callboard/r",
        old=base,
        new=new,
        tree=tree,
        tags={"callboard/r/t": new},
    )


async def intend(bus: Bus, landing: LandRequested) -> None:
    await begin(bus, landing.old)
    values = landing.model_dump(include={"ref", "old", "new", "tree"})
    intent = IntentDoc(version=1, id="I-1", tasks=("T-1",), verdict="verdict:t:h", **values)
    green = GateDoc(version=1, tree=landing.tree, gate_hash="h", verdict="green")
    await bus.change([Change("intent:I-1", intent), Change("verdict:t:h", green)], sender="manager")


def test_the_hands_of_a_replaced_manager_move_nothing(
    bus: Bus, go: Go, workshop: Workshop, landing: LandRequested
) -> None:
    async def scenario() -> None:
        await intend(bus, landing)
        old = await Manager.at_work(bus, "old")
        await Manager.at_work(bus, "new")
        delivery = await hand(bus, "land", landing)
        with pytest.raises(RosterError, match="has taken over"):
            await LandHandler(workshop.repository, old.office).handle(delivery)
        assert old.lost.is_set()

    go(scenario())
    assert workshop.repository.resolve(landing.ref) == landing.old


def test_what_a_hand_did_before_it_was_replaced_is_reported_by_its_successor(
    bus: Bus, go: Go, workshop: Workshop, landing: LandRequested
) -> None:
    async def scenario() -> None:
        await intend(bus, landing)
        old = await Manager.at_work(bus, "old")
        delivery = await hand(bus, "land", landing)
        outcome = await LandHandler(workshop.repository, old.office).handle(delivery)
        new = await Manager.at_work(bus, "new")
        with pytest.raises(BoardStale):
            await delivery.commit(outcome)
        assert await bus.backlog(["manager"]) == {"manager": 0}
        await delivery.commit(await LandHandler(workshop.repository, new.office).handle(delivery))
        [answer] = await bus.inbox("manager", "manager.host.9").receive()
        assert answer.envelope.kind == "land.finished"

    go(scenario())
    assert workshop.repository.resolve(landing.ref) == landing.new


def test_a_merge_is_prepared_on_the_head_that_the_board_has_now(
    bus: Bus, go: Go, workshop: Workshop, landing: LandRequested
) -> None:
    async def scenario() -> None:
        await begin(bus, landing.old)
        manager = await Manager.at_work(bus, "m")
        hands = LandHandler(workshop.repository, manager.office)
        delivery = await hand(bus, "land", merge_of(landing.new, landing.old))
        first = (await hands.handle(delivery)).messages[0].body
        git(workshop.root, "update-ref", "refs/heads/callboard/r", landing.new)
        run = (await bus.board()).run
        moved = run.model_copy(update={"version": run.version + 1, "head": landing.new})
        await bus.change([Change("run", moved)], sender="manager")
        second = (await hands.handle(delivery)).messages[0].body
        assert isinstance(first, MergePrepared)
        assert isinstance(second, MergePrepared)
        assert [row.outcome for row in first.branches] == ["stacked"]
        assert [row.outcome for row in second.branches] == ["contained"]

    go(scenario())


def test_the_gate_of_a_replaced_manager_runs_nothing(bus: Bus, go: Go, workshop: Workshop, tmp_path: Path) -> None:
    async def scenario() -> None:
        await begin(bus)
        old = await Manager.at_work(bus, "old")
        await Manager.at_work(bus, "new")
        slots = GateSlots(workshop.layout, workshop.repository, 1, Setup(), lambda _: ENV, lambda *_: OFF)
        policy = Policy(gate=(f"touch {tmp_path / 'ran'}",))
        gate = Gate(bus.run, workshop.layout, workshop.repository, slots, policy, IntakeRules(), 10)
        merge = GateRequested(
            purpose="merge", spec=spec("one"), agent="driver-1", base=workshop.head, commit=workshop.head
        )
        with pytest.raises(RosterError, match="has taken over"):
            await GateHandler(gate, old.office).handle(await hand(bus, "gate", merge))

    go(scenario())
    assert not (tmp_path / "ran").exists()
