"""Keeps the program's own files out of the product without touching any file that is tracked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from callboard.app import Workspace
from callboard.feedback.log import exclude_lines


def exclude_ours(workspace: Workspace) -> None:
    """What a workspace's runs and looks leave in it is no untracked file."""
    feedback = workspace.root / workspace.settings.paths.feedback
    lines = ("/.callboard/", *exclude_lines(workspace.root, feedback))
    exclude(workspace.repository.git_path("info/exclude"), lines)


def exclude(path: Path, lines: Sequence[str]) -> None:
    """Add the lines that `.git/info/exclude` does not have yet; what is there stays."""
    text = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        start = "" if not text or text.endswith("\n") else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(start + "".join(f"{line}\n" for line in missing))
