"""What `ps` shows for a forked process: without it, its parent's command line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def set_title(text: str) -> None:
    """Write over this process's command line, as far as there is room; a system that does not let us keeps the old one."""
    with suppress(OSError, ValueError, IndexError):
        # fields 48 and 49 of proc(5), counted from the third, which follows the name
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        title = text.encode()[: end - start - 2]
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            # a last byte that is not 0 tells the kernel that this is one text, which ends at its first 0
            memory.write(title.ljust(end - start - 1, b"\0") + b"\1")
