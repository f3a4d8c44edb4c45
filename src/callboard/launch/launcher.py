"""A launch: checks, server, run, roster, scribe; watched until the work is done, then stopped in order."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Protocol

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.outlook import outlook
from callboard.agents.settings import RUN
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace
from callboard.bus.board import Board
from callboard.bus.bus import Bus
from callboard.bus.caps import SpentSeen
from callboard.bus.dead_letters import DeadLetter
from callboard.bus.errors import BusError, RosterError
from callboard.bus.messages import Draft, RosterChanged
from callboard.launch.agent import agent_words
from callboard.launch.checks import check, check_goes_on, remarks
from callboard.launch.children import Child, Starter
from callboard.launch.exclude import exclude_ours
from callboard.launch.keeping import keeping
from callboard.launch.options import LaunchOptions
from callboard.launch.patience import Patience
from callboard.launch.quiet import is_settled
from callboard.launch.reaching import reaching
from callboard.launch.runs import Continue, choose, create, new_name, read_board, runs, start_commit
from callboard.launch.sandboxing import held_by, probe
from callboard.launch.serving import bus_url, serving
from callboard.launch.starting import starting
from callboard.launch.status import answering, remember

LOOK_EVERY_S = 0.25
COUNT_EVERY_S = 1.0
STOP_GRACE_S = 15.0
PEOPLE = 4
"""Exit code when only people can move what is left."""
INTERRUPTED = 130
"""Exit code after Ctrl-C with work left: 128 + SIGINT."""


class View(Protocol):
    """Shows a launch to whoever started it."""

    def board(self, board: Board) -> None:
        """The board as it is now; called several times a second."""
        ...

    def spent(self, seen: SpentSeen) -> None:
        """What calls have cost by now; called about once a second."""
        ...

    def event(self, text: str) -> None:
        """One line that is not on the board."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Launcher:
    """One launch in one workspace.

    Args:
        free_bytes: The free space where `.callboard/` is.
    """

    workspace: Workspace
    options: LaunchOptions
    view: View
    free_bytes: Callable[[], int]
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _children: list[Child] = field(default_factory=list)
    _said_dead: set[str] = field(default_factory=set)
    _exit_code: int = 0
    """For when it is stopped."""

    async def run(self) -> int:
        """Work until everything is done, only people can go on, or somebody stops it.

        Returns:
            0 succeeded or stopped, 1 the run failed, 4 only people can move what is left, 130 Ctrl-C with work left.

        Raises:
            RosterError: It cannot start here; nothing was started or changed.
            BusUnavailable: There is no server to be had.
        """
        check(self.workspace, self._names, self.free_bytes())
        await self._try_sandbox()
        lock = ProcessLock(self.workspace.layout.lock(self._lock_name))
        await acquire(lock, patience_s=0.5)
        try:
            await self._agents_are_free()
            self._clear_ref_locks()
            exclude_ours(self.workspace)
            # the fork server imports while the bus's server starts
            async with AsyncExitStack() as stack:
                starter = await stack.enter_async_context(starting(self.workspace, bus_url(self.workspace)))
                url = await stack.enter_async_context(serving(self.workspace, self._event))
                return await self._launch(url, starter)
        finally:
            lock.release()

    async def _try_sandbox(self) -> None:
        """Say what is enforced, and have every agent use just that."""
        found = await probe(self.workspace)
        self._event(f"sandbox {found}")
        if self.workspace.is_played:
            self._event("plays what models said in a recorded run: none is called")
        self.workspace = held_by(self.workspace, found)

    def _event(self, text: str) -> None:
        self.view.event(self.workspace.redactor.text(text))

    @property
    def _names(self) -> tuple[str, ...]:
        return self.options.only or self.workspace.settings.started

    @property
    def _has_manager(self) -> bool:
        return MANAGER in self._names

    @property
    def _lock_name(self) -> str:
        return "launch" if self._has_manager else f"launch-{'-'.join(self._names)}"

    async def _agents_are_free(self) -> None:
        """An agent that another launch runs here would die on its lock again and again, and be declared down.

        Raises:
            RosterError: One runs already; the message names its process.
        """
        for name in self._names:
            lock = ProcessLock(self.workspace.layout.lock(name))
            await acquire(lock)
            lock.release()

    def _clear_ref_locks(self) -> None:
        """Of refs that only we write, and nobody writes now: a git that was killed leaves its lock files behind."""
        if self._has_manager:
            folder = self.workspace.settings.project.integration.rpartition("/")[0]
            branches = [*self.workspace.roster, *([folder] if folder and RUN not in folder else [])]
            ours = ["refs/callboard", "refs/tags/callboard", *(f"refs/heads/{name}" for name in branches)]
            self.workspace.repository.clear_ref_locks(ours)

    async def _launch(self, url: str, starter: Starter) -> int:
        run = await self._choose_run(url) if self._has_manager else await self._wait_for_run()
        archive = self.workspace.archive(run) if self._has_manager else None
        bus = await Bus.connect(url, run, redactor=self.workspace.redactor, archive=archive)
        self._on_signals()
        try:
            keeps = keeping(self.workspace, bus, self.free_bytes, self._event)
            async with keeps if self._has_manager else nullcontext():
                return await self._work(bus, run, starter)
        finally:
            with suppress(BusError):
                await self._show_the_end(bus)
            await bus.close()

    async def _work(self, bus: Bus, run: str, starter: Starter) -> int:
        tasks: list[asyncio.Task[None]] = []
        try:
            if self._has_manager:
                await self._say_roster(bus)
            self._children = [self._child(name, run, bus, starter) for name in self._names]
            tasks = [asyncio.create_task(child.run()) for child in self._children]
            for text in remarks(self.workspace, self.options.again):
                self._event(text)
            self._say_what_agents_do_not_see(await bus.board())
            roster = self.workspace.roster if self._has_manager else {}
            unreachable_s = self.workspace.settings.bus.unreachable_s
            async with (
                answering(self.workspace, bus) if self._has_manager else nullcontext(),
                reaching(bus, self._children, roster, unreachable_s, self._event),
                # as it is: it may hold a link that the redactor takes for a secret
                self.options.beside(self.workspace, self.view.event),
            ):
                return await self._watch(bus, tasks)
        finally:
            await self._stop_children(tasks)

    async def _show_the_end(self, bus: Bus) -> None:
        self.view.spent(await bus.spending.seen())
        self.view.board(await bus.board())
        if self._has_manager:
            await remember(self.workspace, bus)

    async def _say_roster(self, bus: Bus) -> None:
        options, settings, roster = self.options, self.workspace.settings, self.workspace.roster
        limits, seats = settings.limits, settings.seats
        body = RosterChanged(agents=roster, seats=seats, stay=options.stay, again=options.again, limits=limits)
        await bus.send(Draft(MANAGER, body), sender="launcher")

    async def _choose_run(self, url: str) -> str:
        known = runs(self.workspace.repository)
        latest = await self._latest(url, known[-1]) if known else None
        match choose(latest, new=self.options.new, start_from=self.options.from_):
            case Continue(run=run):
                check_goes_on(self.workspace, run, self.options.goal, self.options.safety)
                is_new = latest is not None and latest.run.state == "created"  # by a command, before any launch
                self._event(f"run {run} starts" if is_new else f"run {run} goes on")
                return run
            case start:
                run = new_name(known)
                base = start_commit(self.workspace, start.start_from)
                bus = await Bus.connect(url, run)
                try:
                    await create(bus, self.workspace, base, self.options.goal, self.options.safety or "normal")
                finally:
                    await bus.close()
                self._event(f"run {run} starts at {base[:12]}")
                return run

    async def _latest(self, url: str, run: str) -> Board | None:
        if self.options.from_:
            return None
        return await read_board(url, self.workspace, run, self._event)

    async def _wait_for_run(self) -> str:
        """The run that the launch with the manager works on."""
        for _ in range(240):
            known = runs(self.workspace.repository)
            if known:
                return known[-1]
            await asyncio.sleep(LOOK_EVERY_S)
        raise RosterError("no run here yet; launch the manager first, then the agents of `--only`")

    def _child(self, name: str, run: str, bus: Bus, starter: Starter) -> Child:
        words = agent_words(name, run, self.options.again if name == MANAGER else ())

        async def on_down(agent: str, reason: str) -> None:
            if agent == MANAGER:
                # the others' end is on the board, and so in the view
                self._event(f"{agent} is down: {reason}")
            body = RosterChanged(agents=self.workspace.roster, down=(agent,), reason=reason)
            await bus.send(Draft(MANAGER, body), sender="launcher")

        return Child(name, starter, words, self.workspace.layout.log(name), on_down)

    def _say_what_agents_do_not_see(self, board: Board) -> None:
        if count := len(self.workspace.repository.uncommitted()):
            files = "1 uncommitted file" if count == 1 else f"{count} uncommitted files"
            self._event(f"agents start from {board.run.head[:12]}; they do not see {files} of this checkout")

    def _on_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def on_signal(number: int) -> None:
            if self._stop.is_set():
                # a second Ctrl-C: the guards end everything once we are gone
                self.view.close()
                os._exit(INTERRUPTED)
            self._exit_code = INTERRUPTED if number == signal.SIGINT else 0
            self._event("stopping; once more ends it at once")
            self._stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)

    async def _watch(self, bus: Bus, tasks: Sequence[asyncio.Task[None]]) -> int:
        clock = asyncio.get_running_loop().time
        outsiders = {agent.name: agent.timeout_s for agent in self.workspace.settings.agents if agent.outside}
        patience, counted_at = Patience(outsiders, clock()), 0.0
        while not self._stop.is_set():
            if clock() - counted_at >= COUNT_EVERY_S:
                counted_at = clock()
                self.view.spent(await bus.spending.seen())
            board, dead = await bus.board(), await bus.dead()
            if board.run.version:  # else the server has just lost it, and the archiver restores it
                self.view.board(board)
            self._say_dead(dead)
            if not self.options.stay and self._has_manager:
                is_busy = self.options.holds() or not await is_settled(bus, board, list(outsiders))
                if not is_busy and outlook(board) == "ended":
                    return 0 if board.run.state == "succeeded" else 1
                if patience.is_over(board, is_busy=is_busy, has_dead=bool(dead), now=clock()):
                    self._say_who_is_awaited(patience.awaited)
                    return PEOPLE
            down = [child.name for child, task in zip(self._children, tasks, strict=True) if task.done()]
            if MANAGER in down or len(down) == len(tasks):
                self._event("nothing can go on without the manager" if MANAGER in down else "every agent is down")
                return 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_EVERY_S)
        return self._exit_code if outlook(await bus.board()) != "ended" else 0

    def _say_who_is_awaited(self, names: Sequence[str]) -> None:
        if names:
            self._event(
                f"nothing goes on without {', '.join(names)}, and nothing has come from there for long: join through "
                "`callboard mcp`, and `callboard launch` goes on"
            )

    def _say_dead(self, dead: Sequence[DeadLetter]) -> None:
        for letter in dead:
            if letter.id not in self._said_dead:
                self._said_dead.add(letter.id)
                kind = letter.envelope.kind if letter.envelope else "an unreadable message"
                self._event(
                    f"dead letter {letter.id}: {kind} for {letter.inbox}: {letter.reason}; "
                    f"`callboard dead show {letter.id}`, then retry or drop it"
                )

    async def _stop_children(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """The manager last, so that it still hears the others go."""
        others = [child for child in self._children if child.name != MANAGER]
        await asyncio.gather(*(child.stop(STOP_GRACE_S) for child in others))
        await asyncio.gather(*(child.stop(STOP_GRACE_S) for child in self._children))
        await asyncio.gather(*tasks, return_exceptions=True)


async def launch(workspace: Workspace, options: LaunchOptions, view: View) -> int:
    """Launch the roster; see Launcher.run."""
    try:
        return await Launcher(workspace, options, view, lambda: shutil.disk_usage(workspace.root).free).run()
    finally:
        view.close()
