"""Where processes of one workspace meet: sockets in folders that only this user can enter."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from callboard.bus.errors import BusUnavailable

LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's limit is 108 on Linux and 104 on macOS, end included."""


def socket_path(data_dir: Path, name: str = "bus.sock") -> Path:
    """Where somebody listens: in a folder, or where that path is too long for a socket, in a folder of the user's."""
    plain = data_dir.absolute() / name
    if len(os.fsencode(plain)) <= LONGEST_SOCKET_PATH:
        return plain
    import hashlib  # here: it takes long, and most paths are short

    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    bases = (os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), "/tmp")
    found = [Path(base) / f"callboard-{os.getuid()}-{digest}" / name for base in bases]
    return next((path for path in found if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH), found[-1])


def private_folder(folder: Path) -> None:
    """Make a folder that only this user can enter.

    Raises:
        BusUnavailable: It is somebody else's, or a link.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise BusUnavailable(f"{folder} is not a folder of this user; remove it, or set XDG_RUNTIME_DIR")
    folder.chmod(0o700)
