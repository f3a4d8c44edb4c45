"""A server behind TLS: the wheel's server was built without it, so a proxy greets in its place."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import make_certificates
from handlers import message, progress
from networks import Network, server_context
from servers import IN_MEMORY, Server, free_port
from waiting import Connect, Go

from callboard.bus.bus import Bus
from callboard.bus.errors import BusUnavailable
from callboard.bus.lease import LeaseKeeper
from callboard.bus.messages import Outcome


def test_a_run_is_worked_on_over_tls_with_the_authority_that_was_named(
    tmp_path: Path, connect: Connect, go: Go
) -> None:
    """Messages, commits, and the renewal of leases, which has a connection of its own."""
    made, lost = make_certificates(tmp_path), list[object]()

    async def scenario(port: int) -> None:
        async with Network(port, server_context(made.server, made.key)) as network:
            bus = await connect(f"{network.url}?ssl_ca_certs={made.authority}")
            await bus.send(message("a"), sender="manager")
            [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
            keeper = LeaseKeeper(lambda: bus.url, bus.keys, on_lost=lost.append)
            keeper.hold(delivery.entry)
            await asyncio.to_thread(keeper.renew)
            await delivery.commit(Outcome(messages=(progress(),)))
            assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 1}
            assert not lost

    with_server(lambda port: go(scenario(port)))


def test_a_server_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path, run: str, go: Go) -> None:
    made = make_certificates(tmp_path)

    async def scenario(port: int) -> None:
        async with Network(port, server_context(made.server, made.key)) as network:
            with pytest.raises(BusUnavailable, match=r"certificate that is not trusted.*\[bus\] ca"):
                await Bus.connect(network.url, run, connect_s=3600)

    with_server(lambda port: go(scenario(port)))


def test_a_certificate_for_another_address_is_refused_at_once(tmp_path: Path, run: str, go: Go) -> None:
    made = make_certificates(tmp_path, address="127.0.0.2")

    async def scenario(port: int) -> None:
        async with Network(port, server_context(made.server, made.key)) as network:
            with pytest.raises(BusUnavailable, match="IP address mismatch"):
                await Bus.connect(f"{network.url}?ssl_ca_certs={made.authority}", run, connect_s=3600)

    with_server(lambda port: go(scenario(port)))


def test_an_authority_that_is_no_file_is_said(tmp_path: Path, run: str, go: Go) -> None:
    with pytest.raises(BusUnavailable, match=r"there is no file .*gone.pem, which `\[bus\] ca` names"):
        go(Bus.connect(f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path}/gone.pem", run))


def with_server(work: Callable[[int], None]) -> None:
    """Something to do with the port of a server."""
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, port=free_port())
        try:
            work(server.port)
        finally:
            server.stop()
