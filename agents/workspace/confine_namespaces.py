"""A network, a /dev/shm and a view of the disk of one's own: for the calling process and all it starts from then on.

No privilege is needed where the kernel lets a user have namespaces; where it does not, nothing has changed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x08000000, 0x10000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
SYS_MOUNT_SETATTR, AT_RECURSIVE, AT_FDCWD, MOUNT_ATTR_RDONLY = 442, 0x8000, -100, 1
AF_INET, SOCK_DGRAM = 2, 2
SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 1 | 64
PR_CAPBSET_DROP = 24
KEPT_CAPABILITIES = {0, 1, 2, 3, 4, 5, 6, 7}
"""CHOWN to SETUID: what root needs to work on files of its own; not one that reaches beyond files and processes."""
SHM_SIZE = "size=1g"


def enter(writable: Iterable[str], *, own_network: bool) -> bool:
    """Have everything read-only but `writable`, a /dev/shm of one's own, and a network with nothing in it but oneself.

    Returns:
        False when this kernel, or the container we are in, does not allow it.
    """
    flags = CLONE_NEWNS | CLONE_NEWIPC | (CLONE_NEWNET if own_network else 0)
    places = list(writable)
    if os.geteuid() != 0:
        flags |= CLONE_NEWUSER
        # a half-made one cannot be left again, so another process tries first
        if not _works_in_a_child(lambda: _enter(flags, places)):
            return False
    try:
        _enter(flags, places)
    except OSError:
        if os.geteuid() == 0:
            return False
        raise
    return True


def drop_capabilities() -> None:
    """Take from root's programs what reaches beyond files; it has an effect at their start."""
    for number in range(64):
        if number not in KEPT_CAPABILITIES:
            _libc().prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # fails for numbers that the kernel does not know


def replace_file(path: str, content: str) -> None:
    """Have other content there; what is on the disk stays. Only after `enter`."""
    new = Path("/dev/shm/new")
    new.write_text(content)
    new.chmod(0o644)
    _mount(str(new), path, None, MS_BIND)
    new.unlink()


def _enter(flags: int, writable: list[str]) -> None:
    user, group = os.geteuid(), os.getegid()
    _checked(_libc().unshare(flags))
    if flags & CLONE_NEWUSER:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    for path in writable:
        _mount(path, path, None, MS_BIND | MS_REC)
    shared_memory = os.path.realpath("/dev/shm")
    _mount("tmpfs", shared_memory, "tmpfs", MS_NOSUID | MS_NODEV, SHM_SIZE)
    _set_read_only("/", True)
    for path in (*writable, shared_memory, "/proc"):
        _set_read_only(path, False)
    if flags & CLONE_NEWNET:
        # the module socket takes longer to import than all of this
        probe = _libc().socket(AF_INET, SOCK_DGRAM, 0)
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP_RUNNING))
        os.close(probe)


def _works_in_a_child(attempt: Callable[[], None]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            attempt()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [part.encode() if part is not None else None for part in (source, target, kind, data)]
    _checked(_libc().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]))


def _set_read_only(path: str, read_only: bool) -> None:
    """For a mount and all below it."""
    change = (0 if read_only else MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY if read_only else 0)
    attributes = struct.pack("4Q", change[1], change[0], 0, 0)
    _checked(_libc().syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, attributes, len(attributes)))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
