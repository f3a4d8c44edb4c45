"""dying_controller.py, as tests ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from deploy_world import World

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
