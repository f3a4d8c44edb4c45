"""What is deployed is ended: no request is cut off, nothing is left, and it can come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from deploy_world import World, a_world, until_well
from roster import until

from callboard.agents.deployment.proxy import Proxy
from callboard.agents.deployment.stopping import Stopped, stop_everything


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def test_a_request_in_flight_is_answered_and_then_nothing_of_it_runs(world: World) -> None:
    target, proxy = world.target(), Proxy(world.folder, "127.0.0.1", world.port)
    world.serve(target, "r-1")
    said: list[tuple[int, str]] = []
    user = threading.Thread(target=lambda: said.append(world.get("/slow")))
    user.start()
    until(lambda: any(one.busy for one in proxy.seen().values()), every_s=0.01)
    assert stop_everything(target, 120.0) == (Stopped("r-1", world.commit(), 100, True),)
    user.join(60)
    assert said == [(200, "r-1")]
    assert target.running() == ()
    assert list((world.folder / "running").iterdir()) == []
    assert (target.notices(), stop_everything(target, 1.0)) == ((), ())

    target.up("r-1", world.commit())
    until_well(target, "r-1")
    target.shift({"r-1": 100})
    assert world.get() == (200, "r-1")
