"""What a command that a brain wrote or runs may do: write, read, connect, and how much of the computer it may take."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

Kind = Literal["off", "sandlock", "bubblewrap"]

T = TypeVar("T")

EVERYWHERE = "*"
"""Instead of a `host:port`: the whole network."""
_CONFINE = Path(__file__).with_name("confine.py")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What one agent's, or one gate slot's, commands may do (docs/sandbox.md)."""

    kind: Kind = "off"
    """What enforces it; off: nothing does, and the other fields say nothing."""
    writable: tuple[Path, ...] = ()
    """Folders and files; everything below a folder. Readable too."""
    hidden: tuple[Path, ...] = ()
    """What may not be read; everything else may."""
    readable: tuple[Path, ...] = ()
    """Exceptions inside of what is hidden."""
    connect: tuple[str, ...] = ()
    """`host:port` that may be connected to, or `*`; none: only servers that the command itself started."""
    listen: tuple[int, ...] = ()
    """Ports on which others on this computer reach its servers; none: only it reaches them itself."""
    memory_bytes: int = 0
    """For the command and all it starts, together; 0: no limit."""
    processes: int = 0
    """At the same time; 0: no limit."""

    def allowing(
        self,
        *,
        readable: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        connect: Iterable[str] = (),
        listen: Iterable[int] = (),
    ) -> Sandbox:
        """One that may also do this."""
        return replace(
            self,
            readable=_joined(self.readable, readable),
            writable=_joined(self.writable, writable),
            connect=_joined(self.connect, connect),
            listen=_joined(self.listen, listen),
        )

    def prefix(self, cwd: Path) -> tuple[str, ...]:
        """What goes between the guard and the command; () when nothing is enforced.

        Args:
            cwd: Where the command runs.
        """
        if self.kind == "off":
            return ()
        policy = {
            "kind": self.kind,
            "cwd": str(cwd),
            "writable": [str(path) for path in self.writable],
            "hidden": [str(path) for path in self.hidden],
            "readable": [str(path) for path in self.readable],
            "connect": list(self.connect),
            "listen": list(self.listen),
            "memory_bytes": self.memory_bytes,
            "processes": self.processes,
        }
        return (sys.executable, "-I", str(_CONFINE), json.dumps(policy), "--")


def _joined(first: tuple[T, ...], second: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


OFF = Sandbox()
