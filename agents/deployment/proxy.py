"""The switch: one HAProxy in front of the two slots of an environment, asked and told by its socket."""

from __future__ import annotations

import csv
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from callboard.agents.deployment import keeper
from callboard.agents.deployment.flocks import held
from callboard.agents.deployment.haproxy import BACKEND, RING, Backend, commands, configuration, find_haproxy
from callboard.agents.deployment.processes import DETACH, Detached
from callboard.agents.deployment.target import Slot
from callboard.agents.deployment.trial import Trial
from callboard.agents.workspace.lots import is_free
from callboard.bus.errors import BusUnavailable, DeployFailed
from callboard.bus.places import private_folder, socket_path
from callboard.bus.whole_files import write_whole

START_S = 60.0
"""For the proxy to answer after its start; it takes 50 ms on an idle computer."""
ANSWER_S = 20.0
_LOOK_S = 0.02
_RECORD, _KEEPER = ".proxy", ".keeper"
"""No release has these names."""
_STOP_S = 2.0
_DEATHS = "deaths"
_CONFIGURATION = "haproxy.cfg"


@dataclass(frozen=True, slots=True)
class Seen:
    """One slot, as the proxy has it."""

    port: int
    weight: int
    """Per cent of new requests; 0 while it drains or is shut."""
    busy: int
    """Requests in flight there, and those that wait for it."""


