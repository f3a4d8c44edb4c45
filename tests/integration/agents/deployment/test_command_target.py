"""Releases wherever commands put them: the shipped examples, against fakes of the programs that they call."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from deploy_world import World, with_traffic
from workshop import make_workshop

from callboard.agents.deployment.command_target import CommandTarget, Row, read_status
from callboard.agents.deployment.target_settings import CommandSettings
from callboard.agents.deployment.targets import make_target
from callboard.bus.errors import DeployFailed

TOP = Path(__file__).parents[4]
EXAMPLES = {"fly": "flyctl", "kubernetes": "kubectl"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(make_workshop(tmp_path / "project"))


def target_of(world: World, folder: Path, example: str, **changes: object) -> CommandTarget:
    script, program = TOP / f"docs/examples/{example}_target.py", folder / "bin" / EXAMPLES[example]
    program.parent.mkdir(exist_ok=True)
    fake = TOP / "tests/support/fake_clouds.py"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {fake} {program.name} "$@"\n')
    program.chmod(0o755)
    lines = {name: f"{sys.executable} -I {script} {name}" for name in ("up", "health", "switch", "down", "status")}
    commands = CommandSettings.model_validate({**lines, **changes})
    settings = world.settings.model_copy(update={"target": "command", "commands": commands})
    variables = {
        "FAKE_CLOUD": str(folder / "cloud.json"),
        "APP": "shop",
        "IMAGE": "registry/shop:{commit}",
        "ROUTER": "r",
    }
    place = replace(world.place, settings=settings, variables={**variables, "PATH": f"{program.parent}:/usr/bin:/bin"})
    place.folder.mkdir(parents=True, exist_ok=True)
    made = make_target(place)
    assert isinstance(made, CommandTarget)
    return made


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_shipped_example_brings_releases_up_switches_and_stops_them(
    world: World, tmp_path: Path, example: str
) -> None:
    target = target_of(world, tmp_path, example)
    assert target.problems() == ()
    assert target.running() == ()
    first = target.up("r-1", world.commit())
    assert (first.slot, first.weight, first.alive) == ("a", 0, True)
    assert target.healthy("r-1").ok
    assert not target.healthy("r-2").ok
    target.shift({"r-1": 100})
    second = target.up("r-2", world.commit("sick"))
    assert second.slot == "b"
    assert second.address != first.address
    assert with_traffic(target.running()) == ["r-1"]
    with pytest.raises(DeployFailed, match="switches all traffic at once"):
        target.shift({"r-1": 50, "r-2": 50})
    with pytest.raises(DeployFailed, match="r-1 has 100 % of the traffic; give it to r-2 first"):
        target.down("r-1")
    target.shift({"r-2": 100})
    assert with_traffic(target.running()) == ["r-2"]
    assert not target.drain("r-1", 1.0)
    target.down("r-1")
    target.down("r-1")
    again = target_of(world, tmp_path, example)
    assert [(one.id, one.weight) for one in again.running()] == [("r-2", 100)]
    with pytest.raises(DeployFailed, match="r-1 does not run"):
        again.shift({"r-1": 100})
    assert not again.abilities.weights
    assert again.requests(0.0) == ()


@pytest.mark.long
def test_commands_that_lie_fail_or_are_missing_are_said(world: World, tmp_path: Path) -> None:
    def changed(**changes: object) -> CommandTarget:
        return target_of(world, tmp_path, "fly", **changes)

    assert "says nothing for switch, down" in changed(switch="", down="").problems()[0]
    assert (
        "cannot be read: expected lines of `RELEASE WEIGHT ADDRESS`" in changed(status="echo all is well").problems()[0]
    )
    assert "`status` of [deploy.commands] ended with exit code 3: oh" in changed(status="echo oh; exit 3").problems()[0]
    with pytest.raises(DeployFailed, match="`up` of release r-1 ended well, and `status` does not name it"):
        changed(up="true").up("r-1", world.commit())
    target = changed()
    target.up("r-1", world.commit())
    with pytest.raises(DeployFailed, match=r"`switch` ended well, and `status` says that the traffic is \{\}, not"):
        changed(switch="true").shift({"r-1": 100})
    with pytest.raises(DeployFailed, match="`down` of release r-1 ended well, and `status` still names it"):
        changed(down="true").down("r-1")
    target.down("r-1")
    assert target.running() == ()


def test_status_is_read_strictly() -> None:
    assert read_status("\nr-1 0 http://a\n r-2 100 https://b/c \n") == {
        "r-1": Row(0, "http://a"),
        "r-2": Row(100, "https://b/c"),
    }
    for line in ("r-1", "r-1 x http://a", "../r 1 http://a", "r-1 1 ftp://a", "r-1 1 http://a b"):
        with pytest.raises(ValueError, match="expected lines of"):
            read_status(line)
