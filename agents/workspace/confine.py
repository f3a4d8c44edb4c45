"""Runs one command in a sandbox; nothing is run when the sandbox cannot be had.

    python -I confine.py POLICY -- COMMAND [ARGUMENT ...]

POLICY is JSON, as `Sandbox.prefix` makes it. Stdin, stdout and stderr are the command's. SIGTERM, SIGINT and SIGHUP are
passed on to it as SIGTERM. Exit code: the command's; 128 + signal when a signal ended it; 137 when it took more memory
than it may; 125 when the sandbox could not be had.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from callboard.agents.workspace import confine_namespaces
from callboard.agents.workspace.confine_bubblewrap import bubblewrap_argv, sockets_in_use
from callboard.agents.workspace.confine_paths import ALWAYS_HIDDEN, DEVICES, existing, readable_paths
from callboard.agents.workspace.guard import descendants, send

UNAVAILABLE = 125
KILLED = 128 + signal.SIGKILL
TRIES = 5
LOOK_EVERY_S = 0.2
"""Memory fills at some GB/s, so what is taken beyond the limit stays below one."""
EVERYWHERE: Final = "*"
OWN_PROCESSES = 4
"""Ours among those below: the relay, and bubblewrap's own."""

Policy = Mapping[str, Any]
Wait = Callable[[], int]

_DEAF = ("/bin/sh", "-c", 'trap "" TERM; exec "$@"', "sh")
"""bubblewrap itself must not end at the SIGTERM that everything below a guard gets: what is inside would be killed.
A signal that is ignored stays so in what is started; one that is handled, as ours is here, does not."""

_AS_USUAL = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_DFL)
try:
    os.execvp(sys.argv[1], sys.argv[1:])
except OSError as error:
    sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\\n")
    sys.exit(127 if isinstance(error, FileNotFoundError) else 126)
