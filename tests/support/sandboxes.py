"""The sandboxes that can be had here, and a workspace whose walls are to be tried."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from workshop import Workshop, make_workshop, write

from callboard.agents.workspace.commands import Finished, run_command
from callboard.agents.workspace.sandbox import OFF, Kind, Sandbox
from callboard.agents.workspace.sandbox_probe import candidates
from callboard.agents.workspace.sandbox_settings import SandboxSettings
from callboard.app import Workspace
from callboard.settings import Settings

KINDS: list[Kind] = candidates("auto")
"""An error here says why this computer has none."""
SECRET = "the-only-key"


@dataclass(frozen=True, slots=True)
class Arena:
    """A user's workspace with two clones, secrets, and an agent that does what it may not."""

    shop: Workshop
    home: Path
    """The user's."""
    kind: Kind

    @property
    def clone(self) -> Path:
        return self.shop.layout.clone("driver-1")

    @property
    def outside(self) -> dict[str, Path]:
        layout = self.shop.layout
        return {
            "root": self.shop.root,
            "home": self.home,
            "vault": layout.vault("driver-1"),
            "other": layout.clone("driver-2"),
            "bus": layout.bus,
        }

    def workspace(self, **settings: object) -> Workspace:
        settings = {"kind": self.kind, **settings}
        made = Settings(root=self.shop.root, sandbox=SandboxSettings.model_validate(settings))
        return Workspace(self.shop.root, made, self.shop.layout, self.shop.repository, {"HOME": str(self.home)})

    def sandbox(self, **settings: object) -> Sandbox:
        """As driver-1's, wired as in a launch."""
        return self.workspace(**settings).sandbox("driver-1", self.clone, self.shop.layout.vault("driver-1"))

    def run(self, command: str | list[str], sandbox: Sandbox = OFF, *, timeout_s: float = 60) -> Finished:
        env = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(self.clone)}
        running = run_command(
            command, cwd=self.clone, env=env, sandbox=sandbox, timeout_s=timeout_s, merge_stderr=True, grace_s=1.0
        )
        return asyncio.run(running)


def make_arena(folder: Path, kind: Kind) -> Arena:
    """In a folder with a short name: a socket's path has a limit."""
    shop, home = make_workshop(folder / "project"), folder / "home"
    for agent in ("driver-1", "driver-2"):
        shop.clone(agent).prepare(shop.head)
        shop.layout.scratch(agent).mkdir(parents=True)
    write(home, {".ssh/id": SECRET, ".bashrc": "# mine\n"})
    write(shop.root, {".env": SECRET})
    write(shop.layout.bus, {"appendonly.aof": SECRET})
    return Arena(shop, home, kind)
