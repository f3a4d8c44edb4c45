"""A controller of compose projects that is killed leaves a service that answers, and the next one goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compose_world import ComposeWorld, a_compose_world
from controllers import Controllers
from deploy_world import until_well, with_traffic

STRIDE = {"up": 15, "shift": 3, "down": 5}
"""Each so many of a call's effects is tried, from one that the seed says; `up` has some ninety."""


@pytest.fixture
def world() -> Iterator[ComposeWorld]:
    with a_compose_world() as made:
        yield made


@pytest.fixture
def controllers(world: ComposeWorld) -> Iterator[Controllers]:
    made = Controllers(world, world.path)
    yield made
    made.close()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_before_an_effect_of_any_call_it_leaves_one_release_with_the_traffic(
    world: ComposeWorld, controllers: Controllers, seed: int
) -> None:
    target, kills = world.target(), dict.fromkeys(STRIDE, 0)
    world.serve(target, "blue")

    def killed(call: str, release: str, serves: set[str]) -> bool:
        """Kill one before its next effect, look, and let another one go on; False when none was left."""
        if controllers(call, release, seed % STRIDE[call] + STRIDE[call] * kills[call] + 1):
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
    while killed("down", green, {"blue"}):
        assert [one.id for one in target.running()] == ["blue"]
        assert controllers("up", green)
    print(seed, kills)
    assert min(kills.values()) > 0
