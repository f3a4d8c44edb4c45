"""Whether the archives of a workspace are as they were written."""

from __future__ import annotations

from pathlib import Path

from callboard.bus.archive import FILE, FileArchive


def verify_archives(folder: Path) -> tuple[int, int]:
    """Read every archive below a folder, hash by hash: how many runs, and how many entries.

    Raises:
        ArchiveBroken: One is not; it names the line.
    """
    runs = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    return len(runs), sum(sum(1 for _ in FileArchive(run).rows()) for run in runs)
