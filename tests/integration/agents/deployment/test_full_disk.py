"""A disk that is full from some write of the environment's folder on: a clear end, nothing torn, and Blue serves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from deploy_world import World, a_world, until_well, with_traffic

from callboard.agents.deployment.state import Store
from callboard.bus.errors import DeployFailed

SIZE = 100 * 1024 * 1024
"""A build wants 64 MB free."""
UP_STRIDE = 4
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
BEGINS = "subprocess.Popen"
"""What another program writes counts too: the disk is full when it begins."""


@dataclass
class Disk:
    """A small one of its own, that fills up just before one of our writes."""

    folder: Path
    left: int = 0
    """Writes until then; 0 = it does not fill up."""

    def saw(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.left or not self._is_write(event, arguments):
            return
        self.left -= 1
        if not self.left:
            self.fill()

    def _is_write(self, event: str, arguments: tuple[object, ...]) -> bool:
        if event == BEGINS:
            return True
        if event != "open":
            return False
        path, _, flags = arguments
        return isinstance(path, str | os.PathLike) and str(path).startswith(str(self.folder)) and bool(flags & WRITES)  # type: ignore[operator]

    def fill(self) -> None:
        with (self.folder / "others").open("wb") as file:
            while True:
                try:
                    os.posix_fallocate(file.fileno(), 0, self._free() + os.fstat(file.fileno()).st_size)
                except OSError:
                    return
                if not self._free():
                    return

    def _free(self) -> int:
        seen = os.statvfs(self.folder)
        return seen.f_bavail * seen.f_frsize

    def empty(self) -> None:
        self.left = 0
        (self.folder / "others").unlink(missing_ok=True)


@pytest.fixture
def world() -> Iterator[World]:
    with a_world(stop_s=1.0) as made:
        made.folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(made.folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small disk of one's own needs the right to mount one")
        try:
            yield made
            made.end()
        finally:
            subprocess.run(["umount", "--lazy", str(made.folder)], check=True)


@pytest.fixture
def disk(world: World) -> Disk:
    made = Disk(world.folder)
    # a hook cannot be taken away again; this one does nothing once nothing is left to count
    sys.addaudithook(made.saw)
    return made


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_disk_that_is_full_from_any_write_on_ends_clearly_and_blue_serves(
    world: World, disk: Disk, seed: int
) -> None:
    """`up` writes most: each fourth of its writes is tried, from one that the seed says."""
    target, first = world.target(), seed % UP_STRIDE
    world.serve(target, "blue")
    full = dict.fromkeys(("up", "shift", "down"), 0)
    said: list[str] = []

    def met(call: str, act: Callable[[], object]) -> bool:
        """Whether there was a write left to fail."""
        disk.left = (first + UP_STRIDE * full[call] if call == "up" else full[call]) + 1
        try:
            act()
        except DeployFailed as error:
            said.append(str(error))
        was_left = disk.left
        assert world.get()[0] == 200
        assert len(with_traffic(world.target().running())) == 1
        Store(world.folder).read()
        disk.empty()
        if was_left:
            return False
        act()
        full[call] += 1
        return True

    def up() -> None:
        target.up("green", world.commit("well, too"))

    while met("up", up):
        assert with_traffic(target.running()) == ["blue"]
        target.down("green")
        world.place.builder.remove(world.place.release_folder("green"))
    until_well(target, "green")
    while met("shift", lambda: target.shift({"green": 100})):
        assert with_traffic(target.running()) == ["green"]
        target.shift({"blue": 100})
    target.shift({"blue": 100})
    while met("down", lambda: target.down("green")):
        assert [one.id for one in target.running()] == ["blue"]
        target.up("green", world.commit("well, too"))
        until_well(target, "green")
    print(seed, full, {text[-70:] for text in said})
    assert min(full.values()) > 1
    assert all("room" in text or "No space left" in text or "could not be" in text for text in said), said


@pytest.mark.long
def test_on_a_full_disk_the_switch_goes_back_to_blue_all_the_same(world: World, disk: Disk) -> None:
    target = world.target()
    world.serve(target, "blue")
    world.serve(target, "green", percent=0)
    target.shift({"blue": 50, "green": 50})
    disk.fill()
    target.shift({"blue": 100})
    assert with_traffic(world.target().running()) == ["blue"]
    assert {world.get() for _ in range(8)} == {(200, "blue")}
    target.down("green")
    assert [one.id for one in world.target().running()] == ["blue"]
    disk.empty()
