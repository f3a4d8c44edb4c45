"""An environment for tests of targets: a repository with a small service, and a target that deploys it."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from workshop import Workshop, make_workshop

from callboard.agents.deployment.behind_proxy import ProxiedTarget
from callboard.agents.deployment.checkouts import Builder
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.process_target import ProcessTarget
from callboard.agents.deployment.target import Release, Target
from callboard.agents.deployment.target_settings import TargetSettings
from callboard.agents.workspace.environment import work_environment
from callboard.agents.workspace.lots import Lots
from callboard.agents.workspace.sandbox import OFF, Sandbox
from callboard.agents.workspace.setup import Setup

SERVICE = Path(__file__).with_name("deployed_service.py")
START = f"exec {sys.executable} -I -S service.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class World:
    shop: Workshop
    port: int = field(default_factory=free_port)
    start: str = START
    build: tuple[str, ...] = ()
    setup: Setup = field(default_factory=Setup)
    sandbox: Sandbox = OFF
    path: str = field(default_factory=lambda: os.environ["PATH"])
    """The launcher's."""
    health_timeout_s: float = 20.0
    stop_s: float = 10.0
    commits: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.shop.layout.deploy("production")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> TargetSettings:
        return TargetSettings(
            start=self.start,
            build=self.build,
            port=self.port,
            health_timeout_s=self.health_timeout_s,
            stop_s=self.stop_s,
        )

    @property
    def place(self) -> Place:
        builder = Builder(self.shop.repository, self._sandbox, self.setup, self.build)
        variables = {"SWITCH": str(self.port)}
        settings, lot = self.settings, self._lot
        return Place("production", self.folder, settings, builder, lot, variables, {**os.environ, "PATH": self.path})

    def target(self) -> ProxiedTarget:
        """A new controller: nothing of an earlier one is in it."""
        return ProcessTarget(self.place)

    def commit(self, behaviour: str = "well") -> str:
        """A commit of the service that behaves so; the same each time."""
        if behaviour not in self.commits:
            files = {"service.py": SERVICE.read_text(), "behaviour.txt": behaviour}
            self.commits[behaviour] = self.shop.commit(files, behaviour)
        return self.commits[behaviour]

    def serve(self, target: Target, release: str, behaviour: str = "well", percent: int = 100) -> Release:
        """Start a release, wait until it is well, and give it traffic."""
        made = target.up(release, self.commit(behaviour))
        until_well(target, release)
        if percent:
            target.shift({release: percent})
        return made

    def get(self, path: str = "/") -> tuple[int, str]:
        """What somebody who uses the service meets."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _lot(self, name: str, is_starting: bool) -> Mapping[str, str]:
        lot = Lots(self.shop.layout.lots, self.shop.root, 1).of(name, is_starting=is_starting)
        return work_environment(self.shop.layout, name, env={}, pass_env=(), inherited=os.environ, lot=lot)

    def _sandbox(self, name: str, folder: Path, git_dir: Path) -> Sandbox:
        if self.sandbox.kind == "off":
            return OFF
        return self.sandbox.allowing(writable=(folder, self.shop.layout.scratch(name)), readable=(git_dir / "objects",))

    def end(self) -> None:
        """Stop everything that runs here."""
        self.path = os.environ["PATH"]
        target = self.target()
        for one in sorted(target.running(), key=lambda it: it.weight):
            target.down(one.id)


@contextmanager
def a_world(**changes: object) -> Iterator[World]:
    """In a folder with a short name; everything that runs there ends with it."""
    with TemporaryDirectory(prefix="cb-") as folder:
        world = World(make_workshop(Path(folder) / "project"))
        for name, value in changes.items():
            setattr(world, name, value)
        try:
            yield world
        finally:
            world.end()


def until_well(target: Target, release: str) -> None:
    while not (health := target.healthy(release)).ok:
        assert any(one.id == release and one.alive for one in target.running()), health
        time.sleep(0.02)


def with_traffic(running: Sequence[Release]) -> list[str]:
    return [one.id for one in running if one.weight]


def leave_to(world: World, release: str) -> None:
    """It serves everything, whatever a test did beside it; what else runs is stopped."""
    target = world.target()
    assert with_traffic(target.running()) == [release]
    assert world.get() == (200, release)
    for one in target.running():
        if one.id != release:
            target.down(one.id)
