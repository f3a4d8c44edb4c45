"""The command line of bubblewrap for what a command may do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence


def bubblewrap_argv(
    program: str,
    *,
    status_fd: int,
    cwd: str,
    writable: Sequence[str],
    hidden: Mapping[str, bool],
    readable: Sequence[str],
    share_network: bool,
) -> list[str]:
    """Everything is there and read-only; what is hidden is empty; processes and network are its own.

    Args:
        status_fd: Where bubblewrap says how the command ended; nothing when it was never begun.
        hidden: Path -> whether it is a folder.
        readable: Exceptions inside of what is hidden.
        share_network: The caller's network instead of one with nothing in it.
    """
    argv = [program, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"]
    argv += ["--json-status-fd", str(status_fd)]
    for capability in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"):
        argv += ["--cap-add", f"CAP_{capability}"] if os.geteuid() == 0 else []
    argv += [] if share_network else ["--unshare-net"]
    argv += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for path in _outermost(hidden):
        argv += ["--tmpfs", path] if hidden[path] else ["--ro-bind", "/dev/null", path]
    for path in readable:
        argv += ["--ro-bind", path, path]
    for path in writable:
        argv += ["--bind", path, path]
    for path in _outermost(hidden):
        argv += ["--remount-ro", path] if hidden[path] else []
    return [*argv, "--chdir", cwd, "--"]


def sockets_in_use(unix_table: str) -> list[str]:
    """Files of unix sockets, which a read-only mount does not keep anybody from connecting to.

    Args:
        unix_table: The content of `/proc/net/unix`.
    """
    paths = {line.split(maxsplit=7)[7] for line in unix_table.splitlines()[1:] if len(line.split(maxsplit=7)) == 8}
    return sorted(path for path in paths if path.startswith("/") and _is_socket(path))


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without what lies below another one: it is gone with that."""
    found: list[str] = []
    for path in sorted(paths):
        if not any(path.startswith(f"{above}/") for above in found):
            found.append(path)
    return found
