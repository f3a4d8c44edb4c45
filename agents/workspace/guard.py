"""Stands between us and what we start: when we die, or it ends, nothing of it stays behind.

    python -I -S guard.py --life FD|stdin --grace SECONDS --ask command|all -- COMMAND [ARGUMENT ...]

- `--life`: a pipe whose other end only the starter holds. When it closes (the starter died, or wants an end), everything
  below the guard is asked to end, and killed after the grace. `stdin`: the guard's own stdin is that pipe; the
  command's is then empty.
- `--ask`: who gets the SIGTERM. `command`: the command alone, which stops what it started in its own order, or would take
  the death of a program it waits for as that program's answer. `all`: everything below the guard.
- SIGTERM, SIGINT and SIGHUP to the guard are passed on as SIGTERM to the command alone, so that it can stop in its own order.
- When the command has ended, what it left running is killed at once, also what called setsid or forked twice: on Linux
  the guard is the subreaper, so every orphan becomes its child.
- Exit code: the command's; 128 + signal when a signal ended it; 126, 127 as in a shell when it could not be started.

It imports nothing of Callboard, and little else: it starts in milliseconds and has nothing that could break.
"""

# pathlib and contextlib would double its start
# ruff: noqa: PTH123, PTH208, SIM105

import ctypes
import os
import select
import signal
import sys
import time

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GIVE_UP_S = 10.0
"""How long SIGKILL is repeated; what is still there then cannot be killed by anybody (another user's, uninterruptible)."""


def main(arguments: list[str]) -> int:
    """Run one command under guard; returns its exit code."""
    options, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = dict(zip(options[::2], options[1::2], strict=True))
    life = 0 if given["--life"] == "stdin" else int(given["--life"])
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    wake = wake_on_signals()
    child = os.fork()
    if child == 0:
        become(command, life)
    status, asked_to_stop = watch(child, life, wake)
    if asked_to_stop:
        if given["--ask"] == "all":
            signal_all(child, signal.SIGTERM)
        else:
            send(child, signal.SIGTERM)
        status = reap_until_alone(child, status, wake, float(given["--grace"]))
    killed_until = time.monotonic() + GIVE_UP_S
    while not alone(child) and time.monotonic() < killed_until:
        signal_all(child, signal.SIGKILL)
        status = reap_until_alone(child, status, wake, 0.02)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def set_process_option(option: int, value: int) -> None:
    """prctl(2), which only Linux has."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def wake_on_signals() -> int:
    """Make signals readable on a pipe."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def become(command: list[str], life: int) -> None:
    """The child's side of the fork: never returns."""
    guard = os.getppid()
    try:
        os.setsid()
        # a SIGKILL to the guard must not set the command free; asked after the call, as the guard may be gone by then
        set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(137)
        if life == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        else:
            os.close(life)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def watch(child: int, life: int, wake: int) -> tuple[int, bool]:
    """Wait until the command has ended, or the life pipe closes.

    Returns:
        The wait status (0 while it runs), and whether everything is to be stopped.
    """
    while True:
        ready, _, _ = select.select([wake, life], [], [])
        if wake in ready:
            numbers = os.read(wake, 4096)
            if any(number != signal.SIGCHLD for number in numbers):
                send(child, signal.SIGTERM)
            ended = reap(child)
            if ended is not None:
                return ended, False
        if life in ready and not os.read(life, 4096):
            return 0, True


def reap(child: int) -> int | None:
    """Collect everything that has ended; the command's wait status if it is among it."""
    found = None
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return found
            if pid == child:
                found = status
    except ChildProcessError:
        return found


def reap_until_alone(child: int, status: int, wake: int, seconds: float) -> int:
    """Collect for so long, or until nothing is left; returns the command's wait status, as far as it is known."""
    until = time.monotonic() + seconds
    while True:
        ended = reap(child)
        status = status if ended is None else ended
        left = until - time.monotonic()
        if left <= 0 or alone(child):
            return status
        if select.select([wake], [], [], min(left, 0.1))[0]:
            os.read(wake, 4096)


def alone(child: int) -> bool:
    """Whether nothing lives below the guard any more."""
    if LINUX:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return False
    try:
        os.killpg(child, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return False


def signal_all(child: int, number: int) -> None:
    """Signal everything below the guard; without /proc, the command's process group."""
    if LINUX:
        for pid in descendants(os.getpid()):
            send(pid, number)
    else:
        try:
            os.killpg(child, number)
        except (ProcessLookupError, PermissionError):
            pass


def descendants(top: int) -> list[int]:
    """Every process below `top`, as /proc shows it now."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    # the command's name may hold spaces and parentheses: the fields start after the last one
                    parent = int(stat.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    waiting = [top]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def send(pid: int, number: int) -> None:
    """Signal one process that may be gone already, or belong to somebody else."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
