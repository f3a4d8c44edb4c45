"""What a forked process is called, with real ones."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

SCRIPT = """
import subprocess, sys
from callboard.launch.title import set_title
for title in sys.argv[1].split(","):
    set_title(title * int(sys.argv[2]))
print(subprocess.run(["env"], capture_output=True, text=True).stdout.count("NEIGHBOUR=untouched"), flush=True)
sys.stdin.read()
"""


def titled(titles: str, times: int = 1) -> tuple[str, str]:
    """What a process is listed as that gave itself these titles, each repeated, and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, titles, str(times)],
        env={"NEIGHBOUR": "untouched", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline().strip()
        return " ".join(psutil.Process(process.pid).cmdline()), said
    finally:
        process.communicate("")


@pytest.mark.skipif(sys.platform != "linux", reason="only there are processes forked")
def test_a_process_is_listed_under_its_last_title() -> None:
    assert titled("callboard agent driver-1,callboard agent me") == ("callboard agent me", "1")


@pytest.mark.skipif(sys.platform != "linux", reason="only there are processes forked")
def test_a_title_without_room_is_cut_and_leaves_the_environment_as_it_is() -> None:
    listed, said = titled("w,x", 100_000)
    assert said == "1"
    assert set(listed) == {"x"}
