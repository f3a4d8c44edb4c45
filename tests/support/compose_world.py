"""An environment whose releases are compose projects of a fake `docker`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy_world import SERVICE, World
from workshop import make_workshop

from callboard.agents.deployment.compose_target import ComposeTarget
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.target_settings import ComposeSettings, TargetSettings

FAKE = Path(__file__).with_name("fake_docker.py")
SECRET = "hunter2-hunter2"


def compose_file(**web: object) -> dict[str, Any]:
    """The service, as a compose file has it that a careful person wrote."""
    own = {"build": ".", "command": [sys.executable, "-I", "-S", "service.py"], "ports": ["8000:8000"]}
    return {"services": {"web": {**own, "environment": {"URL": "db://${TOKEN}@x"}, **web}}}


@dataclass
class ComposeWorld(World):
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Behaviour -> another compose file."""

    @property
    def engine(self) -> Path:
        """Where the fake engine keeps what it has."""
        return self.shop.root.parent / "engine"

    @property
    def settings(self) -> TargetSettings:
        return super().settings.model_copy(update={"target": "compose", "compose": self.compose, "start": ""})

    @property
    def place(self) -> Place:
        return replace(super().place, variables={"TOKEN": SECRET}, secrets=frozenset({"TOKEN"}))

    def target(self) -> ComposeTarget:
        return ComposeTarget(self.place)

    def commit(self, behaviour: str = "well") -> str:
        if behaviour not in self.commits:
            file = json.dumps(self.files.get(behaviour, compose_file()))
            files = {"service.py": SERVICE.read_text(), "behaviour.txt": behaviour, "compose.yaml": file}
            self.commits[behaviour] = self.shop.commit(files, behaviour)
        return self.commits[behaviour]

    def install(self) -> None:
        """Put the fake on this world's PATH."""
        self.engine.mkdir()
        program = self.engine / "bin/docker"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE} {self.engine} "$@"\n')
        program.chmod(0o755)
        self.path = f"{program.parent}:{self.path}"

    @property
    def calls(self) -> list[str]:
        """Docker's arguments of each call."""
        return (self.engine / "calls").read_text().splitlines()

    @property
    def images(self) -> dict[str, str]:
        return dict(json.loads((self.engine / "engine.json").read_text())["images"])

    def end(self) -> None:
        for flag in ("dead", "compose", *(path.name for path in self.engine.glob("fails-*"))):
            (self.engine / flag).unlink(missing_ok=True)
        target = self.target()
        for one in sorted(target.running(), key=lambda it: it.weight):
            target.down(one.id)


@contextmanager
def a_compose_world() -> Iterator[ComposeWorld]:
    with TemporaryDirectory(prefix="cb-") as folder:
        world = ComposeWorld(make_workshop(Path(folder) / "project"), stop_s=1.0)
        world.install()
        try:
            yield world
        finally:
            world.end()
