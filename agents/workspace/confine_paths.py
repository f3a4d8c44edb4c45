"""Which paths a confined command may read and write, as lists of folders and files that the kernel can be given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
"""Of /dev; the others are disks, memory and hardware."""
ALWAYS_HIDDEN = ("/dev", "/run/secrets", "/run/user")


def readable_paths(hidden: Iterable[str], exceptions: Iterable[str]) -> list[str]:
    """Folders and files that together hold everything but what is hidden.

    A link leads nowhere by itself: what it points to is in the list, or it is not. Folders above something hidden are
    not in it, so their names cannot be listed; what was made in them later cannot be read.
    """
    closed = {os.path.realpath(path) for path in (*hidden, *ALWAYS_HIDDEN)}
    return [*_open_below("/", closed), *device_paths(), *existing(exceptions)]


def device_paths() -> list[str]:
    return existing(f"/dev/{name}" for name in DEVICES)


def existing(paths: Iterable[str]) -> list[str]:
    """Those that are there, links resolved: the kernel refuses a rule for what is not."""
    return [path for path in map(os.path.realpath, paths) if os.path.exists(path)]  # noqa: PTH110


def _open_below(folder: str, closed: set[str]) -> Iterator[str]:
    lead = folder.rstrip("/") + "/"
    if not any(path.startswith(lead) for path in closed):
        yield folder
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.path in closed or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _open_below(entry.path, closed)
        else:
            yield entry.path
