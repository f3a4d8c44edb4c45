"""One agent from outside at work: its process is this one, for as long as somebody calls its tools."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress

from loguru import logger

from callboard.agents.outside.brain import OutsideBrain
from callboard.agents.outside.handler import OutsideHandler
from callboard.agents.outside.hatch import Hatch
from callboard.agents.runtime import Runtime
from callboard.agents.settings import AgentSettings
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.agents.workspace.patching import PatchVault
from callboard.app import Workspace, consumer_name
from callboard.bus.board import AgentDoc
from callboard.bus.bus import Bus
from callboard.bus.ending import end
from callboard.bus.errors import CallboardError, InboxFull, RosterError
from callboard.bus.settings import EMBEDDED
from callboard.launch.agent import HANDLER_MARGIN_S, longest_s, say_started, say_stopped
from callboard.launch.joining import current_run
from callboard.launch.sandboxing import probe
from callboard.launch.serving import bus_url
from callboard.launch.status import is_running

PATIENCE_S = 10.0
"""How long a server that went away is waited for; then the agent has left, and joins anew with its next call."""
LOCK_S = 5.0
"""How long the process before this one may take to leave."""
GRACE_S = 3.0
"""How long the work in hand may take to be kept when whoever works goes: clients wait about two seconds, then kill."""


async def until_handled(bus: Bus, id: str, after: int) -> None:
    """Wait until what came of a message is committed.

    Args:
        after: The number of an entry of the journal before that.
    """
    async for entry in bus.journal(after, follow=True):
        if entry.step == "commit" and entry.cause == id:
            return


class Shift:
    """One agent's presence in one run."""

    def __init__(self, workspace: Workspace, agent: AgentSettings, run: str) -> None:
        self.workspace = workspace
        self.agent = agent
        self.run = run
        self.hatch = Hatch()
        self.patches = PatchVault(workspace.layout, workspace.repository, agent.name)
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._bus: Bus | None = None
        self._work: asyncio.Task[None] | None = None
        self._heard: asyncio.Task[None] | None = None
        """Done = the manager has heard that it is there."""

    @property
    def bus(self) -> Bus:
        assert self._bus is not None, "it has begun"
        return self._bus

    @property
    def is_at_work(self) -> bool:
        return self._work is not None and not self._work.done()

    async def begin(self) -> None:
        """Join: from here on the manager hands out work to it.

        Raises:
            RosterError: Somebody else works for the agent, or the sandbox is weaker than configured.
            BusUnavailable: There is no server.
        """
        async with AsyncExitStack() as stack:
            lock = ProcessLock(self.workspace.layout.lock(self.agent.name))
            await self._take(lock)
            stack.callback(lock.release)
            self._bus = await Bus.connect(
                bus_url(self.workspace),
                self.run,
                patience_s=PATIENCE_S,
                connect_s=PATIENCE_S,
                redactor=self.workspace.redactor,
            )
            stack.push_async_callback(self._bus.close)
            await self._say()
            stack.push_async_callback(self._hear_no_more)
            self._stack = stack.pop_all()
        self._work = asyncio.create_task(self._runtime().run(self._stop), name=f"agent {self.agent.name}")

    async def _take(self, lock: ProcessLock) -> None:
        try:
            await acquire(lock, LOCK_S)
        except RosterError as error:
            if (holder := lock.holder()) is None:
                raise
            raise RosterError(
                f"somebody works for {self.agent.name} already: process {holder.pid} on {holder.host}, since "
                f"{holder.since:%Y-%m-%d %H:%M:%SZ}. One client at a time may: end that one first"
            ) from error

    async def stay(self) -> None:
        """Say again that it is there, once the manager has it for gone: a launch that began since counts everybody as absent,
        and a process that was paused for long is taken for lost."""
        if self._heard is None or not self._heard.done():
            return
        known = await self.bus.doc(f"agent:{self.agent.name}", AgentDoc)
        if known.state in ("absent", "down"):
            await self._say()

    async def _say(self) -> None:
        before = await self.bus.seq()
        told = await say_started(self.bus, self.workspace, self.agent)
        self._heard = asyncio.create_task(until_handled(self.bus, told.id, before))

    async def _hear_no_more(self) -> None:
        if self._heard is not None:
            await end(self._heard)

    def _runtime(self) -> Runtime:
        agent, bus = self.agent, self.bus
        inner = self.workspace.handler(agent, bus, OutsideBrain(self.hatch))
        handler = OutsideHandler(inner, self.hatch, agent.name, accept_s=agent.timeout_s)
        return Runtime(
            bus,
            {agent.name: handler},
            consumer_name(agent.name),
            may_send=self.workspace.capabilities().may_send,
            handler_timeout_s=agent.timeout_s + longest_s(self.workspace, agent) + HANDLER_MARGIN_S,
            grace_s=GRACE_S,
        )

    async def end(self) -> None:
        """Leave: work in hand is kept and comes back, to whoever works for the agent next."""
        self._stop.set()
        await self.hatch.close()
        try:
            if self._work is not None:
                await self._work
            await say_stopped(self.bus, self.workspace, self.agent, "whoever works for it has left")
        except (CallboardError, InboxFull) as error:
            logger.warning("left without a word", agent=self.agent.name, error=str(error))
        finally:
            with suppress(CallboardError):
                await self._stack.aclose()


class Member:
    """One agent from outside, over runs and launches."""

    def __init__(self, workspace: Workspace, agent: AgentSettings) -> None:
        self._workspace = workspace
        self._agent = agent
        self._shift: Shift | None = None
        self._joining = asyncio.Lock()
        """Protects the shift: two calls at once join once."""

    async def shift(self) -> Shift:
        """The agent at work in the newest run; it joins if it has not.

        Raises:
            RosterError, BusUnavailable: As Shift.begin; and where no roster runs.
        """
        async with self._joining:
            shift = self._shift
            run = await asyncio.to_thread(self._current_run)
            if shift is not None and run == shift.run and shift.is_at_work:
                await shift.stay()
                return shift
            await self._leave()
            if not run:
                raise RosterError("no roster runs here; `callboard launch` starts it, and then this agent can join")
            begun = Shift(await self._sandboxed(), self._agent, run)
            await begun.begin()
            self._shift = begun
            return begun

    def _current_run(self) -> str:
        """Empty: no roster runs here, as far as can be seen."""
        workspace = self._workspace
        if workspace.settings.bus.url == EMBEDDED and is_running(workspace) is None:
            return ""
        return current_run(workspace)

    async def _sandboxed(self) -> Workspace:
        """With the sandbox that holds here, as a launch tells its agents."""
        workspace = self._workspace
        found = await probe(workspace)
        environ = {**workspace.environ, "CALLBOARD_SANDBOX_KIND": found.sandbox.kind}
        return await asyncio.to_thread(Workspace.open, workspace.root, environ)

    async def leave(self) -> None:
        async with self._joining:
            await self._leave()

    async def _leave(self) -> None:
        shift, self._shift = self._shift, None
        if shift is not None:
            await shift.end()


class Members:
    """Every agent from outside that this process works for."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._members: dict[str, Member] = {}

    def of(self, agent: AgentSettings) -> Member:
        return self._members.setdefault(agent.name, Member(self.workspace, agent))

    async def leave(self) -> None:
        await asyncio.gather(*(member.leave() for member in self._members.values()))
