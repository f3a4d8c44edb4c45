"""Releases as processes behind a real HAProxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deploy_world import World, a_world, until_well, with_traffic
from sandboxes import KINDS

from callboard.agents.workspace.sandbox import Kind, Sandbox


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def test_a_first_release_serves_a_second_one_takes_over_and_the_first_comes_back(world: World) -> None:
    target = world.target()
    assert target.problems() == ()
    assert (target.running(), target.notices()) == ((), ())
    first = world.serve(target, "r-1")
    assert (first.slot, first.weight, first.alive) == ("a", 0, True)
    assert world.get() == (200, "r-1")

    second = target.up("r-2", world.commit("well, too"))
    until_well(target, "r-2")
    assert (second.slot, second.weight) == ("b", 0)
    assert with_traffic(target.running()) == ["r-1"]
    assert world.get() == (200, "r-1")

    target.shift({"r-1": 50, "r-2": 50})
    assert {world.get()[1] for _ in range(60)} == {"r-1", "r-2"}
    target.shift({"r-2": 100})
    assert {world.get()[1] for _ in range(8)} == {"r-2"}
    assert target.drain("r-1", 60.0)
    target.down("r-1")
    assert [(one.id, one.alive) for one in target.running()] == [("r-2", True)]

    back = world.serve(target, "r-1")
    assert back.slot == "a"
    assert world.get() == (200, "r-1")
    assert "serving r-1" in target.output("r-1").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_in_the_sandbox_is_reached_on_its_port_and_reaches_nothing_outside(world: World, kind: Kind) -> None:
    world.sandbox = Sandbox(kind=kind, hidden=(world.shop.layout.home,))
    target = world.target()
    world.serve(target, "r-1")
    world.serve(target, "r-2", "curious")
    assert world.get() == (200, "r-2")
    said = target.output("r-2").read_text()
    assert "cannot read state.json" in said
    assert f"cannot connect to {world.port}" in said
