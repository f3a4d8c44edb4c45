"""Releases as compose projects behind a real HAProxy, of a fake `docker` whose containers are processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from compose_world import SECRET, ComposeWorld, a_compose_world, compose_file
from deploy_world import leave_to, until_well, with_traffic
from load import Load
from roster import until

from callboard.agents.deployment.docker import read_ps, read_version
from callboard.agents.deployment.target import Abilities
from callboard.agents.deployment.target_settings import ComposeSettings
from callboard.bus.errors import DeployFailed

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def serving() -> Iterator[ComposeWorld]:
    """r-1 serves; each test leaves it so."""
    with a_compose_world() as made:
        made.serve(made.target(), "r-1")
        yield made


@pytest.fixture
def world(serving: ComposeWorld) -> Iterator[ComposeWorld]:
    yield serving
    leave_to(serving, "r-1")


def test_promotions_and_rollbacks_under_load_fail_no_request_and_the_last_three_come_back_as_they_were_built() -> None:
    with a_compose_world() as world:
        target = world.target()
        assert target.problems() == ()
        assert target.abilities == Abilities(weights=True, drain=True, statistics=True)
        world.serve(target, "r-0")
        blue = "r-0"
        with Load(world.port, rate=60) as load:
            for number in range(1, 5):
                green = f"r-{number}"
                assert target.up(green, world.commit(f"well {number}")).weight == 0
                until_well(target, green)
                target.shift({blue: 50, green: 50})
                load.wait_for(5, green)
                target.shift({green: 100})
                assert target.drain(blue, 120.0)
                target.down(blue)
                assert with_traffic(world.target().running()) == [green]
                blue = green
            world.serve(target, "r-2", "well 2")
            target.drain(blue, 120.0)
            target.down(blue)
            load.wait_for(5, "r-2")
        print(load.counts)
        assert (load.counts.failed, load.counts.reset) == (0, 0)
        assert "r-2" in {one.release for one in target.requests(0.0)}
        assert sorted(name.partition(":")[2] for name in world.images) == ["r-2", "r-3", "r-4"]
        assert sum(" build" in call for call in world.calls) == 5


def test_the_secret_reaches_the_service_and_no_file(world: ComposeWorld) -> None:
    target = world.target()
    target.up("r-secret", world.commit("curious-not"))
    until_well(target, "r-secret")
    kept = [path for path in world.folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    assert SECRET not in "".join(world.calls)
    box = next(
        one for one in json.loads((world.engine / "engine.json").read_text())["containers"] if "r-secret" in str(one)
    )
    environ = Path(f"/proc/{box['pid']}/environ").read_text().split("\0")
    assert {f"URL=db://{SECRET}@x", f"TOKEN={SECRET}"} <= set(environ)
    until(lambda: "serving r-secret" in target.output("r-secret").read_text())


def test_a_file_that_reaches_past_its_containers_starts_nothing_until_a_person_lists_it(world: ComposeWorld) -> None:
    world.files["greedy"] = compose_file(privileged=True, volumes=[{"type": "bind", "source": "/", "target": "/host"}])
    before = len(world.calls)
    with pytest.raises(DeployFailed) as refused:
        world.target().up("r-greedy", world.commit("greedy"))
    assert "compose.yaml of" in str(refused.value)
    assert "web.privileged=true, web.volumes=/:/host; take that out, or a person lets it by" in str(refused.value)
    assert not [call for call in world.calls[before:] if " up " in call or " build" in call]
    world.compose = ComposeSettings(allow=("web.privileged=true", "web.volumes=/:/host"))
    try:
        world.target().up("r-greedy", world.commit("greedy"))
        until_well(world.target(), "r-greedy")
    finally:
        world.compose = ComposeSettings()


def test_a_file_that_is_not_there_or_hands_a_secret_on_is_said(world: ComposeWorld) -> None:
    world.files["talks"] = compose_file(command=["echo", "${TOKEN}"])
    with pytest.raises(DeployFailed, match="has TOKEN outside of a service's `environment`"):
        world.target().up("r-talks", world.commit("talks"))
    world.compose = ComposeSettings(file="deploy/prod.yaml")
    with pytest.raises(DeployFailed, match=r"deploy/prod.yaml is not in \w{12}; commit it"):
        world.target().up("r-talks-3", world.commit("well"))
    world.compose = ComposeSettings()


def test_a_start_that_fails_says_what_docker_said_and_one_that_dies_is_seen_dead(world: ComposeWorld) -> None:
    target = world.target()
    for word, said in (("build", "no space left on device"), ("up", "port is already allocated")):
        (world.engine / f"fails-{word}").write_text(said)
        with pytest.raises(DeployFailed, match=f"`docker compose {word}` ended with exit code 1: {said}"):
            target.up("r-fails", world.commit("sick"))
        (world.engine / f"fails-{word}").unlink()
    target.up("r-dies", world.commit("dies"))
    until(lambda: not any(one.id == "r-dies" and one.alive for one in target.running()))
    assert target.healthy("r-dies").said == "it does not run"
    until(lambda: "nothing here works" in target.output("r-dies").read_text())
    with pytest.raises(DeployFailed, match="r-dies does not run, so it gets no traffic"):
        target.shift({"r-dies": 100})


def test_one_that_is_sick_deaf_or_lies_is_told_by_looks_and_requests(world: ComposeWorld) -> None:
    world.health_timeout_s = 1.0
    target = world.target()
    target.up("r-deaf", world.commit("deaf"))
    until(lambda: "serving" in target.output("r-deaf").read_text())
    assert not target.healthy("r-deaf").ok
    target.down("r-deaf")
    world.health_timeout_s = 20.0
    target = world.target()
    world.serve(target, "r-lies", "lies")
    assert world.get()[0] == 500
    target.shift({"r-1": 100})
    # the switch has answered before it writes its line about it
    until(lambda: ("r-lies", 500) in {(one.release, one.status) for one in target.requests(0.0)})


def test_when_the_engine_dies_blue_is_switched_to_all_the_same_and_nothing_is_begun(world: ComposeWorld) -> None:
    target = world.target()
    world.serve(target, "r-warm", "well, too", percent=0)
    target.shift({"r-1": 50, "r-warm": 50})
    (world.engine / "dead").touch()
    try:
        assert "an engine that runs" in target.problems()[0]
        with pytest.raises(DeployFailed, match="Cannot connect to the Docker daemon"):
            target.up("r-warm-3", world.commit("sick"))
        target.shift({"r-1": 100})
        assert with_traffic(target.running()) == ["r-1"]
        assert world.get() == (200, "r-1")
        with pytest.raises(DeployFailed, match="Cannot connect to the Docker daemon"):
            target.down("r-warm")
    finally:
        (world.engine / "dead").unlink()


def test_without_docker_or_with_an_old_one_that_is_a_problem_and_nothing_is_started(world: ComposeWorld) -> None:
    path, world.path = world.path, "/nonexistent"
    assert "there is no `docker` on PATH" in world.target().problems()[0]
    with pytest.raises(DeployFailed, match="there is no `docker` on PATH"):
        world.target().up("r-none", world.commit())
    world.path = path
    (world.engine / "compose").write_text("v2.20.1")
    assert "Docker Compose is 2.20, and 2.35 or newer is needed" in world.target().problems()[0]
    (world.engine / "compose").unlink()


def test_what_was_begun_and_not_ended_is_gone_on_with(world: ComposeWorld) -> None:
    """As after a kill between two containers: one runs, the other was never made."""
    own = compose_file()["services"]["web"]
    world.files["pair"] = {"services": {"web": own, "worker": {"image": "busybox"}}}
    world.compose = ComposeSettings(service="web")
    target = world.target()
    first = target.up("r-pair", world.commit("pair"))
    state = world.engine / "engine.json"
    engine = json.loads(state.read_text())
    engine["containers"] = [box for box in engine["containers"] if box["service"] != "worker"]
    state.write_text(json.dumps(engine))
    assert target.up("r-pair", world.commit("pair")).address == first.address
    assert {box["service"] for box in json.loads(state.read_text())["containers"]} == {"web", "worker"}
    target.down("r-pair")
    target.down("r-pair")
    world.compose = ComposeSettings()


def test_what_ps_and_version_print_is_read_in_both_forms() -> None:
    row = {"Service": "web", "State": "running", "Labels": "a=b,callboard.release=r-1,callboard.switched=yes"}
    lines = read_ps(json.dumps(row) + "\n" + json.dumps({**row, "Labels": ""}))
    assert [(one.release, one.is_switched) for one in lines] == [("r-1", True), ("", False)]
    assert read_ps(json.dumps([row]))[0].state == "running"
    assert read_ps("") == ()
    with pytest.raises(DeployFailed, match="cannot be read"):
        read_ps("oh")
    assert [read_version(text) for text in ("v2.40.3\n", "2.35", "dev")] == [(2, 40), (2, 35), (0, 0)]
