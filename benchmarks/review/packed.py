"""A recording in one file: hundreds of small talks would bury a repository's other files.

Each talk is as it stands in its own file (docs/models.md), behind a line `=== PATH`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_MARK = "=== "


def pack(talks: Path, file: Path) -> int:
    """Write a folder of talks into one file.

    Returns:
        How many there were.
    """
    paths = sorted(talks.rglob("*.jsonl"))
    parts = (f"{_MARK}{path.relative_to(talks).as_posix()}\n{path.read_text('utf-8')}" for path in paths)
    file.write_text("".join(parts), "utf-8")
    return len(paths)


def unpack(packed: Path, talks: Path) -> None:
    """The talks as a folder; `packed` may be such a folder already.

    Raises:
        ValueError: A path leads out of the folder.
    """
    if packed.is_dir():
        shutil.copytree(packed, talks)
        return
    for part in ("\n" + packed.read_text("utf-8")).split(f"\n{_MARK}")[1:]:
        name, _, text = part.partition("\n")
        path = (talks / name).resolve()
        if not path.is_relative_to(talks.resolve()):
            raise ValueError(f"{packed}: {name!r} leads out of the recording")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip("\n") + "\n", "utf-8")
