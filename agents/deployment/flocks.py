"""Files that one holder at a time has, thread or process; the kernel lets go when the process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callboard.bus.errors import DeployFailed

_LOOK_S = 0.05


@contextmanager
def held(path: Path, *, patience_s: float) -> Iterator[None]:
    """Have a file alone; it stays afterwards, since a second holder could else lock one that has no name any more.

    Raises:
        DeployFailed: Somebody else has it for `patience_s`, or it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DeployFailed(f"{path} could not be made ({error.strerror}); nothing was changed") from error
    try:
        _take(handle, path, time.monotonic() + patience_s)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise DeployFailed(
                    f"{path.stem} is being worked on by another process; wait for that one, then try again"
                ) from None
            time.sleep(_LOOK_S)
        else:
            return
