"""Starts runs from outside, and says to their managers what people and outside agents say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from callboard.agents.manager.decision import MANAGER
from callboard.app import Workspace
from callboard.bus.board import OutsideDoc
from callboard.bus.bus import Bus
from callboard.bus.errors import CommandRefused, RosterError
from callboard.bus.issue_caps import Safety
from callboard.bus.messages import Body, CommandHandled, Draft, RunOpened
from callboard.hosting import auditor_of, builder_of
from callboard.launch.backlog import carry_outside
from callboard.launch.exclude import exclude_ours
from callboard.launch.runs import OUTSIDE, PREFIX, create, outside_runs, runs, start_commit

ANSWER_S = 60.0
"""How long one waits for the manager's answer; it decides in milliseconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A run as it is asked for from outside."""

    run: str
    opened: RunOpened
    goal: str = ""
    safety: Safety = "normal"


async def check_name_soon(workspace: Workspace, run: str) -> None:
    """`check_name`, in a thread: it asks git."""
    await asyncio.to_thread(check_name, workspace, run)


def check_name(workspace: Workspace, run: str) -> None:
    """Refuse a name that a launched run or a part of the roster has.

    Raises:
        CommandRefused
    """
    if run in runs(workspace.repository):
        raise CommandRefused(f"there is a launched run called {run}; choose another run_id")
    taken = {builder_of(run), auditor_of(run)} & workspace.roster.keys()
    if taken:
        raise CommandRefused(f"an agent of the roster is called {min(taken)}; choose another run_id")


async def make(workspace: Workspace, bus: Bus, asked: Asked, *, is_again: bool = False) -> None:
    """Make the run on its bus and in the repository, as far as it is not made yet; it is opened by `say`.

    Args:
        is_again: It may be there, asked for by the same request before; the manager says whether that is so.

    Raises:
        CommandRefused: There is such a run already.
        RosterError: It cannot be made, such as because its branch exists.
    """
    if (await bus.doc("outside", OutsideDoc)).version:
        if is_again:
            return
        raise CommandRefused(f"run {asked.run} exists already; choose another run_id")
    exclude_ours(workspace)
    await asyncio.to_thread(_mark, workspace, asked.run)
    if not (await bus.board()).run.version:
        base = await asyncio.to_thread(start_commit, workspace, "target")
        await create(bus, workspace, base, asked.goal, asked.safety)
    await carry_outside(bus, workspace)


def _mark(workspace: Workspace, run: str) -> None:
    """Before the run is there: so that it is never taken for a launched one."""
    if run not in outside_runs(workspace.repository):
        base = start_commit(workspace, "target")
        workspace.repository.update_ref(f"{PREFIX}/{run}/{OUTSIDE}", base, None)


async def say(bus: Bus, body: Body, *, sender: str, task: str = "", key: str = "") -> CommandHandled:
    """Tell the manager of a hosted run something, and wait for its answer.

    Args:
        key: The same key again is said once, and gets the first one's answer.

    Raises:
        RosterError: It did not answer in time; what was said waits in its inbox.
    """
    before = 0 if key else await bus.seq()
    sent = await bus.send(Draft(MANAGER, body, task), sender=sender, idempotency_key=key)
    try:
        async with asyncio.timeout(ANSWER_S):
            async for entry in bus.journal(before, follow=True):
                for message in entry.messages:
                    if isinstance(message.body, CommandHandled) and message.body.command == sent.id:
                        return message.body
    except TimeoutError:
        pass
    raise RosterError(f"the manager of run {bus.run} has not answered within {ANSWER_S:.0f} s; what was said waits")


async def tell(bus: Bus, body: Body, *, sender: str, task: str = "", key: str = "") -> CommandHandled:
    """The same, where a refusal is an error.

    Raises:
        CommandRefused: The manager did not do it; its answer says why.
    """
    handled = await say(bus, body, sender=sender, task=task, key=key)
    if not handled.ok:
        raise CommandRefused(handled.text)
    return handled
