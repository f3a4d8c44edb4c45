"""Commands, and functions, in processes of their own that need not import everything again: forked from the tests' process.

A forked command has its own memory, folder, environment and file descriptors, and ends as `python -m callboard` does.
What is not the same: what was imported before it. What is about that, or about a signal, starts an interpreter.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from loguru import logger

from callboard import app
from callboard.cli import commands, main

IMPORTED = (app, commands)
"""What most commands import, imported once."""


def callboard(
    folder: Path, *args: str, env: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """One command line in `folder`, to its end.

    Args:
        env: Its whole environment; None = that of the tests.

    Raises:
        subprocess.TimeoutExpired: It did not end; it was killed.
    """
    argv = [sys.executable, "-m", "callboard", *args]
    environ = dict(os.environ if env is None else env)
    if sys.platform != "linux":  # elsewhere libraries of the system do not bear a fork
        return subprocess.run(
            argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = multiprocessing.get_context("fork").Process(
            target=_become, args=(folder, args, environ, out.fileno(), err.fileno())
        )
        child.start()
        try:
            child.join(timeout_s)
            if child.exitcode is None:
                raise subprocess.TimeoutExpired(argv, timeout_s)
        finally:
            child.kill()
            child.join()
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(argv, child.exitcode, out.read().decode(), err.read().decode())


class Forked:
    """A function in a process of its own, which a test reads, signals and kills as it would a Popen."""

    def __init__(self, work: Callable[[], object]) -> None:
        read, write = os.pipe()
        self._child = multiprocessing.get_context("fork").Process(target=_say, args=(work, write))
        self._child.start()
        os.close(write)
        self.stdout = os.fdopen(read, encoding="utf-8")

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.kill()
        self.stdout.close()
        self.wait()

    def kill(self) -> None:
        self._child.kill()

    def send_signal(self, number: signal.Signals) -> None:
        assert self._child.pid is not None
        os.kill(self._child.pid, number)

    def wait(self) -> int:
        """Its exit code; below 0: the signal that ended it."""
        self._child.join()
        assert self._child.exitcode is not None
        return self._child.exitcode


def _say(work: Callable[[], object], out: int) -> None:
    """What it prints goes into the pipe."""
    signal.set_wakeup_fd(-1)
    sys.stdout = open(out, "w", encoding="utf-8")  # noqa: SIM115
    work()


def _become(folder: Path, args: tuple[str, ...], environ: dict[str, str], out: int, err: int) -> NoReturn:
    """Be that command; never returns."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = ["callboard", *args]
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    logger.remove()
    logger.add(sys.stderr)
    code = 1
    try:
        code = main(args)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001, the interpreter does so
        sys.excepthook(*sys.exc_info())
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        traceback.print_exc()
    os._exit(code)
