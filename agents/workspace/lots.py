"""What each clone and each slot has to itself, so that several can run the same tests at once: ports, a database's name."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from callboard.bus.errors import WorkspaceError

FIRST_PORT, LAST_PORT = 20_000, 32_767
"""Below what Linux (32768 to 60999) and macOS (49152 and more) give out by themselves."""
_PLACEHOLDER = re.compile(r"\{(\{)?(port|agent|index|db)\}(?(1)\})")


@dataclass(frozen=True, slots=True)
class Lot:
    """One agent's, or one slot's."""

    name: str
    index: int
    """From 0, in the order in which lots were first asked for."""
    port: int
    """The first of its ports."""
    ports: int
    """How many, one after the other."""
    db: str
    """Letters, digits and underscores; no other workspace's lot has it."""

    def variables(self) -> dict[str, str]:
        """Environment variables that say it."""
        return {
            "CALLBOARD_AGENT": self.name,
            "CALLBOARD_INDEX": str(self.index),
            "CALLBOARD_PORT": str(self.port),
            "CALLBOARD_PORTS": str(self.ports),
            "CALLBOARD_DB": self.db,
        }

    def fill(self, text: str) -> str:
        """A value of `[project] env` with `{port}`, `{agent}`, `{index}` and `{db}` filled in; `{{port}}` is `{port}`."""
        known = {"port": str(self.port), "agent": self.name, "index": str(self.index), "db": self.db}
        return _PLACEHOLDER.sub(lambda m: f"{{{m[2]}}}" if m[1] else known[m[2]], text)


class Lots:
    """The lots of one workspace, kept in a file that its processes share.

    Args:
        file: Where they are kept.
        root: What tells this workspace from others.
        ports: How many each gets.
    """

    def __init__(self, file: Path, root: Path, ports: int) -> None:
        self._file = file
        self._root = root
        self._ports = ports

    def of(self, name: str, *, is_starting: bool = False) -> Lot:
        """The lot of an agent or a slot; the same every time.

        Args:
            is_starting: Nothing runs for it now, so whoever holds one of its ports is a stranger: then it moves.

        Raises:
            WorkspaceError: No block of ports is free.
        """
        with self._locked():
            lots = self._read()
            lot = lots.get(name)
            if lot is None or lot.ports != self._ports or (is_starting and not is_free(lot.port, lot.ports)):
                lots[name] = lot = self._choose(name, lots)
                self._write(lots)
        return lot

    def _choose(self, name: str, lots: dict[str, Lot]) -> Lot:
        others = [lot for lot in lots.values() if lot.name != name]
        index = lots[name].index if name in lots else next(n for n in range(len(lots) + 1) if n not in _taken(lots))
        port = next((p for p in self._candidates(name) if self._fits(p, others)), None)
        if port is None:
            raise WorkspaceError(
                f"no {self._ports} ports in a row are free from {FIRST_PORT} to {LAST_PORT} for {name}; "
                "stop what holds them, or make `[project] ports` smaller"
            )
        db = f"{re.sub('[^A-Za-z0-9]', '_', name)}_{self._digest('')[:6]}"
        return Lot(name, index, port, self._ports, db)

    def _candidates(self, name: str) -> Iterator[int]:
        """Each workspace and name begins somewhere else, so that two workspaces seldom meet."""
        blocks = (LAST_PORT + 1 - FIRST_PORT) // self._ports
        first = int(self._digest(name)[:8], 16) % blocks
        return (FIRST_PORT + (first + n) % blocks * self._ports for n in range(blocks))

    def _fits(self, port: int, others: list[Lot]) -> bool:
        apart = all(port + self._ports <= lot.port or lot.port + lot.ports <= port for lot in others)
        return apart and is_free(port, self._ports)

    def _digest(self, name: str) -> str:
        return hashlib.sha256(f"{self._root}\0{name}".encode()).hexdigest()

    def _read(self) -> dict[str, Lot]:
        try:
            return {name: Lot(**values) for name, values in json.loads(self._file.read_bytes()).items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, lots: dict[str, Lot]) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({name: asdict(lot) for name, lot in lots.items()}, indent=1))
        new.replace(self._file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _taken(lots: dict[str, Lot]) -> set[int]:
    return {lot.index for lot in lots.values()}


def is_free(port: int, count: int = 1) -> bool:
    """Whether a server could listen on all of these ports now."""
    for each in range(port, port + count):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("", each))
                continue
            return False
    return True
