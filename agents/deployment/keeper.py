"""Starts an environment's proxy again when it ended by itself: nobody else lives as long as it does.

    python -I -S keeper.py --own RECORD --record RECORD --output FILE --lock FILE --deaths FILE --detach DETACH -- COMMAND ...

It looks at the proxy's record five times a second, and is not its parent: whichever of the two is killed, the other stays.
It ends when its own record is another's, or gone: then the environment was stopped.

- `--lock`: held while the proxy is started, by a controller too: two of them would share the port.
- `--deaths`: a line for each time, seconds since 1970, the last 100.
"""

# pathlib would double its start
# ruff: noqa: PTH105, PTH123

import fcntl
import os
import subprocess
import sys
import time

LOOK_S = 0.2
AGAIN_S = 1.0
"""Between two attempts, where it does not stay."""
LINES = 100


def main(arguments: list[str]) -> None:
    """Watch until the environment is stopped."""
    given = dict(zip(arguments[: arguments.index("--")][::2], arguments[: arguments.index("--")][1::2], strict=True))
    command = arguments[arguments.index("--") + 1 :]
    me = f"{os.getpid()} {started(os.getpid())}"
    while read(given["--own"]) == me:
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


def read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def is_alive(record: str) -> bool:
    pid, _, since = record.partition(" ")
    return bool(since) and started(int(pid)) == since


def started(pid: int) -> str:
    """When it began, as /proc says; "" = it runs no more."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else ""


if __name__ == "__main__":
    main(sys.argv[1:])
