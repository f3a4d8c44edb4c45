"""Attacks 12 and 14 on a real bus: what a sender may not say, and what is not one's own to answer; each also without its wall."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from handlers import Scripted, message
from runtimes import entry, everything, running
from waiting import Go

from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.delivery import Delivery, Wire
from callboard.bus.errors import LeaseLost
from callboard.bus.journal import JournalEntry, Step
from callboard.bus.link import Link
from callboard.bus.messages import (
    Body,
    CommandGiven,
    Draft,
    GateFinished,
    Outcome,
    RosterChanged,
    TaskCancelled,
    VerdictGiven,
)
from callboard.bus.script import Script, load
from callboard.roles.role import Capabilities, load_roles

ROSTER = {"manager": "manager", "driver-1": "driver", "driver-2": "driver", "senior": "reviewer"}
FORGED: tuple[tuple[str, Body], ...] = (
    ("driver-1", VerdictGiven(review="r", commit=None, requirements_hash="h", vote="approved")),
    ("driver-1", CommandGiven(command="promote")),
    ("driver-1", GateFinished(purpose="evidence", verdict="green", commit=None)),
    ("driver-1", TaskCancelled(reason="mine is more important")),
    ("senior", RosterChanged(agents={"senior": "manager"})),
    ("nobody", TaskCancelled(reason="from outside")),
)


async def happened(bus: Bus, step: Step, count: int) -> None:
    """Wait until there were so many entries of a step."""
    seen = 0

    def is_last(each: JournalEntry) -> bool:
        nonlocal seen
        seen += each.step == step
        return seen == count

    await entry(bus, is_last)


def test_what_a_role_may_not_send_is_handled_by_nobody(bus: Bus, go: Go) -> None:
    capabilities = Capabilities(load_roles(ROSTER))

    async def forge() -> None:
        for n, (sender, body) in enumerate(FORGED):
            await bus.send(Draft("driver-2", body, task=f"T-{n}"), sender=sender)

    async def scenario() -> None:
        handler, without_the_wall = Scripted(), Scripted()
        async with running(bus, handler, name="driver-2", may_send=capabilities.may_send):
            await forge()
            await happened(bus, "bury", len(FORGED))
            await bus.send(message("T-9", "driver-2"), sender="manager")
            await happened(bus, "commit", 1)
        assert handler.began == ["T-9"]
        errors = {f"{sender} may not send {body.kind}" for sender, body in FORGED}
        assert {letter.error for letter in await bus.dead()} == errors
        async with running(bus, without_the_wall, name="driver-2", may_send=everything):
            await forge()
            await happened(bus, "commit", 1 + len(FORGED))
        assert sorted(without_the_wall.began) == [f"T-{n}" for n in range(len(FORGED))]

    go(scenario())


FENCE = "if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end"


def unfenced(name: str) -> Script:
    whole = load(name)
    assert name != "commit" or FENCE in whole.text
    text = whole.text.replace(FENCE, "") if name == "commit" else whole.text
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


@pytest.mark.parametrize(("scripts", "holds"), [(load, True), (unfenced, False)], ids=["wall", "no wall"])
def test_another_agents_message_cannot_be_answered(
    scripts: object, holds: bool, server_url: str, bus: Bus, go: Go
) -> None:
    async def scenario() -> None:
        link = Link(server_url, patience_s=5.0, scripts=scripts)  # type: ignore[arg-type]
        await bus.send(message("theirs", "driver-1"), sender="manager")
        await bus.send(message("mine", "driver-2"), sender="manager")
        [theirs] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        [mine] = await bus.inbox("driver-2", "driver-2.here.1").receive()
        stolen = replace(mine.entry, inbox="driver-1", id=theirs.entry.id)
        thief = Delivery(Wire(link, bus.keys, utc_now), stolen, theirs.envelope, print)
        if holds:
            with pytest.raises(LeaseLost):
                await thief.commit(Outcome())
        else:
            await thief.commit(Outcome())
        await link.close()
        assert (await bus.backlog(["driver-1"]))["driver-1"] == (1 if holds else 0)

    go(scenario())
