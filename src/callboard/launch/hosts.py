"""The managers of runs that were started from outside, in the process that serves the HTTP API (decision 0043).

One process hosts them all. A run is hosted while it is unfinished, and later whenever somebody has to say something to
its manager. Where nobody else runs an embedded server, one runs for just that time; a launch that begins takes it over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from loguru import logger

from callboard.agents.manager.budget_watch import BudgetWatch
from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.office import Office
from callboard.agents.runtime import Runtime
from callboard.agents.workspace.commands import guard_prefix
from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace, consumer_name
from callboard.bus.board import OutsideDoc, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.errors import CallboardError, RosterError
from callboard.bus.server import EmbeddedServer
from callboard.bus.settings import EMBEDDED
from callboard.hosting import Hosting
from callboard.launch.agent import HAND_S, HANDLER_MARGIN_S, take_office
from callboard.launch.archiving import keep_archive
from callboard.launch.lasting import lasting
from callboard.launch.quiet import is_quiet
from callboard.launch.runs import outside_runs
from callboard.launch.sandboxing import held_by, probe
from callboard.launch.serving import bus_url
from callboard.launch.status import HOSTING, is_running
from callboard.launch.tracing import keep_telling

LOOK_EVERY_S = 0.25
AGAIN_AFTER_S = 1.0
LAST_TOLD_S = 1.0
"""How long who stops hosting waits for a collector of traces: a launch may wait for the server."""
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(slots=True)
class _Hosted:
    """One run, while it is hosted."""

    users: int = 0
    """Requests that need its manager now."""
    bus: asyncio.Future[Bus] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Hosts:
    """The hosted runs of one workspace.

    Args:
        say: Told, as a sentence, what a person should hear.
    """

    def __init__(self, workspace: Workspace, say: Callable[[str], None] = logger.warning) -> None:
        self._workspace = workspace
        self._say = say
        self._hosted: dict[str, _Hosted] = {}
        self._tasks = set[asyncio.Task[None]]()
        """Of hosted runs, those too that are on their way out: they need the server to their end."""
        self.left: dict[str, int] = {}
        """Runs that were hosted here and are no more -> the last number of their journal."""
        self._stop = asyncio.Event()
        self._lock = ProcessLock(workspace.layout.lock("outside"))
        self._serving = asyncio.Lock()
        """Protects the server of our own, and the sandbox's probe."""
        self._server: EmbeddedServer | None = None
        self._server_lock = ProcessLock(workspace.layout.lock(HOSTING))
        self._hosting: Hosting | None = None
        self._is_ours = False

    @property
    def has_server(self) -> bool:
        """Whether the embedded server is ours and runs."""
        return self._server is not None and self._server.alive

    @property
    def names(self) -> tuple[str, ...]:
        """Runs that are hosted now."""
        return tuple(self._hosted)

    @asynccontextmanager
    async def hosting(self) -> AsyncIterator[None]:
        """`run`, beside what happens meanwhile."""
        stop = asyncio.Event()
        work = partial(self.run, stop)
        hosts = asyncio.create_task(lasting("the manager of runs from outside", work, self._say, stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(hosts, return_exceptions=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Host what is unfinished, and hand the server over to a launch that begins, until `stop`."""
        if await asyncio.to_thread(outside_runs, self._workspace.repository):
            await self._resume()
        while not stop.is_set():
            if self._server is not None and is_running(self._workspace):
                await self._hand_over()
            elif self._server is not None and not self._tasks:
                await self._end_server()
            elif self._tasks and not self.has_server:
                await self._take_back()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue
        await self.close()

    async def close(self) -> None:
        self._stop.set()
        await self._end_hosted()
        await self._end_server()
        if self._is_ours:
            self._lock.release()

    @asynccontextmanager
    async def at_desk(self, run: str) -> AsyncIterator[Bus]:
        """The bus of a run whose manager is there, until the end.

        Raises:
            RosterError: Another process hosts these runs, or the sandbox is weaker than configured.
            BusUnavailable: There is no server to be had.
        """
        self._take_lock()
        hosted = self._hosted.get(run)
        if hosted is None:
            hosted = self._hosted[run] = _Hosted()
            task = asyncio.create_task(self._host(run, hosted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        hosted.users += 1
        try:
            yield await asyncio.shield(hosted.bus)
        finally:
            hosted.users -= 1

    def _take_lock(self) -> None:
        if self._is_ours:
            return
        try:
            self._lock.acquire()
        except RosterError as error:
            raise RosterError(
                f"another `callboard serve` of this workspace hosts runs from outside: ask that one ({error})"
            ) from error
        self._is_ours = True

    async def _resume(self) -> None:
        """Every run that has not ended is hosted again; what ended waits until somebody has something to say."""
        try:
            self._take_lock()
            for run in await asyncio.to_thread(outside_runs, self._workspace.repository):
                async with await self._connect(run) as bus:
                    doc = await bus.doc("run", RunDoc)
                if doc.version and doc.state not in ENDED:
                    async with self.at_desk(run):
                        pass
        except CallboardError as error:
            self._say(f"runs from outside are not hosted: {error}")

    async def _connect(self, run: str) -> Bus:
        """To the server of a launch, to somebody else's, or to our own."""
        workspace = self._workspace
        async with self._serving:
            if self._hosting is None:
                self._hosting = Hosting(held_by(workspace, await probe(workspace)))
            if workspace.settings.bus.url == EMBEDDED and not is_running(workspace) and not self.has_server:
                await self._start_server()
        return await Bus.connect(bus_url(workspace), run, redactor=workspace.redactor, archive=workspace.archive(run))

    async def _start_server(self) -> None:
        """Ours; one that died is started again."""
        if self._server is not None:
            await self._server.start()
            return
        self._server_lock.acquire()
        server = EmbeddedServer(self._workspace.layout.bus, prefix=guard_prefix())
        try:
            await server.start()
        except BaseException:
            self._server_lock.release()
            raise
        self._server = server

    async def _end_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
            self._server_lock.release()

    async def _hand_over(self) -> None:
        """A launch starts its own server on the same data; every run is hosted again on that one."""
        runs = list(self._hosted)
        self._stop.set()
        await self._end_hosted()
        await self._end_server()
        self._stop = asyncio.Event()
        for run in runs:
            try:
                async with self.at_desk(run):
                    pass
            except CallboardError as error:
                self._say(f"run {run} is not hosted: {error}")

    async def _take_back(self) -> None:
        """The launch whose server it was has ended, or ours died: one on the same data goes on, and whoever is connected
        finds it at the same place."""
        async with self._serving:
            if self._workspace.settings.bus.url != EMBEDDED or is_running(self._workspace):
                return
            try:
                await self._start_server()
            except CallboardError as error:
                logger.debug("the server cannot be started just now", error=str(error))

    async def _end_hosted(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hosted.clear()

    async def _host(self, run: str, hosted: _Hosted) -> None:
        """Be a run's manager until it has ended, or we have."""
        try:
            async with AsyncExitStack() as stack:
                bus = await stack.enter_async_context(await self._connect(run))
                assert self._hosting is not None
                if not (await bus.board()).run.version and not hosted.users:
                    return
                hosted.bus.set_result(bus)
                await self._manage(self._hosting, bus, hosted)
        except CallboardError as error:
            self._failed(run, hosted, error)
        except ExceptionGroup as errors:
            self._failed(run, hosted, errors)
        finally:
            if self._hosted.get(run) is hosted:
                del self._hosted[run]

    def _failed(self, run: str, hosted: _Hosted, error: Exception) -> None:
        if not hosted.bus.done():
            hosted.bus.set_exception(error)
        else:
            logger.opt(exception=error).error("a run from outside is not hosted any more", run=run)

    async def _manage(self, hosting: Hosting, bus: Bus, hosted: _Hosted) -> None:
        stop, archive_stop, telling_stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
        consumer = consumer_name(MANAGER)
        office = Office(bus, consumer, on_lost=stop.set)
        await take_office(office)
        runtime = Runtime(
            bus,
            hosting.handlers(bus, office),
            consumer,
            may_send=hosting.capabilities(bus.run).may_send,
            handler_timeout_s=HAND_S + HANDLER_MARGIN_S,
        )
        archiving = asyncio.create_task(keep_archive(self._workspace, bus, archive_stop, self._say))
        traced = partial(keep_telling, self._workspace, bus.run, telling_stop, self._say, last_s=LAST_TOLD_S)
        telling = asyncio.create_task(lasting("the teller of traces", traced, self._say, telling_stop))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(runtime.run(stop))
                group.create_task(BudgetWatch(bus).run(stop))
                await self._until_over(bus, hosted, stop)
                stop.set()
        finally:
            archive_stop.set()
            await asyncio.gather(archiving, return_exceptions=True)
            telling_stop.set()
            await asyncio.gather(telling, return_exceptions=True)

    async def _until_over(self, bus: Bus, hosted: _Hosted, stop: asyncio.Event) -> None:
        while not (self._stop.is_set() or stop.is_set()):
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            if hosted.users:
                continue
            if (await bus.doc("run", RunDoc)).state not in ENDED and (await bus.doc("outside", OutsideDoc)).version:
                continue
            board, last = await bus.board(), await bus.seq()
            drivers = board.get("outside", OutsideDoc).drivers
            if await is_quiet(bus, board, drivers) and not hosted.users:
                # nobody can come in between: from here to the end of this function nothing is awaited
                self._hosted.pop(bus.run, None)
                self.left[bus.run] = last
                return
