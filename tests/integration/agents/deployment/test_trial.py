"""Green has a share of the requests only as long as the process lives that watches it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deploy_world import World, a_world
from roster import until

from callboard.agents.deployment import keeper
from callboard.agents.deployment.behind_proxy import ProxiedTarget
from callboard.agents.deployment.target import end_trial, give_back
from callboard.bus.errors import DeployFailed

SUPPORT = Path(__file__).parents[3] / "support"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """r-1 serves, r-2 runs beside it."""
    with a_world() as made:
        target = made.target()
        made.serve(target, "r-1")
        made.serve(target, "r-2", percent=0)
        yield made


@contextmanager
def watcher(world: World, percent: int) -> Iterator[subprocess.Popen[str]]:
    """Somebody who watches r-2, and has given it its share; killed in the end, if not before."""
    words = [str(world.shop.root), str(world.port), "r-2", "r-1", str(percent)]
    process = subprocess.Popen(
        [sys.executable, str(SUPPORT / "watching_process.py"), *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("watches")
        yield process
    finally:
        process.kill()
        process.communicate()


def shares(target: ProxiedTarget) -> dict[str, int]:
    return {one.id: one.weight for one in target.running()}


def serves_alone(target: ProxiedTarget) -> bool:
    """Whether Blue has everything, as a proxy says that may just have begun."""
    try:
        return shares(target) == {"r-1": 100, "r-2": 0}
    except DeployFailed:
        return False


def kill(world: World, name: str) -> None:
    os.kill(int((world.folder / "running" / name).read_text().split()[0]), 9)
    until(lambda: not keeper.is_alive(keeper.read(str(world.folder / "running" / name))), every_s=0.01)


def ends(target: ProxiedTarget) -> int:
    """How often people are told that the switch ended by itself."""
    return sum(int(one.split("ended by itself ")[1].split()[0]) for one in target.notices() if "by itself" in one)


def of_trials(target: ProxiedTarget) -> list[str]:
    """What people are told besides."""
    return [one for one in target.notices() if "by itself" not in one]


def trial(world: World) -> str:
    return str(world.folder / "proxy" / "trial.json")


def test_what_nobody_watches_any_more_gets_no_requests_and_that_is_said(world: World) -> None:
    target = world.target()
    before = ends(target)
    for percent in (50, 100):  # in the middle of a canary, and of its bake
        with watcher(world, percent):
            give_back(target)
            assert shares(target) == {"r-1": 100 - percent, "r-2": percent}, "its watcher lives"
            assert of_trials(target) == []
        until(lambda: not Path(trial(world)).exists())
        assert shares(target) == {"r-1": 100, "r-2": 0}
        assert {world.get() for _ in range(20)} == {(200, "r-1")}
        [said] = of_trials(target)
        assert said.startswith(
            f"r-2 had {percent} % of the requests when who watched it ended, so r-1 has had everything"
        )
    kill(world, ".proxy")
    until(lambda: serves_alone(target))
    assert target.try_out("r-2", "r-1").startswith("r-2 had 100 % of the requests")
    assert (of_trials(target), ends(target)) == ([], before + 1)
    end_trial(target)


def test_a_watcher_that_ended_before_green_had_anything_is_not_spoken_of(world: World) -> None:
    target = world.target()
    with watcher(world, 0):
        pass
    until(lambda: not Path(trial(world)).exists())
    assert of_trials(target) == []


@pytest.mark.long
def test_a_proxy_that_was_killed_with_the_watcher_comes_back_with_everything_for_blue(world: World) -> None:
    target = world.target()
    with watcher(world, 50) as process:
        process.kill()
        kill(world, ".proxy")
        until(lambda: serves_alone(target) and not Path(trial(world)).exists())
    assert target.try_out("r-3", "r-1") == "", "the one before was not about r-3"
    end_trial(target)


@pytest.mark.long
def test_whoever_watches_anew_gives_green_its_share_again_and_it_keeps_it(world: World) -> None:
    target = world.target()
    with watcher(world, 50) as first:
        first.kill()
        first.wait()
        with watcher(world, 25):  # its trial is begun before or after the keeper has looked
            keeper.give_back(trial(world))
            assert shares(target) == {"r-1": 75, "r-2": 25}
            end_trial(target)
    assert not Path(trial(world)).exists()
    keeper.give_back(trial(world))
    assert shares(target) == {"r-1": 75, "r-2": 25}, "it is on trial no more"
    target.shift({"r-1": 100})


@pytest.mark.long
def test_a_blue_that_does_not_answer_is_given_nothing_and_green_serves_on(world: World) -> None:
    target = world.target()
    with watcher(world, 100):
        kill(world, "r-1")
        until(lambda: not next(one for one in target.running() if one.id == "r-1").alive)
        blue = keeper.trial_of(trial(world))["port"]
        until(lambda: not keeper.answers(int(blue)))
    keeper.give_back(trial(world))
    assert world.get() == (200, "r-2")
    assert "nobody watches r-2, and Blue could not be given everything yet" in of_trials(target)[-1]
    target.up("r-1", world.commit())
    until(lambda: not Path(trial(world)).exists())
    assert shares(target) == {"r-1": 100, "r-2": 0}


@pytest.mark.long
def test_a_switch_and_its_keeper_that_both_ended_run_again_and_do_both_their_work(world: World) -> None:
    target = world.target()
    assert not target.reopen()
    before = ends(target)
    for names in ([".keeper"], [".keeper", ".proxy"]):
        for name in names:
            kill(world, name)
        assert target.reopen()
        assert not target.reopen()
        until(lambda: serves_alone(target))
        assert world.get() == (200, "r-1")
    assert ends(target) == before + 1, "the keeper's end is none of the switch's"
    with watcher(world, 50):
        pass
    until(lambda: not Path(trial(world)).exists())
    assert shares(target) == {"r-1": 100, "r-2": 0}


@pytest.mark.long
def test_what_is_taken_down_after_its_trial_is_spoken_of_no_more(world: World) -> None:
    target = world.target()
    with watcher(world, 50):
        pass
    until(lambda: not Path(trial(world)).exists())
    assert [one.split(" % ")[0] for one in of_trials(target)] == ["r-2 had 50"]
    target.down("r-2")
    assert of_trials(target) == []
    world.serve(target, "r-2", percent=0)
