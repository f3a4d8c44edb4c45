"""Programs that outlive who started them, each known by a record of its process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment import keeper
from callboard.agents.deployment.tails import tail
from callboard.agents.workspace import guard
from callboard.agents.workspace.guard import descendants, send
from callboard.bus.errors import DeployFailed

DETACH = Path(__file__).with_name("detach.py")
"""The program that starts them."""
_START_S = 60.0
"""For an interpreter to start and to put another program in its place, also on a busy computer."""
_KILLED_S = 15.0
"""How long a guard repeats SIGKILL, and somewhat more."""
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Detached:
    """One program. It may run or not; its record says.

    Args:
        record: Where its process is on record.
        output: What it prints is appended here.
        guarded: What it leaves behind ends with it.
    """

    record: Path
    output: Path
    guarded: bool = True

    def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace_s: float) -> None:
        """Start it; nothing happens when it runs.

        Args:
            grace_s: Between SIGTERM and SIGKILL for what its guard finds left.

        Raises:
            DeployFailed: It could not even begin.
        """
        if self.alive:
            return
        options = ["--record", str(self.record), "--output", str(self.output), "--grace", str(grace_s)]
        options += ["--guard", guard.__file__ if self.guarded else "-"]
        command = [sys.executable, "-I", "-S", str(DETACH), *options, "--", *argv]
        try:
            for folder in (self.record.parent, self.output.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            done = subprocess.run(
                command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, timeout=_START_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeployFailed(f"`{argv[0]}` could not be started in {cwd}: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise DeployFailed(f"`{argv[0]}` could not be started in {cwd}: {said}")

    @property
    def pid(self) -> int:
        """Of the program, or the guard in front of it; 0 when it does not run."""
        record = keeper.read(str(self.record))
        return int(record.partition(" ")[0]) if keeper.is_alive(record) else 0

    @property
    def alive(self) -> bool:
        return self.pid != 0

    def runs(self, argv: Sequence[str]) -> bool:
        """Whether it runs, and was begun with just this command line; of what has a guard in front, never."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().split("\0")[:-1] == list(argv)
        except OSError:
            return False

    def stop(self, grace_s: float) -> None:
        """Ask it to end, and kill it and everything below it after `grace_s`; nothing happens when it does not run.

        Raises:
            DeployFailed: Not even that ends it.
        """
        if pid := self.pid:
            send(pid, signal.SIGTERM)
            if not self.is_gone(grace_s):
                self._kill(pid)
        self.record.unlink(missing_ok=True)

    def _kill(self, pid: int) -> None:
        until = time.monotonic() + _KILLED_S
        while self.alive:
            if time.monotonic() > until:
                raise DeployFailed(
                    f"process {pid} ({self.record.name}) does not end, not even by SIGKILL; end it by hand"
                )
            below = descendants(pid)
            for each in below or [pid]:
                send(each, signal.SIGKILL)
            # the guard takes what its dead children leave, and ends after them
            self.is_gone(0.5)

    def is_gone(self, within_s: float) -> bool:
        """Whether it has ended, or ends in that time."""
        until = time.monotonic() + within_s
        while self.alive:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        return True

    def said(self, characters: int = 500) -> str:
        """The end of what it printed."""
        return tail(self.output, 4 * characters).strip()[-characters:]
