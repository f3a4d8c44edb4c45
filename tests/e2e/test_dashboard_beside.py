"""A launch with its dashboard: opened, killed, and gone with the launch."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar

import psutil
import pytest
from roster import HANG_S, Workspace, task, until

Make = Callable[..., Workspace]


def said_until(launch: subprocess.Popen[str], sign: str) -> str:
    """The first line that holds it."""
    assert launch.stdout is not None
    for line in launch.stdout:
        if sign in line:
            return line
    raise AssertionError(f"the launch ended and never said {sign!r}")


def open_dashboard(launch: subprocess.Popen[str]) -> str:
    """Follow the printed link with a browser's cookies; the page that one comes to."""
    link = said_until(launch, "/login?code=").split()[-1]
    assert link.startswith("http://localhost:")
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(link, timeout=HANG_S) as answer:
        return str(answer.read().decode())


def serving(made: Workspace) -> list[psutil.Process]:
    return [one for one in made.processes() if is_dashboard(one)]


def is_dashboard(process: psutil.Process) -> bool:
    try:
        return "callboard.web.beside_process" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


@pytest.mark.long
def test_a_launch_has_a_dashboard_that_cannot_disturb_it_and_ends_with_it(
    workspace: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLBOARD_WEB_WITH_LAUNCH")
    made = workspace(extra="[web]\nport = 0")
    made.init({"driver-1": task("1 - Take a while", Writes="a.txt", Waits="yes")})
    first = made.start()
    page = open_dashboard(first)
    assert "Take a while" in page or "Run " in page
    (process,) = serving(made)
    process.kill()
    assert "the run goes on" in said_until(first, "the dashboard died")
    made.release("driver-1")
    output, _ = first.communicate(timeout=HANG_S)
    assert first.returncode == 0, output
    assert "a.txt" in made.files(made.integration())

    second = made.start("--stay")
    assert "<h1>Run " in open_dashboard(second)
    assert serving(made)
    second.send_signal(signal.SIGKILL)
    second.communicate(timeout=HANG_S)
    until(lambda: not serving(made))

    third = made.start("--stay", "--no-web")
    until(lambda: made.process("driver-1") is not None)
    third.send_signal(signal.SIGTERM)
    output, _ = third.communicate(timeout=HANG_S)
    assert "dashboard" not in output
