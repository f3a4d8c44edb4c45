"""The one place where git is started: through GitPython, by argument lists, in an environment of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from callboard.bus.errors import CommandKilled, GitError

TIME_LIMIT_S = 900.0
"""No git command of ours runs longer on a healthy disk; a hung one must not hold its caller for ever."""

_ALWAYS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.filesRefLockTimeout=3000",
    "core.packedRefsTimeout=5000",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "fetch.fsckObjects=true",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "diff.ignoreSubmodules=none",
    "merge.directoryRenames=false",
    # honoured from the command line since git 2.38; a mounted repository often belongs to somebody else
    "safe.directory=*",
)

_IN_OUR_GIT_DIRS = (
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.sparseCheckout=false",
    "core.splitIndex=false",
    "core.logAllRefUpdates=false",
)

UPLOAD_PACK = "git -c safe.directory='*' upload-pack"
"""What a fetch starts on the other side. git does not hand `-c` on to it, so it is said again; a constant, since git
gives it to a shell."""

_ENDED_FROM_OUTSIDE = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_ENV_FOUND_NO_PROGRAM = 127
_PASSED_ON = ("PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
_WRONG = ("error:", "fatal:", "! [")
_MOST_WRONG = 3
"""Lines of one failure that are shown; GitError.stderr has all of them."""


@dataclass(frozen=True, slots=True)
class GitOutput:
    """What one git command said."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """stdout without its last newline; bytes that are no UTF-8 become surrogates."""
        return self.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def reason(self) -> str:
        """Why it failed, in one line: git says what was wrong first and what came of it last, and hints may follow."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip() and not line.startswith("hint:")]
        named = [line for line in lines if line.startswith(_WRONG)]
        return "; ".join(named[:_MOST_WRONG] or lines[-1:]) or f"exit code {self.exit_code}"

    @property
    def records(self) -> list[str]:
        """stdout as NUL-ended records."""
        return self.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@dataclass(frozen=True, slots=True)
class GitPlace:
    """Where git works: a folder, and for git directories of our own the directory itself."""

    path: Path
    git_dir: Path | None = None


def git_argv(args: Sequence[str], *, own_git_dir: bool) -> tuple[str, ...]:
    """The hardened command line of one git command."""
    settings = _ALWAYS + (_IN_OUR_GIT_DIRS if own_git_dir else ())
    return ("git", "--no-pager", *(part for s in settings for part in ("-c", s)), *args)


def git_environment(place: GitPlace, extra: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Everything git gets to see: no `GIT_*`, pager, editor or credential of the process that calls."""
    env = {name: inherited[name] for name in _PASSED_ON if name in inherited}
    env |= {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_EDITOR": "false",
    }
    if place.git_dir is not None:
        env |= {"GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": str(place.path)}
    return {**env, **extra}


def run_git(
    place: GitPlace,
    args: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> GitOutput:
    """Run one git command to its end.

    Args:
        args: The subcommand and its arguments.
        env: Variables on top of the hardened environment, such as the author.
        accept: Exit codes that are an answer, not a failure.

    Raises:
        GitError: Another exit code, git is absent, or it ran into the time limit (exit code -1).
        CommandKilled: A signal ended it.
    """
    argv = git_argv(args, own_git_dir=place.git_dir is not None)
    environment = git_environment(place, env or {}, os.environ)
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        output = _execute(place.path, argv, environment, cast("BinaryIO", given))
    if -output.exit_code in _ENDED_FROM_OUTSIDE:
        raise CommandKilled(f"`git {args[0]}` was ended by signal {-output.exit_code} in {place.git_dir or place.path}")
    if output.exit_code not in accept:
        raise _failed(place, args, argv, output)
    return output


def start_git(place: GitPlace, args: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a git command that answers requests until its stdin ends.

    Not through GitPython, which would hold its stderr open unread, and end it from any fork that inherits the object.

    Raises:
        GitError: git or the folder is absent.
    """
    argv = git_argv(args, own_git_dir=place.git_dir is not None)
    env = git_environment(place, {}, os.environ)
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    try:
        return subprocess.Popen(argv, cwd=place.path, env=env, stdin=pipe, stdout=pipe, stderr=null, bufsize=0)
    except OSError as error:
        raise _no_git(argv, str(error)) from error


def _execute(cwd: Path, argv: tuple[str, ...], environment: Mapping[str, str], stdin: BinaryIO) -> GitOutput:
    try:
        # here, since importing GitPython without a git on PATH raises, and that must become a sentence
        from git import Git
    except ImportError as error:
        raise _no_git(argv, str(error)) from error
    # GitPython always adds to the caller's environment, so `env -i` takes that away again
    clean = ("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items()), *argv)
    if not cwd.is_dir():
        raise GitError(f"{cwd} does not exist, so git cannot run there", argv=argv, exit_code_of_git=-1, stderr="")
    answer = Git(cwd).execute(
        clean,
        istream=stdin,
        with_extended_output=True,
        with_exceptions=False,
        stdout_as_string=False,
        strip_newline_in_stdout=False,
        kill_after_timeout=TIME_LIMIT_S,
        shell=False,
    )
    assert isinstance(answer, tuple)
    code, stdout, stderr = answer
    assert isinstance(stdout, bytes)
    if code == _ENV_FOUND_NO_PROGRAM:
        raise _no_git(argv, stderr)
    return GitOutput(-1 if stderr.startswith("Timeout: ") else code, stdout, stderr)


def _no_git(argv: tuple[str, ...], stderr: str) -> GitError:
    return GitError("git was not found; install git 2.38 or newer", argv=argv, exit_code_of_git=-1, stderr=stderr)


def _failed(place: GitPlace, args: Sequence[str], argv: tuple[str, ...], output: GitOutput) -> GitError:
    where = place.git_dir or place.path
    return GitError(
        f"`git {args[0]}` failed in {where}: {output.reason}",
        argv=argv,
        exit_code_of_git=output.exit_code,
        stderr=output.stderr,
    )