"""
"""Inside, SIGTERM is no longer ignored."""


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    policy: Policy = json.loads(arguments[0])
    command = arguments[2:]
    try:
        start = with_bubblewrap if policy["kind"] == "bubblewrap" else with_sandlock
        pid, wait = start(policy, command)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"callboard: the sandbox ({policy['kind']}) cannot be had: {error}; nothing was run\n")
        return UNAVAILABLE
    return watch(pid, wait, policy)


def with_sandlock(policy: Policy, command: list[str]) -> tuple[int, Wait]:
    """Landlock and seccomp, inside of namespaces of its own where the kernel lets us have them."""
    from sandlock import Sandbox, StdioMode

    writable = existing(policy["writable"])
    connect = policy["connect"]
    entered = enter_namespaces(policy["cwd"], writable, connect, policy["listen"])
    confine_namespaces.drop_capabilities()
    box = Sandbox(
        fs_writable=[*writable, *existing(f"/dev/{name}" for name in (*DEVICES, *(["shm"] if entered else [])))],
        # in a network of our own the relay decides; the names are there for /etc/hosts, which sandlock writes
        net_allow=[EVERYWHERE, *connect] if entered and EVERYWHERE not in connect else connect,
        net_allow_bind=["*"],
        max_processes=policy["processes"] or None,
    )
    for left in range(TRIES, 0, -1):
        box.fs_readable = readable_paths(policy["hidden"], policy["readable"])
        try:
            process = box.popen(command, StdioMode.INHERIT, StdioMode.INHERIT, StdioMode.INHERIT)
            break
        except RuntimeError:
            # somebody removed one of them after they were listed; otherwise it would fail again
            if left == 1 or all(map(os.path.exists, box.fs_readable)):
                raise

    def wait() -> int:
        result = process.wait()
        if result.reason.name == "EXITED":
            return int(result.exit_code)
        return 128 + result.signal if result.signal > 0 else KILLED

    return int(process.pid), wait


def with_bubblewrap(policy: Policy, command: list[str]) -> tuple[int, Wait]:
    """Namespaces made by bubblewrap."""
    import shutil
    import subprocess

    writable = existing(policy["writable"])
    # never one that a command before this one may have put there
    folders = [path for path in os.environ.get("PATH", "").split(":") if not any(map(path.startswith, writable))]
    program = shutil.which("bwrap", path=":".join([os.defpath, *(path for path in folders if path.startswith("/"))]))
    if program is None:
        raise OSError("there is no bwrap on PATH")
    connect = policy["connect"]
    ways = [*connect, *policy["listen"]]
    relayed = bool(ways) and EVERYWHERE not in connect
    if relayed and not enter_namespaces(policy["cwd"], writable, connect, policy["listen"]):
        raise OSError("this kernel lets us have no network namespace, so no single address or port can be allowed")
    inside = [sys.executable, "-I", "-S", "-c", _AS_USUAL, *command]

    def wait() -> int:
        for _ in range(TRIES):
            hidden = [*policy["hidden"], *ALWAYS_HIDDEN, *sockets_in_use(Path("/proc/net/unix").read_text())]
            kinds = {path: Path(path).is_dir() for path in existing(hidden) if not path.startswith("/dev")}
            reading, writing = os.pipe()
            argv = bubblewrap_argv(
                program,
                status_fd=writing,
                cwd=policy["cwd"],
                writable=writable,
                hidden=kinds,
                readable=existing(policy["readable"]),
                share_network=bool(ways),
            )
            process = subprocess.Popen([*_DEAF, *argv, *inside], pass_fds=(writing,))
            os.close(writing)
            code = process.wait()
            with os.fdopen(reading) as status:
                # somebody removed a socket after they were listed; otherwise it fails each time
                if code != 1 or "exit-code" in status.read():
                    return code if code >= 0 else 128 - code
        return UNAVAILABLE

    return os.getpid(), wait


def enter_namespaces(cwd: str, writable: list[str], connect: list[str], listen: list[int]) -> bool:
    """Whether we now have namespaces of our own; the network too, with a way out to what may be connected to, and a way in
    to the ports that may be listened on."""
    if not listen or EVERYWHERE in connect:
        return _enter_with_relay(cwd, writable, connect)
    from callboard.agents.workspace.confine_inlet import Inlet

    inlet = Inlet(listen)
    entered = _enter_with_relay(cwd, writable, connect)
    if entered:
        inlet.open()
    else:
        inlet.close()
    return entered


def _enter_with_relay(cwd: str, writable: list[str], connect: list[str]) -> bool:
    own_network = EVERYWHERE not in connect
    if not connect or not own_network:
        return _enter(cwd, writable, own_network=own_network)
    from callboard.agents.workspace.confine_relay import Relay, hosts_file

    relay = Relay(connect)
    if not _enter(cwd, writable, own_network=True):
        return False
    relay.listen()
    confine_namespaces.replace_file("/etc/hosts", hosts_file(connect, Path("/etc/hosts").read_text()))
    return True


def _enter(cwd: str, writable: list[str], *, own_network: bool) -> bool:
    if not confine_namespaces.enter(writable, own_network=own_network):
        return False
    # where we stood is now below a read-only mount, although the folder itself is not
    os.chdir(cwd)
    return True


def watch(pid: int, wait: Wait, policy: Policy) -> int:
    """Wait for the command's end, or end it when it takes too much; returns its exit code."""
    ended: list[int] = []
    waiting = threading.Thread(target=lambda: ended.append(wait()), daemon=True)

    def pass_on(*_: object) -> None:
        for each in [pid] if pid != os.getpid() else descendants(pid):
            send(each, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    waiting.start()
    while waiting.is_alive():
        waiting.join(LOOK_EVERY_S)
        if waiting.is_alive() and (excess := too_much(descendants(os.getpid()), policy)):
            sys.stderr.write(f"callboard: stopped: {excess}\n")
            for each in descendants(os.getpid()):
                send(each, signal.SIGKILL)
            return KILLED
    return ended[0] if ended else UNAVAILABLE


def too_much(pids: list[int], policy: Policy) -> str:
    """What the processes take more of than they may; "" when nothing."""
    most, many = policy["memory_bytes"], policy["processes"]
    if many and len(pids) > many + OWN_PROCESSES:
        return f"more than {many} processes at once ([sandbox] processes)"
    # what is shared counts in each of them here, so the exact sum is taken before anybody is stopped for it
    if most and sum(map(private_bytes, pids)) > most and sum(map(proportional_bytes, pids)) > most:
        return f"more than {most // 1_000_000} MB of memory at once ([sandbox] memory_mb)"
    return ""


def private_bytes(pid: int) -> int:
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def proportional_bytes(pid: int) -> int:
    """What is shared, divided among those who share it; all of it where that cannot be read."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    except (OSError, ValueError, IndexError):
        return private_bytes(pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
