"""How many lines of what Green prints match a pattern."""

from __future__ import annotations

import math
import re
from pathlib import Path

from callboard.agents.deployment.samples import Value

MOST_BYTES = 16 * 1024 * 1024
"""Read at once; what prints more between two looks is counted later."""
LINE_BYTES = 64 * 1024
"""Of a longer line only the beginning counts."""


class LogLines:
    """Counts from where the file ends now."""

    def __init__(self, path: Path, pattern: str) -> None:
        self._path, self._pattern = path, re.compile(pattern)
        self._at = path.stat().st_size if path.is_file() else 0
        self._rest = b""
        self._count = 0

    def read(self) -> Value:
        """The count so far, and the last line that matched."""
        try:
            with self._path.open("rb") as file:
                if self._path.stat().st_size < self._at:  # it was begun anew
                    self._at, self._rest = 0, b""
                file.seek(self._at)
                new = file.read(MOST_BYTES)
        except OSError as error:
            return math.nan, f"{self._path.name} cannot be read: {error.strerror}"
        self._at += len(new)
        return self._counted(new)

    def _counted(self, new: bytes) -> Value:
        *lines, rest = (self._rest + new).split(b"\n")
        self._rest = rest[:LINE_BYTES]
        texts = [line[:LINE_BYTES].decode("utf-8", "replace") for line in lines]
        matches = [text for text in texts if self._pattern.search(text)]
        self._count += len(matches)
        return float(self._count), matches[-1].strip()[:200] if matches else ""
