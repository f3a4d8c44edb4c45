"""Starts an environment's proxy again when it ended by itself, and gives Blue everything back once nobody watches Green:
nobody else lives as long as it does.

    python -I -S keeper.py --own RECORD --record RECORD --output FILE --lock FILE --deaths FILE --detach DETACH --trial FILE
        -- COMMAND ...

It looks at the proxy's record five times a second, and is not its parent: whichever of the two is killed, the other stays.
It ends when its own record is another's, or gone: then the environment was stopped.

- `--lock`: held while the proxy is started, by a controller too: two of them would share the port.
- `--deaths`: a line for each time, seconds since 1970, the last 100.
- `--trial`: trial.py writes it before Green gets a share. It has all that giving back takes, since nothing of Callboard is
  imported here.
"""

# pathlib would double its start
# ruff: noqa: PTH105, PTH107, PTH123

import fcntl
import json
import os
import socket
import subprocess
import sys
import time

LOOK_S = 0.2
AGAIN_S = 1.0
"""Between two attempts, where it does not stay."""
LINES = 100
ANSWER_S = 5.0
"""For Blue to take a connection, and for the proxy to do what it is told."""


def main(arguments: list[str]) -> None:
    """Watch until the environment is stopped."""
    given = dict(zip(arguments[: arguments.index("--")][::2], arguments[: arguments.index("--")][1::2], strict=True))
    command = arguments[arguments.index("--") + 1 :]
    me = f"{os.getpid()} {started(os.getpid())}"
    while read(given["--own"]) == me:
        # the switch first: one that is started anew then has the right shares from its first request on
        give_back(given["--trial"])
        if not is_alive(read(given["--record"])):
            start(given, command, me)
            time.sleep(AGAIN_S)
        time.sleep(LOOK_S)


def start(given: dict[str, str], command: list[str], me: str) -> None:
    """Unless somebody else did meanwhile, or stops it just now."""
    lock = os.open(given["--lock"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if read(given["--own"]) != me or is_alive(read(given["--record"])):
            return
        note(given["--deaths"])
        options = ["--record", given["--record"], "--output", given["--output"], "--guard", "-", "--grace", "1"]
        detach = [sys.executable, "-I", "-S", given["--detach"], *options, "--", *command]
        subprocess.run(detach, stdin=subprocess.DEVNULL, check=False)
    finally:
        os.close(lock)


def note(path: str) -> None:
    """What cannot be written down is not: the proxy is what counts."""
    try:
        lines = [*read(path).splitlines(), f"{time.time():.0f}"][-LINES:]
        with open(f"{path}.new", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(f"{path}.new", path)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)


def give_back(path: str) -> None:
    """Blue gets everything if who watched Green has ended. What does not work out is tried again with the next look.

    A new watcher writes a trial of its own under the same lock, and gives Green a share only then: so nothing is taken from it.
    """
    if not is_unwatched(trial_of(path)):
        return
    try:
        lock = os.open(trial_of(path).get("lock", ""), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        trial = trial_of(path)
        if is_unwatched(trial) and answers(int(trial["port"])):
            put_back(trial)
            os.remove(path)
    except (OSError, ValueError, KeyError) as error:
        print(f"{path}: {error}", file=sys.stderr)
    finally:
        os.close(lock)


def put_back(trial: dict[str, str]) -> None:
    """The proxy's file before its process, so that one which is started meanwhile has it too; and the switch before what is
    written about it. Done twice it comes to the same."""
    write(trial["file"], trial["configuration"])
    if is_alive(read(trial["record"])):
        tell(trial["socket"], trial["commands"])
    state = json.loads(read(trial["state"]))
    had = state["weights"].get(trial["green"], 0)
    state["weights"] = {trial["blue"]: 100}
    write(trial["state"], json.dumps(state, indent=1))
    if had:
        write(trial["note"], f"{time.time():.0f} {trial['green']} {had} {trial['blue']}")


def trial_of(path: str) -> dict[str, str]:
    """{} = there is none."""
    try:
        found = json.loads(read(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_unwatched(trial: dict[str, str]) -> bool:
    """Whether Green may have a share that nobody watches."""
    return bool(trial) and not is_alive(trial.get("watcher", ""))


def answers(port: int) -> bool:
    """Whether somebody listens there: a Blue that has ended itself is given nothing."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S).close()
    except OSError:
        return False
    return True


def tell(path: str, line: str) -> None:
    """Have the proxy carry a line out; it has, when this returns."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(path)
        connection.sendall(f"{line}\n".encode())
        while connection.recv(1 << 16):
            pass


def write(path: str, text: str) -> None:
    """Whole or not at all."""
    with open(f"{path}.kept", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.kept", path)


def read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:  # a process is called whatever it likes
            return file.read()
    except OSError:
        return ""


def is_alive(record: str) -> bool:
    """Whether the process of a record, its number and start time, still runs."""
    pid, _, since = record.partition(" ")
    return pid.isdecimal() and bool(since) and started(int(pid)) == since


def started(pid: int) -> str:
    """When it began, as /proc says; "" = it runs no more. A Z has ended, and waits only for its parent to look."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else ""


if __name__ == "__main__":
    main(sys.argv[1:])
