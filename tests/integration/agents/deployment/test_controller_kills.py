"""A controller that is killed leaves a service that answers, and the next one goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from controllers import Controllers
from deploy_world import World, a_world, until_well, with_traffic
from load import Load
from roster import until

UP_STRIDE = 4


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
    """`up` has some seventy effects: each fourth of them is tried, from one that the seed says."""
    first = seed % UP_STRIDE
    target, kills = world.target(), dict.fromkeys(("up", "shift", "drain", "down"), 0)
    world.serve(target, "blue")
    with Load(world.port, rate=40) as load:

        def killed(call: str, release: str, serves: set[str]) -> bool:
            """Kill one before its next effect, look, and let another one go on; False when none was left."""
            at = first + UP_STRIDE * kills[call] if call == "up" else kills[call]
            if controllers(call, release, at + 1):
                return False
            kills[call] += 1
            assert set(with_traffic(world.target().running())) in ({one} for one in serves), (call, kills)
            assert world.get()[1] in serves, (call, kills)
            assert controllers(call, release), (call, kills)
            return True

        while killed("up", f"green-{kills['up']}", {"blue"}):
            until_well(target, f"green-{kills['up'] - 1}")
            assert controllers("down", f"green-{kills['up'] - 1}")
        green = f"green-{kills['up']}"
        until_well(target, green)
        while killed("shift", green, {"blue", green}):
            assert with_traffic(target.running()) == [green]
            assert controllers("shift", "blue")
        assert controllers("shift", "blue")
        while killed("drain", green, {"blue"}):
            assert with_traffic(target.running()) == ["blue"]
        while killed("down", green, {"blue"}):
            assert [one.id for one in target.running()] == ["blue"]
            assert controllers("up", green)
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
