"""The end of a file that somebody writes to."""

from __future__ import annotations

import os
from pathlib import Path


def tail(path: Path, most: int) -> str:
    """The last `most` bytes as text; "" where there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
