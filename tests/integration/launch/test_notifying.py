"""Notifications to a real HTTP server, sent by real processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import question_doc, run_doc
from loopback_http import Answer, LoopbackServer, Request
from roster import Workspace as Roster
from servers import free_port
from waiting import Go

from callboard.app import Workspace
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.bus.errors import NotificationFailed
from callboard.launch.notify_process import Message, send
from callboard.launch.notifying import Notifier, keep_notifying

SECRET = "hunter2-very-secret-value"
PATIENT_S = 300.0
"""Instead of the ten seconds that the end of a launch gives a service: importing Apprise may take that."""


class Service:
    """What was posted to it."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.arrived: Callable[[], object] = lambda: None
        self.hangs = False
        self.answers = True
        self.server = LoopbackServer(self._answer)
        self.server.start()

    async def _answer(self, request: Request) -> Answer:
        if self.hangs:
            await asyncio.Event().wait()
        self.got.append(json.loads(request.body))
        self.arrived()
        if not self.answers:
            await asyncio.Event().wait()
        return Answer()

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.got]


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.stop()


def opened(tmp_path: Path, *urls: str, **environ: str) -> Workspace:
    made = Roster(tmp_path / "shop", extra=f"[notify]\nurls = {json.dumps(urls)}\nevery_s = 3600.0")
    made.init({})
    return Workspace.open(made.path, {"PATH": "/usr/bin:/bin", **environ})


async def asked(bus: Bus, number: int, text: str = "Which?") -> None:
    await bus.change([Change(f"question:q-{number}", question_doc(number, "T-1", text))], sender="manager")


def test_each_event_arrives_once_at_each_service_across_launches_whatever_becomes_of_the_others(
    tmp_path: Path, service: Service, bus: Bus, go: Go
) -> None:
    dead = f"json://127.0.0.1:{free_port()}/{SECRET}"
    environ = {"NOTIFY_URL": f"json://127.0.0.1:{service.server.port}/x", "API_KEY": SECRET}
    workspace = opened(tmp_path, "env:NOTIFY_URL", dead, "env:UNSET", **environ)
    heard: list[str] = []

    async def launch() -> None:
        stop = asyncio.Event()
        stop.set()  # the end of a launch: what is in the journal by then
        await keep_notifying(workspace, bus, stop, heard.append, last_s=PATIENT_S)

    async def scenario() -> None:
        await bus.create_run(run_doc().model_copy(update={"id": bus.run, "version": 0}))
        await asked(bus, 1, f"Is {SECRET} right?")
        await launch()
        assert service.titles == ["[shop] q-1 (T-1) needs an answer"]
        await asked(bus, 2)
        await asked(bus, 3)
        await launch()

    go(scenario())
    assert service.titles[1:] == ["[shop] 2 things happened"]
    assert "q-2" in service.got[1]["message"]
    assert "q-1" not in service.got[1]["message"]
    assert SECRET not in json.dumps([service.got, heard, workspace.layout.outbox(bus.run).read_text()])
    assert "[redacted:" in service.got[0]["message"]
    assert "nobody is notified by env:UNSET: that variable is not set" in heard
    assert any(said.startswith("json://… takes no notifications: ") for said in heard)
    kept = json.loads(workspace.layout.outbox(bus.run).read_text())["waiting"]
    assert sorted(len(each["notifications"]) for each in kept.values()) == [0, 3]


@pytest.mark.long
def test_a_service_that_hangs_is_given_up_and_its_process_ends(service: Service, go: Go) -> None:
    service.hangs = True
    message = Message(f"json://127.0.0.1:{service.server.port}/?rto=600", "t", "x")

    async def scenario() -> None:
        with pytest.raises(NotificationFailed, match="nothing was answered within"):
            await send(message, {}, timeout_s=3.0)

    go(scenario())


@pytest.mark.long
def test_a_notifier_that_is_to_stop_lets_what_is_under_way_arrive(
    tmp_path: Path, service: Service, bus: Bus, go: Go
) -> None:
    workspace = opened(tmp_path, f"json://127.0.0.1:{service.server.port}/")
    services = workspace.settings.notify.services({})

    async def scenario() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        service.arrived = lambda: loop.call_soon_threadsafe(stop.set)
        await bus.create_run(run_doc().model_copy(update={"id": bus.run, "version": 0}))
        await asked(bus, 1)
        await Notifier(workspace, bus, services, print, PATIENT_S).run(stop)

    go(scenario())
    assert service.titles == ["[shop] q-1 (T-1) needs an answer"]


@pytest.mark.long
def test_a_notifier_that_dies_before_it_knows_that_a_message_arrived_sends_it_again(
    tmp_path: Path, service: Service, bus: Bus, go: Go
) -> None:
    workspace = opened(tmp_path, f"json://127.0.0.1:{service.server.port}/?rto=600")
    services = workspace.settings.notify.services({})

    async def scenario() -> None:
        arrived, loop = asyncio.Event(), asyncio.get_running_loop()
        service.arrived = lambda: loop.call_soon_threadsafe(arrived.set)
        service.answers = False
        await bus.create_run(run_doc().model_copy(update={"id": bus.run, "version": 0}))
        await asked(bus, 1)
        dying = asyncio.create_task(Notifier(workspace, bus, services, print, PATIENT_S).run(asyncio.Event()))
        await arrived.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        service.answers = True
        arrived.clear()
        stop = asyncio.Event()
        going_on = asyncio.create_task(Notifier(workspace, bus, services, print, PATIENT_S).run(stop))
        await arrived.wait()
        stop.set()
        await going_on

    go(scenario())
    assert service.titles == ["[shop] q-1 (T-1) needs an answer"] * 2
