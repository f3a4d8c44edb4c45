"""A controller of compose projects that is killed leaves a service that answers, and the next one goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compose_world import ComposeWorld, a_compose_world
from controllers import Controllers, kill_before_effects

STRIDES = {"up": 15, "shift": 3, "down": 5}
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
    world.serve(world.target(), "blue")
    kills = kill_before_effects(world, controllers, STRIDES, seed)
    print(seed, kills)
    assert min(kills.values()) > 0
