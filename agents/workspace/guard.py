"""Stands between us and what we start: when we die, or it ends, nothing of it stays behind.

    python -I -S guard.py --life FD|stdin --grace SECONDS --ask command|all [--spare FOLDER] -- COMMAND [ARGUMENT ...]

- `--life`: a pipe whose other end only the starter holds. When it closes (the starter died, or wants an end), everything
  below the guard is asked to end, and killed after the grace. `stdin`: the guard's own stdin is that pipe; the
  command's is then empty.
- `--ask`: who gets the SIGTERM. `command`: the command alone, which stops what it started in its own order, or would take
  the death of a program it waits for as that program's answer. `all`: everything below the guard.
- SIGTERM, SIGINT and SIGHUP to the guard are passed on as SIGTERM to the command alone, so that it can stop in its own order.
  A byte on the life pipe says the same, without a process id that could be somebody else's by now.
- When the command has ended, what it left running is killed at once, also what called setsid or forked twice: on Linux
  the guard is the subreaper, so every orphan becomes its child.
- `--spare`: what is deployed outlives us: processes on record below FOLDER, and all below those, are let be. A record is a
  file `FOLDER/ENVIRONMENT/running/NAME` of agents/deployment/detach.py; nothing that a brain runs may write there.
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
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GIVE_UP_S = 10.0
"""How long SIGKILL is repeated; what is still there then cannot be killed by anybody (another user's, uninterruptible)."""


def main(arguments: list[str]) -> int:
    """Run one command under guard; returns its exit code."""
    options, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = dict(zip(options[::2], options[1::2], strict=True))
    life = 0 if given["--life"] == "stdin" else int(given["--life"])
    guard, pipe = os.getpid(), make_ready()
    child = os.fork()
    if child == 0:
        become(command, guard, life, pipe)
    return stand(
        child, life, pipe[0], float(given["--grace"]), ask_all=given["--ask"] == "all", spare=given.get("--spare", "")
    )


def make_ready() -> tuple[int, int]:
    """Before the fork: take every orphan below, and make signals readable on a pipe; its two ends."""
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    return wake_on_signals()


def stand(child: int, life: int, wake: int, grace_s: float, *, ask_all: bool, spare: str = "") -> int:
    """Guard a child until nothing of it is left but what is spared; its exit code."""
    status, asked_to_stop = watch(child, life, wake)
    if asked_to_stop:
        if ask_all:
            signal_all(child, signal.SIGTERM, spare)
        else:
            send(child, signal.SIGTERM)
        status = reap_until_alone(child, status, wake, grace_s, spare)
    killed_until = time.monotonic() + GIVE_UP_S
    while not alone(child, spare) and time.monotonic() < killed_until:
        signal_all(child, signal.SIGKILL, spare)
        status = reap_until_alone(child, status, wake, 0.02, spare)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def set_process_option(option: int, value: int) -> None:
    """prctl(2), which only Linux has."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def wake_on_signals() -> tuple[int, int]:
    """Make signals readable on a pipe; its two ends."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in WATCHED:
        signal.signal(number, lambda *_: None)
    return reading, writing


def step_out(guard: int, life: int, pipe: tuple[int, int]) -> None:
    """The child's side of the fork: a session of its own, and nothing left of the guard's."""
    os.setsid()
    # a SIGKILL to the guard must not set the child free; asked after the call, as the guard may be gone by then
    set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(137)
    if life == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    else:
        os.close(life)
    # in this order: a signal that is caught meanwhile still wakes the guard, which passes it on once more
    for number in WATCHED:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    for end in pipe:
        os.close(end)


def become(command: list[str], guard: int, life: int, pipe: tuple[int, int]) -> None:
    """Step out, and run the command in place of this program; never returns."""
    try:
        step_out(guard, life, pipe)
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
        if life in ready:
            if not os.read(life, 4096):
                return 0, True
            send(child, signal.SIGTERM)


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


def reap_until_alone(child: int, status: int, wake: int, seconds: float, spare: str) -> int:
    """Collect for so long, or until nothing is left; returns the command's wait status, as far as it is known."""
    until = time.monotonic() + seconds
    while True:
        ended = reap(child)
        status = status if ended is None else ended
        left = until - time.monotonic()
        if left <= 0 or alone(child, spare):
            return status
        if select.select([wake], [], [], min(left, 0.1))[0]:
            os.read(wake, 4096)


def alone(child: int, spare: str = "") -> bool:
    """Whether nothing lives below the guard any more but what is spared."""
    if LINUX:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return bool(spare) and not descendants(os.getpid(), spared(spare))
    try:
        os.killpg(child, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return False


def signal_all(child: int, number: int, spare: str = "") -> None:
    """Signal everything below the guard but what is spared; without /proc, the command's process group."""
    if LINUX:
        for pid in descendants(os.getpid(), spared(spare)):
            send(pid, number)
    else:
        try:
            os.killpg(child, number)
        except (ProcessLookupError, PermissionError):
            pass


def spared(folder: str) -> frozenset[int]:
    """The processes that are on record there; one of the same number that began later is another one."""
    found = set()
    for environment in names_in(folder):
        running = f"{folder}/{environment}/running"
        for name in names_in(running):
            try:
                with open(f"{running}/{name}") as record:
                    pid, began = record.read(100).split()
                with open(f"/proc/{int(pid)}/stat", "rb") as stat:
                    if stat.read().rpartition(b")")[2].split()[19].decode() == began:
                        found.add(int(pid))
            except (OSError, IndexError, ValueError):
                continue
    return frozenset(found)


def names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder) if folder else []
    except OSError:
        return []


def descendants(top: int, without: frozenset[int] = frozenset()) -> list[int]:
    """Every process below `top`, as /proc shows it now; not those in `without`, nor what is below them."""
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
        below = [pid for pid in children.get(waiting.pop(), []) if pid not in without]
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
