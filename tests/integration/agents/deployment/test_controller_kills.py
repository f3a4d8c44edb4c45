"""A controller that is killed leaves a service that answers, and the next one goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from controllers import Controllers, kill_before_effects
from deploy_world import World, a_world, with_traffic
from load import Load
from roster import until

STRIDES = {"up": 4, "shift": 1, "drain": 1, "down": 1}
"""Each so many of a call's effects is tried, from one that the seed says; `up` has some seventy."""


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


@pytest.fixture
def controllers(world: World) -> Iterator[Controllers]:
    made = Controllers(world)
    yield made
    made.close()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_before_any_effect_of_any_call_it_leaves_one_release_with_the_traffic(
    world: World, controllers: Controllers, seed: int
) -> None:
    world.serve(world.target(), "blue")
    with Load(world.port, rate=40) as load:
        kills = kill_before_effects(world, controllers, STRIDES, seed)
    print(seed, kills, load.counts)
    assert kills["up"] > 10
    assert min(kills["shift"], kills["down"]) > 3
    assert kills["drain"] > 0
    assert load.counts.failed == 0


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill(world: World, *names: str) -> None:
    """As the kernel does that has no memory left."""
    for name in names:
        pid = int((world.folder / "running" / name).read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        while is_there(pid):
            time.sleep(0.01)


def until_it_answers(world: World) -> tuple[int, str]:
    while True:
        try:
            return world.get()
        except OSError:
            time.sleep(0.05)


def test_a_killed_proxy_is_started_again_as_it_stood_whatever_was_killed_with_it(world: World) -> None:
    target = world.target()
    world.serve(target, "r-1")
    world.serve(target, "r-2", percent=0)
    assert target.notices() == ()
    kill(world, ".proxy")
    assert until_it_answers(world) == (200, "r-1")
    target.shift({"r-2": 100})
    kill(world, ".proxy")
    assert until_it_answers(world) == (200, "r-2")
    assert target.notices()[0].startswith("HAProxy ended by itself ")

    kill(world, ".keeper")
    assert world.get() == (200, "r-2")
    target.shift({"r-1": 100})
    kill(world, ".proxy")
    assert until_it_answers(world) == (200, "r-1")

    kill(world, ".keeper", ".proxy")
    until(lambda: is_refused(world))
    assert f"HAProxy does not run, so nobody answers on port {world.port}" in target.notices()[-1]
    target.up("r-2", world.commit())
    assert with_traffic(target.running()) == ["r-1"]
    assert world.get() == (200, "r-1")

    kill(world, ".keeper", ".proxy")
    target.reopen()
    assert with_traffic(target.running()) == ["r-1"]
    assert world.get() == (200, "r-1")


def test_what_was_stopped_stays_stopped_and_no_keeper_is_left(world: World) -> None:
    target = world.target()
    world.serve(target, "r-1")
    keeper = int((world.folder / "running" / ".keeper").read_text().split()[0])
    target.down("r-1")
    assert not is_there(keeper)
    assert not (world.folder / "running" / ".keeper").exists()
    until(lambda: is_refused(world))


def is_refused(world: World) -> bool:
    """A process of several threads may be gone a moment before its sockets are: who connects then is hung up on."""
    try:
        world.get()
    except URLError as error:
        return isinstance(error.reason, ConnectionRefusedError)
    except ConnectionError:
        pass
    return False
