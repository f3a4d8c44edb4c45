"""A launch that ends while Green has a share of the requests, by a command or by kill -9: nobody watches Green, so it has none;
and a switch that is killed with its keeper, which a launch brings back."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from deploying_roster import BY_USERS, commit, deploying, port_of, stop_services
from roster import HANG_S, Workspace, until

from callboard.agents.deployment import keeper
from callboard.app import Workspace as Opened
from callboard.bus.errors import DeployFailed
from callboard.deploying import Deploying


def row(made: Workspace, number: int) -> dict[str, object]:
    """The deployment with that number; {} before it is there."""
    done = made.call("deployments", "--json")
    found = json.loads(done.stdout)["deployments"] if done.returncode == 0 else []
    return dict(found[number - 1]) if len(found) >= number else {}


def shares(made: Workspace) -> dict[str, int]:
    """What each release has, as the switch says; {} while that has just begun."""
    target = Deploying(Opened.open(made.path, os.environ)).target("production")
    try:
        return {one.id: one.weight for one in target.running()}
    except DeployFailed:
        return {}


def get(made: Workspace) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port_of(made)}/", timeout=60) as answer:
        return str(answer.read().decode())


def is_at(made: Workspace, number: int, state: str) -> Callable[[], bool]:
    return lambda: row(made, number).get("state") == state


def kill_switch(made: Workspace) -> None:
    """HAProxy and its keeper at once, which brings neither back."""
    folder = made.path / ".callboard/deploy/production/running"
    ran = [(folder / name).read_text() for name in (".keeper", ".proxy")]
    for record in ran:
        os.kill(int(record.split()[0]), signal.SIGKILL)
    until(lambda: not any(map(keeper.is_alive, ran)), every_s=0.01)


@pytest.mark.long
def test_a_launch_that_ends_in_a_canary_leaves_blue_with_everything_and_says_so(tmp_path: Path) -> None:
    made = deploying(tmp_path / "left", notes="", analysis=BY_USERS)
    try:
        launch = made.start("--stay")
        until(lambda: made.call("status").returncode == 0 and "deployment" in made.call("status").stdout)
        assert made.call("deploy").returncode == 0
        until(is_at(made, 1, "baking"))

        def used() -> bool:
            get(made)
            return bool(row(made, 1).get("state") == "done")

        until(used)
        blue = str(row(made, 1)["release"])

        kill_switch(made)
        until(lambda: shares(made) == {blue: 100})  # no deployment is under way, and the agent looks all the same
        assert get(made) == blue

        newer = commit(made, {"app/new.txt": "x\n"}, "More")
        assert made.call("deploy", "--commit", newer).returncode == 0
        until(is_at(made, 2, "promoting"))
        green = str(row(made, 2)["release"])
        half, none = {blue: 50, green: 50}, {blue: 100, green: 0}
        until(lambda: shares(made) == half)

        kill_switch(made)
        until(lambda: shares(made) == half)  # the agent has them both run again

        stopped = made.call("stop")
        output, _ = launch.communicate(timeout=HANG_S)
        told = f"d-2 is left promoting in production, where {blue} has 100 % of the requests, {green} 0 %: `callboard launch`"
        assert told in stopped.stdout
        assert told in output
        assert shares(made) == none
        assert {get(made) for _ in range(10)} == {blue}

        again = made.start("--stay")
        until(lambda: shares(made) == half)
        again.kill()
        again.communicate()
        until(lambda: shares(made) == none)
        assert {get(made) for _ in range(10)} == {blue}
        said = made.call("deployments").stdout
        assert f"{blue} has 100 % of the requests, {green} 0 %" in said
        assert f"{green} had 50 % of the requests when who watched it ended" in said

        refused = made.call("deploy", "stop")
        assert (refused.returncode, "d-2 is under way in production" in refused.stderr) == (1, True)
        assert {get(made) for _ in range(10)} == {blue}

        kill_switch(made)  # nobody is launched who could look
        assert f"HAProxy does not run, so nobody answers on port {port_of(made)}" in made.call("deployments").stdout
        back = made.call("rollback")
        assert back.returncode == 0, back.stdout + back.stderr
        assert (row(made, 2)["state"], shares(made)) == ("rolled_back", {blue: 100})
        assert get(made) == blue
        assert "when who watched it ended" not in made.call("deployments").stdout

        ended = made.call("deploy", "stop", "--reason", "moved elsewhere", "--as", "Ada")
        assert ended.stdout.startswith(f"production: {blue}, commit "), ended.stdout + ended.stderr
        assert "is ended and had no requests left, and so is the switch" in ended.stdout
        assert list((made.path / ".callboard/deploy/production/running").iterdir()) == []
        said = made.call("deployments").stdout
        assert f"production: served {blue}, commit " in said
        assert "nothing runs there now" in said
        assert f"Ada: stopped {blue}: moved elsewhere" in said
    finally:
        made.stop_everything()
        stop_services(made)
