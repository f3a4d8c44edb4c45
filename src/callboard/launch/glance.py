"""How things stand, told by who knows it already: the launcher that runs here, or a note of who stopped the server last.

Importing redis, pydantic and git's client takes ten times as long as all that `status` does, so nothing of them is
imported here. Whoever gets no answer looks at the bus itself (status.py).
"""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from callboard.agents.workspace.layout import FILE, Layout
from callboard.agents.workspace.locks import ProcessLock
from callboard.bus.places import socket_path
from callboard.launch.rows import from_json, to_json
from callboard.launch.summary import Status

LAUNCHER_S = 2.0
"""How long the launcher may take to answer."""
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)
"""There is nothing, or another version wrote it."""


def glance(start: Path, environ: Mapping[str, str]) -> Status | None:
    """How the newest run of the workspace stands that a folder lies in; None = nobody here can tell without a look."""
    root = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)
    if root is None or not (root / FILE).is_file() or environ.get("CALLBOARD_BUS_URL"):
        return None
    layout = Layout(root)
    try:
        return _asked(layout) if ProcessLock(layout.lock("launch")).holder() else _noted(layout)
    except UNREADABLE:
        return None


def asking_place(layout: Layout) -> Path:
    """The socket at which a launcher tells how things stand: to whoever connects, as one JSON document."""
    return socket_path(layout.ask, "sock")


def _asked(layout: Layout) -> Status:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(LAUNCHER_S)
        asking.connect(str(asking_place(layout)))
        with asking.makefile("rb") as answer:
            return from_json(Status, json.load(answer))


def note_down(layout: Layout, status: Status, signs: Mapping[str, list[int]]) -> None:
    """Keep a status for as long as nothing changes from which it follows.

    Args:
        signs: As they were when it was read.
    """
    path = _note(layout)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"signs": signs, "status": to_json(status)}), "utf-8")
    new.replace(path)


def _noted(layout: Layout) -> Status | None:
    found = json.loads(_note(layout).read_bytes())
    status = from_json(Status, found["status"])
    return status if found["signs"] == signs_of(layout, [agent.name for agent in status.agents]) else None


def _note(layout: Layout) -> Path:
    return layout.bus / "status.json"


def signs_of(layout: Layout, agents: Iterable[str]) -> dict[str, list[int]]:
    """Size, time and number of every file from which a status follows: callboard.toml, the server's log of writes, and the
    refs of runs and agents. Empty where they are not all to be found."""
    root, git = layout.root, layout.root / ".git"
    if not git.is_dir():
        return {}  # a linked worktree: its refs are elsewhere
    heads = [git / "refs" / "heads" / name for name in agents]
    folders = (layout.bus / "appendonlydir", git / "reftable", git / "refs" / "callboard", *heads)
    files = [root / FILE, git / "packed-refs", *(path for folder in folders for path in sorted(folder.rglob("*")))]
    signs: dict[str, list[int]] = {}
    for path in files:
        with suppress(FileNotFoundError):
            found = path.stat()
            if stat.S_ISREG(found.st_mode):
                signs[str(path.relative_to(root))] = [found.st_size, found.st_mtime_ns, found.st_ino]
    return signs
