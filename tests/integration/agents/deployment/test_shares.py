"""What share of the requests a real HAProxy gives to each slot, over many handovers."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_http import Answer, LoopbackServer, Request
from servers import free_port

from callboard.agents.deployment.haproxy import Backend
from callboard.agents.deployment.proxy import Proxy
from callboard.agents.deployment.target import Slot


class Slots:
    """A proxy before two servers, each of which answers with its slot."""

    def __init__(self, folder: Path) -> None:
        self.servers = {"a": LoopbackServer(_answer_a), "b": LoopbackServer(_answer_b)}
        for server in self.servers.values():
            server.start()
        self.port = free_port()
        self.proxy = Proxy(folder, "127.0.0.1", self.port)

    def backends(self, **weights: int) -> tuple[Backend, ...]:
        """Slot -> weight; a slot that is not named is shut."""
        slots: tuple[Slot, ...] = ("a", "b")
        return tuple(
            Backend(slot, self.servers[slot].port if slot in weights else 0, weights.get(slot, 0)) for slot in slots
        )

    def ask(self, times: int) -> str:
        """Who answered, a letter each."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        answers = []
        for _ in range(times):
            connection.request("GET", "/")
            answers.append(connection.getresponse().read().decode())
        connection.close()
        return "".join(answers)

    def stop(self) -> None:
        self.proxy.stop()
        for server in self.servers.values():
            server.stop()


async def _answer_a(request: Request) -> Answer:
    return Answer(body=b"a")


async def _answer_b(request: Request) -> Answer:
    return Answer(body=b"b")


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[Slots]:
    made = Slots(tmp_path)
    made.proxy.ensure(made.backends(a=100))
    yield made
    made.stop()


@pytest.mark.long
def test_who_comes_back_gets_its_share_and_not_what_it_missed(slots: Slots, seed: int) -> None:
    draw = random.Random(seed)
    blue, green = "a", "b"
    for _ in range(15):
        slots.proxy.tell(slots.backends(**{blue: 100}))
        assert set(slots.ask(draw.randrange(50, 400))) == {blue}
        slots.proxy.tell(slots.backends(**{blue: 75, green: 25}))
        said = slots.ask(200)
        assert 15 <= said.count(green) <= 85, said  # 50; a deviation is 6
        if draw.random() < 0.6:
            slots.proxy.tell(slots.backends(**{blue: 0, green: 100}))
            assert set(slots.ask(draw.randrange(1, 400))) == {green}
            blue, green = green, blue
