from __future__ import annotations

import errno
from random import Random

import pytest
import typer

from callboard.bus.errors import CallboardError, ConfigError, GitError, IntakeRefused, RosterError
from callboard.cli.application import main
from callboard.cli.errors import ErrorReport, cleaned, report, unforeseen


def test_every_error_of_ours_is_told_with_its_class_and_exit_code() -> None:
    told = report(RosterError("it is already running here"))
    assert told is not None
    assert (told.type, told.message, told.exit_code) == ("RosterError", "it is already running here", 1)


def test_a_mistake_in_a_file_names_its_place_in_fields_too() -> None:
    told = report(ConfigError("did you mean gate?", path="callboard.toml", line=4, key="project.gates"))
    assert told is not None
    assert (told.path, told.line, told.key, told.exit_code) == ("callboard.toml", 4, "project.gates", 2)
    assert told.message == "callboard.toml:4: project.gates: did you mean gate?"


def test_a_git_command_that_failed_is_shown_with_what_it_said() -> None:
    error = GitError("could not look", argv=("git", "status"), exit_code_of_git=128, stderr="fatal: no")
    told = report(error)
    assert told is not None
    assert (told.command, told.stderr) == (("git", "status"), "fatal: no")


def test_a_refused_path_is_named() -> None:
    told = report(IntakeRefused("paths", "ci.yml", "ask for it"))
    assert told is not None
    assert told.path == "ci.yml"


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EACCES, "; let this user read and write there, then try again"),
        (errno.EROFS, "; let this user read and write there, then try again"),
        (errno.ENOTDIR, "; a file stands where a folder is to be: move it away, then try again"),
        (errno.ENOSPC, "; make room, then try again"),
        (errno.EIO, ""),
    ],
)
def test_a_file_that_cannot_be_opened_is_named_with_the_way_out(number: int, way_out: str) -> None:
    told = report(OSError(number, "It failed", "/x/.callboard/locks"))
    assert told is not None
    assert (told.message, told.exit_code) == (f"/x/.callboard/locks: It failed{way_out}", 1)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), typer.Abort()])
def test_ctrl_c_ends_with_the_exit_code_that_shells_expect(stop: BaseException) -> None:
    told = report(stop)
    assert told is not None
    assert told.exit_code == 130


def test_a_command_line_that_cannot_be_read_ends_with_2() -> None:
    told = report(typer.BadParameter("must be a number", param_hint="--priority"))
    assert told is not None
    assert (told.type, told.exit_code) == ("Usage", 2)
    assert "--help" in told.message


def test_an_error_nobody_foresaw_keeps_its_traceback() -> None:
    assert report(ZeroDivisionError("division by zero")) is None


def test_an_error_cannot_move_the_cursor() -> None:
    told = report(CallboardError("file \x1b[2J is gone"))
    assert told is not None
    assert "\x1b" not in told.message


def test_the_traceback_of_an_unforeseen_error_has_no_secret_of_the_environment() -> None:
    value = "".join(Random(3).choices("abcdefgh12345678ABCDEFGH", k=32))
    try:
        raise ValueError(f"no such host: https://me:{value}@h/")
    except ValueError as error:
        told, open_told = unforeseen(error, {"GIT_TOKEN": value}), str(error)
    assert "Traceback" in told
    assert "[redacted:GIT_TOKEN]" in told
    assert value not in told
    assert value in open_told


def test_every_field_of_a_reported_error_is_cleaned() -> None:
    value = "".join(Random(4).choices("abcdefgh12345678ABCDEFGH", k=32))
    said = ErrorReport("GitError", value, 1, path=value, key=value, command=("git", value), stderr=value)
    told = cleaned(said, {"GIT_TOKEN": value})
    mark = "[redacted:GIT_TOKEN]"
    assert told == ErrorReport("GitError", mark, 1, path=mark, key=mark, command=("git", mark), stderr=mark)


@pytest.mark.parametrize(("words", "way_out"), [(["logs"], "callboard logs --help"), (["nosuch"], "callboard --help")])
def test_a_command_line_that_cannot_be_read_names_the_help_of_just_that_command(
    words: list[str], way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"see `{way_out}`" in capsys.readouterr().err
