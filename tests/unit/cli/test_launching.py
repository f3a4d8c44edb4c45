from __future__ import annotations

import sys
from pathlib import Path

import pytest
from loguru import logger

from callboard.cli.launching import has_dashboard, launch_argv, log_to, what_failed
from callboard.launch.options import LaunchOptions
from callboard.settings.settings import LogSettings
from callboard.settings.web import WebSettings


def test_a_launch_in_the_background_gets_every_option_along() -> None:
    options = LaunchOptions(stay=True, new=True, from_="target", again=("a/b", "c/d"), only=("manager",), web=False)
    assert launch_argv(options) == [
        *(sys.executable, "-m", "callboard", "launch", "--stay", "--new", "--no-web", "--from", "target"),
        *("--again", "a/b", "--again", "c/d", "--only", "manager"),
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing here is full")
def test_a_log_on_a_full_disk_says_nothing_to_who_sits_at_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    log_to(Path("/dev/full"), LogSettings())
    logger.warning("server lost")
    logger.remove()
    assert capsys.readouterr() == ("", "")


def test_a_log_begins_with_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "logs/launcher.log"
    log_to(log, LogSettings())
    assert not log.parent.exists(), "a launch that is refused leaves nothing behind"
    logger.warning("one")
    logger.warning("two")
    logger.remove()
    assert [line.rpartition(" ")[2] for line in log.read_text().splitlines()] == ["one", "two"]


def test_a_plain_launch_has_no_options() -> None:
    assert launch_argv(LaunchOptions())[1:] == ["-m", "callboard", "launch"]


def test_the_error_is_found_among_the_lines_of_a_launcher_that_runs_already() -> None:
    lines = ["09:00:00Z T-1 One: queued", "error: cannot launch:", "- no gate", "09:00:01Z T-1 One: landed"]
    assert what_failed(lines) == "cannot launch:\n- no gate"


def test_without_an_error_the_last_lines_are_told() -> None:
    assert what_failed(["Traceback", "ZeroDivisionError"]) == "Traceback\nZeroDivisionError"
    assert what_failed([]) == "it said nothing"


def test_a_dashboard_is_beside_a_launch_that_nobody_told_to_have_none() -> None:
    web, none = WebSettings(), WebSettings(with_launch=False)
    assert has_dashboard(web, LaunchOptions())
    assert not has_dashboard(none, LaunchOptions())
    assert not has_dashboard(web, LaunchOptions(web=False))
    assert not has_dashboard(web, LaunchOptions(only=("driver-1",)))
