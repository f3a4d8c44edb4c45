"""Controllers of a target that die at a chosen effect, each a fork of one process that has imported all it takes.

Reads JSON lines from stdin: {"port", "root", "call", "release", "commit", "at"}, and for the target `compose` "path", a PATH with the
fake `docker` in front; does the call in a fork that kills itself with SIGKILL just before its effect number `at` (0: never);
answers a line: `died`, or `ended` and how many effects there were.

An effect is what another process could see: a file renamed or removed, a lock, a program begun, a signal, a word to the
proxy. Python's audit events tell them, so nothing of the controller's own code is touched.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from compose_world import ComposeWorld
from deploy_world import World
from workshop import Workshop

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.layout import Layout

EFFECTS = {"os.rename", "os.remove", "os.kill", "socket.connect", "subprocess.Popen", "fcntl.flock", "shutil.rmtree"}


def die_at(number: int) -> list[str]:
    """From here on count effects; before that one, die."""
    seen: list[str] = []

    def hook(event: str, _: object) -> None:
        if event in EFFECTS:
            seen.append(event)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def _world(asked: dict[str, object], shop: Workshop) -> World:
    port = int(str(asked["port"]))
    if not asked.get("path"):
        return World(shop, port)
    return ComposeWorld(shop, port, path=str(asked["path"]), stop_s=1.0)


def act(asked: dict[str, object]) -> int:
    root = Path(str(asked["root"]))
    world = _world(asked, Workshop(root, Layout(root), Repository(root)))
    target, release = world.target(), str(asked["release"])
    effects = die_at(int(str(asked["at"])))
    match asked["call"]:
        case "up":
            target.up(release, str(asked["commit"]))
        case "shift":
            target.shift({release: 100})
        case "drain":
            assert target.drain(release, 120.0)
        case "down":
            target.down(release)
    return len(effects)


def main() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, f"ended {act(json.loads(line))}".encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        said = os.read(reading, 100).decode()
        os.close(reading)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("died" if killed else said or "failed", flush=True)


if __name__ == "__main__":
    main()
