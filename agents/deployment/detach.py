"""Starts one program that outlives us: in a session of its own, its output in a file, its process on record.

    python -I -S detach.py --record FILE --output FILE --guard GUARD|- --grace SECONDS -- COMMAND [ARGUMENT ...]

- `--record`: written before the program begins, `PID STARTED`: so nothing runs that nobody knows of. STARTED is the
  process's start time as /proc has it, which tells it from a later one of the same number.
- `--guard`: `guard.py`, which stands in front of the program and takes what it leaves behind; `-`: none.
- Exit code: 0 when the program has begun, or 1, with the reason on stderr.

It imports nothing of Callboard: it starts in milliseconds.
"""

# pathlib would double its start
# ruff: noqa: PTH105, PTH108, PTH110, PTH123

import os
import sys


def main(arguments: list[str]) -> int:
    """Start it; returns the exit code."""
    options, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = dict(zip(options[::2], options[1::2], strict=True))
    reading, writing = os.pipe()
    os.set_inheritable(writing, False)
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            become(given, command)
        except OSError as error:
            os.write(writing, f"{error.filename or command[0]}: {error.strerror}".encode())
            os._exit(1)
    os.close(writing)
    said = b""
    while chunk := os.read(reading, 4096):
        said += chunk
    if said:
        os.waitpid(child, 0)
        sys.stderr.write(said.decode("utf-8", "replace"))
    return 1 if said else 0


def become(given: dict[str, str], command: list[str]) -> None:
    """The child's side: on record, then in place of this program the other one."""
    os.setsid()
    output = os.open(given["--output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    write_record(given["--record"])
    if given["--guard"] != "-":
        life = open_end()
        guard = [sys.executable, "-I", "-S", given["--guard"], "--life", str(life)]
        command = [*guard, "--grace", given["--grace"], "--ask", "command", "--", *command]
    os.execvp(command[0], command)


def open_end() -> int:
    """A life pipe that never closes: its one reader writes to it too."""
    reading, writing = os.pipe()
    both = os.open(f"/proc/self/fd/{reading}", os.O_RDWR)
    os.close(reading)
    os.close(writing)
    os.set_inheritable(both, True)
    return both


def write_record(path: str) -> None:
    with open("/proc/self/stat", "rb") as stat:
        started = stat.read().rpartition(b")")[2].split()[19].decode()
    made = f"{path}.{os.getpid()}"
    try:
        with open(made, "w") as file:
            file.write(f"{os.getpid()} {started}")
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, path)
    except OSError:
        if os.path.exists(made):
            os.unlink(made)
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