class Proxy:
    """The proxy of one environment; it outlives us.

    Args:
        folder: The environment's; its configuration, output and socket are in `proxy/` there.
        host: Where it listens.
        path: The PATH on which HAProxy is looked for; None = this process's.
    """

    def __init__(self, folder: Path, host: str, port: int, path: str | None = None) -> None:
        self._folder = folder / "proxy"
        self._host = host
        self._port = port
        self._path = path
        self._process = Detached(folder / "running" / _RECORD, self._folder / "proxy.log", guarded=False)
        self._keeper = Detached(folder / "running" / _KEEPER, self._folder / "keeper.log", guarded=False)
        self.trial = Trial(self._folder / "trial.json")
        self.socket = socket_path(self._folder, "admin.sock")

    @cached_property
    def _binary(self) -> Path:
        return find_haproxy(self._path)

    def problems(self) -> tuple[str, ...]:
        """Why it could not be started, each with the way out."""
        if self.alive:
            return ()
        try:
            _ = self._binary
        except DeployFailed as error:
            return (str(error),)
        return () if is_free(self._port) else (self._taken(),)

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def is_kept(self) -> bool:
        """Whether it runs, and somebody who starts it again."""
        return self.alive and self._keeper.alive

    @property
    def pid(self) -> int:
        """0 when it does not run."""
        return self._process.pid

    def ensure(self, backends: Sequence[Backend]) -> None:
        """Have it run, and somebody who starts it again; one that runs already is left as it is.

        Raises:
            DeployFailed: It cannot be started, or does not answer.
        """
        try:
            self._prepare(configuration(self.socket, self._host, self._port, backends))
        except DeployFailed:
            if not self.alive:
                raise
            # on a full disk too one that runs has to do what it is told; the next call writes it down
        if not self.alive:
            with held(self._lock, patience_s=START_S):
                self._start()
            self._until_it_answers()
        self._keep()

    def _start(self) -> None:
        if self.alive:
            return
        if problems := self.problems():
            raise DeployFailed(problems[0])
        self.socket.unlink(missing_ok=True)
        self._process.start(self._argv, cwd=self._folder, env={"PATH": os.defpath}, grace_s=_STOP_S)

    def _until_it_answers(self) -> None:
        until = time.monotonic() + START_S
        while not self._answers():
            if not self.alive or time.monotonic() > until:
                raise DeployFailed(
                    f"HAProxy could not be started on port {self._port}: {self._process.said() or 'no word'}"
                )
            time.sleep(_LOOK_S)

    def _keep(self) -> None:
        """Have it started again whenever it ends by itself (keeper.py)."""
        try:
            argv = self._keeper_argv
        except DeployFailed:
            return  # gone from the disk while it runs: what is told to the switch matters more
        if self._keeper.alive:
            if self._keeper.runs(argv):
                return
            self._keeper.stop(_STOP_S)  # of an earlier version, whose files may be others
        self._keeper.start(argv, cwd=self._folder, env={"PATH": os.defpath}, grace_s=_STOP_S)

    @property
    def _keeper_argv(self) -> list[str]:
        files = {
            "own": self._keeper.record,
            "record": self._process.record,
            "output": self._process.output,
            "lock": self._lock,
            "deaths": self._folder / _DEATHS,
            "detach": DETACH,
            "trial": self.trial.path,
        }
        options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
        return [sys.executable, "-I", "-S", keeper.__file__, *options, "--", *self._argv]

    def try_out(self, green: str, blue: str, backends: Sequence[Backend], state: Path, lock: Path) -> None:
        """Once this process ends, Blue gets everything; to be called under the lock of the state.

        Args:
            backends: As they are to be then.

        Raises:
            DeployFailed: It could not be written down.
        """
        told = max(backends, key=lambda one: one.weight)
        files = {
            "file": str(self._folder / _CONFIGURATION),
            "configuration": configuration(self.socket, self._host, self._port, backends),
            "commands": commands(backends),
            "record": str(self._process.record),
            "socket": str(self.socket),
            "state": str(state),
            "lock": str(lock),
        }
        self.trial.begin(green, blue, told, files)

    @property
    def _argv(self) -> list[str]:
        return [str(self._binary), "-db", "-f", str(self._folder / _CONFIGURATION)]

    @property
    def _lock(self) -> Path:
        """Held by who starts or stops it: two that run would share the port."""
        return self._folder / "start.lock"

    @property
    def deaths(self) -> tuple[float, ...]:
        """When it was started again after it had ended by itself, in seconds since 1970; the last 100."""
        try:
            return tuple(map(float, (self._folder / _DEATHS).read_text().split()))
        except (OSError, ValueError):
            return ()

    def note_death(self) -> None:
        """It had ended, and its keeper with it."""
        keeper.note(str(self._folder / _DEATHS))

    def tell(self, backends: Sequence[Backend]) -> None:
        """Bring its slots there, and look that they are.

        Raises:
            DeployFailed: They are not.
        """
        said = self._ask(commands(backends))
        seen = self.seen()
        wrong = [one for one in backends if not _is_so(one, seen.get(one.slot))]
        if wrong:
            raise DeployFailed(
                f"HAProxy does not have slot {wrong[0].slot} as it was told: {' '.join(said.split())[:300]}"
            )

    def seen(self) -> dict[Slot, Seen]:
        """Slot -> how the proxy has it; empty when it does not run.

        Raises:
            DeployFailed: It runs and does not answer.
        """
        found: dict[Slot, Seen] = {}
        for row in csv.DictReader(self._look(f"show stat {BACKEND} 4 -1").removeprefix("# ").splitlines()):
            slot: Slot = "a" if row["svname"] == "a" else "b"
            takes = not row["status"].startswith(("MAINT", "DRAIN", "DOWN"))
            found[slot] = Seen(
                port=int(row["addr"].rpartition(":")[2] or 0),
                weight=int(row["weight"]) if takes else 0,
                busy=int(row["scur"]) + int(row["qcur"]),
            )
        return found

    def log(self) -> str:
        """Its lines about requests, oldest first: as many as its memory keeps; "" when it does not run."""
        return self._look(f"show events {RING}")

    def stop(self) -> None:
        """End it; nobody answers on its port then."""
        with held(self._lock, patience_s=START_S):
            self._keeper.stop(_STOP_S)
            self._process.stop(_STOP_S)
            (self._folder / _DEATHS).unlink(missing_ok=True)
            self.trial.end()
            self.socket.unlink(missing_ok=True)
            if self.socket.parent != self._folder:
                with suppress(OSError):  # something else is in it
                    self.socket.parent.rmdir()

    def _prepare(self, text: str) -> None:
        """What it starts with is always as it was told last: whoever starts it again needs nothing else."""
        try:
            private_folder(self._folder)
            private_folder(self.socket.parent)
            write_whole(self._folder / _CONFIGURATION, text)
        except (OSError, BusUnavailable) as error:
            raise DeployFailed(f"the proxy's files could not be written in {self._folder}: {error}") from error

    def _answers(self) -> bool:
        try:
            self._ask("show version")
        except DeployFailed:
            return False
        return True

    def _look(self, line: str) -> str:
        """The same as `_ask`; "" when it does not run, or ends just now."""
        if not self.alive:
            return ""
        try:
            return self._ask(line)
        except DeployFailed:
            if not self._process.is_gone(_STOP_S):
                raise
            return ""

    def _ask(self, line: str) -> str:
        """What it answers to one line of its socket."""
        said = b""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_S)
                connection.connect(str(self.socket))
                connection.sendall(f"{line}\n".encode())
                while chunk := connection.recv(1 << 16):
                    said += chunk
        except OSError as error:
            raise DeployFailed(
                f"HAProxy (process {self.pid}) does not answer at {self.socket}: {error}; if it hangs, end it: the next "
                "attempt starts it anew"
            ) from error
        return said.decode("utf-8", "replace")

    def _taken(self) -> str:
        return (
            f"port {self._port} is taken by another program, and the proxy is to listen there; stop that one, or set "
            "another `port` for this environment"
        )


def _is_so(wanted: Backend, seen: Seen | None) -> bool:
    return seen is not None and seen.weight == wanted.weight and (not wanted.port or seen.port == wanted.port)
