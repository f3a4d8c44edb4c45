"""From an error to what a person reads and a script gets."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace

import typer

from callboard.bus.errors import CallboardError, ConfigError, GitError, IntakeRefused
from callboard.bus.known_secrets import secrets_in
from callboard.bus.redaction import Redactor
from callboard.cli.exit_codes import FAILED, INTERRUPTED
from callboard.cli.plain import lines

_WAYS_OUT = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "let this user read and write there"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "a file stands where a folder is to be: move it away"),
    errno.ENOSPC: "make room",
}
"""What a person does about an error of the system."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What `--json` prints on stdout as `{"error": ...}`. Fields that do not apply are null."""

    type: str
    """The class in bus/errors.py; `Usage` for a command line that cannot be read, `Interrupted` for Ctrl-C."""
    message: str
    exit_code: int
    path: str | None = None
    line: int | None = None
    key: str | None = None
    command: tuple[str, ...] | None = None
    """The git command that failed."""
    stderr: str | None = None


def report(error: BaseException) -> ErrorReport | None:
    """How to tell it; None for an error nobody foresaw, which keeps its traceback."""
    match error:
        case ConfigError(path=path, line=line, key=key):
            return _plain(error, path=path, line=line, key=key)
        case GitError(argv=argv, stderr=stderr):
            return _plain(error, command=argv, stderr=stderr)
        case IntakeRefused(path=path):
            return _plain(error, path=path or None)
        case CallboardError():
            return _plain(error)
        case typer.TyperException():
            return ErrorReport(type="Usage", message=_usage(error), exit_code=error.exit_code)
        case BaseExceptionGroup(exceptions=inside):
            # a TaskGroup wraps what failed in it; several at once are told by the first
            return next((told for one in inside if (told := report(one)) is not None), None)
        case KeyboardInterrupt() | typer.Abort():
            return ErrorReport(type="Interrupted", message="stopped by Ctrl-C", exit_code=INTERRUPTED)
        case OSError(filename=str(), strerror=str()):
            way_out = _WAYS_OUT.get(error.errno or 0, "")
            text = f"{error.filename}: {error.strerror}" + (f"; {way_out}, then try again" if way_out else "")
            return ErrorReport(type=type(error).__name__, message=text, exit_code=FAILED, path=str(error.filename))
    return None


def cleaned(told: ErrorReport, environ: Mapping[str, str]) -> ErrorReport:
    """The same without secrets: a git command may have a password in its URL, and what it said may repeat it."""
    clean = Redactor(secrets_in(environ)).text
    return replace(
        told,
        message=clean(told.message),
        path=told.path and clean(told.path),
        key=told.key and clean(told.key),
        command=told.command and tuple(map(clean, told.command)),
        stderr=told.stderr and clean(told.stderr),
    )


def unforeseen(error: BaseException, environ: Mapping[str, str]) -> str:
    """The traceback of an error that nobody foresaw, without secrets."""
    return Redactor(secrets_in(environ)).text("".join(traceback.format_exception(error)).rstrip())


def _plain(
    error: CallboardError,
    *,
    path: str | None = None,
    line: int | None = None,
    key: str | None = None,
    command: tuple[str, ...] | None = None,
    stderr: str | None = None,
) -> ErrorReport:
    return ErrorReport(
        type=type(error).__name__,
        message=lines(str(error)).strip(),
        exit_code=error.exit_code,
        path=path,
        line=line,
        key=key,
        command=command,
        stderr=stderr,
    )


def _usage(error: typer.TyperException) -> str:
    command = getattr(getattr(error, "ctx", None), "command_path", "callboard")
    said = lines(error.format_message()).strip().rstrip(".") or "no command was given"
    return f"{said}; see `{command} --help`"
