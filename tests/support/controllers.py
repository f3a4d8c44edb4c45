"""dying_controller.py, as tests ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy_world import World, until_well, with_traffic

SUPPORT = Path(__file__).parent


class Controllers:
    """Args:
    path: Of the controllers, where the world's target needs a program that is on no other; "" = as World has it.
    """

    def __init__(self, world: World, path: str = "") -> None:
        self._world = world
        self._path = path
        command = [sys.executable, str(SUPPORT / "dying_controller.py")]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SUPPORT)},
        )

    def __call__(self, call: str, release: str, at: int = 0) -> bool:
        """Let a new controller do it; whether it lived."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"port": self._world.port, "root": str(self._world.shop.root), "path": self._path}
        more = {"commit": self._world.commit(), "call": call, "release": release, "at": at}
        self._process.stdin.write(json.dumps({**asked, **more}) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().split()
        assert said[:1] in (["died"], ["ended"]), said
        return said[0] == "ended"

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def kill_before_effects(
    world: World, controllers: Controllers, strides: Mapping[str, int], seed: int
) -> dict[str, int]:
    """Kill one controller after the other before an effect of a call, look who serves, and let another one go on: up, shift,
    drain and down of a release beside `blue`, which serves.

    Args:
        strides: Call -> each so many of its effects is tried, from one that the seed says; one that is missing is left out.

    Returns:
        Call -> how many were killed in it.
    """
    target, kills = world.target(), dict.fromkeys(strides, 0)

    def killed(call: str, release: str, serves: set[str]) -> bool:
        """False when no effect was left to be killed before."""
        if controllers(call, release, seed % strides[call] + strides[call] * kills[call] + 1):
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
    while "drain" in strides and killed("drain", green, {"blue"}):
        assert with_traffic(target.running()) == ["blue"]
    while killed("down", green, {"blue"}):
        assert [one.id for one in target.running()] == ["blue"]
        assert controllers("up", green)
    return kills
