"""What a command that a brain wrote or runs may do: where it may write, and whom it may connect to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Kind = Literal["off"]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What one agent's, or one gate slot's, commands may do."""

    kind: Kind = "off"
    """off: whatever the user may do."""
    writable: tuple[Path, ...] = ()
    """Folders and files; everything below a folder."""
    connect: tuple[str, ...] = ()
    """`host:port` that may be connected to."""

    def allowing(self, *, writable: Iterable[Path] = (), connect: Iterable[str] = ()) -> Sandbox:
        """One that may also do this."""
        return replace(
            self,
            writable=tuple(dict.fromkeys((*self.writable, *writable))),
            connect=tuple(dict.fromkeys((*self.connect, *connect))),
        )

    def prefix(self, cwd: Path) -> tuple[str, ...]:
        """What goes between the guard and the command; () when nothing is enforced.

        Args:
            cwd: Where the command runs.
        """
        return ()


OFF = Sandbox()
