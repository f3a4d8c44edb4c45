"""How much of the computer Green takes, from /proc."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Protocol, runtime_checkable

from callboard.agents.deployment.analysis_settings import Of
from callboard.agents.deployment.samples import Value
from callboard.agents.deployment.target import Target
from callboard.agents.workspace.guard import descendants

_FIELDS_BEFORE = 2
"""pid and name stand before the fields of /proc/PID/stat that are counted from here."""
_UTIME, _STIME = 13 - _FIELDS_BEFORE, 14 - _FIELDS_BEFORE
_RESIDENT = 1
"""Of /proc/PID/statm, in pages."""


@runtime_checkable
class HasProcesses(Protocol):
    """A target whose releases are processes of this computer."""

    def process(self, release: str) -> int:
        """The one that all of the release's are below; 0 = it does not run."""
        ...


class Saturation:
    """One measure of everything that a release runs."""

    def __init__(self, target: Target, release: str, of: Of) -> None:
        self._target, self._release, self._of = target, release, of
        self._before: tuple[float, float] | None = None
        """When it was looked, and the processor seconds used until then."""

    def read(self) -> Value:
        if not isinstance(self._target, HasProcesses) or not Path("/proc/self/stat").exists():
            return math.nan, "what its processes take can only be seen of local ones, on Linux"
        top = self._target.process(self._release)
        if not top:
            return math.nan, f"{self._release} does not run"
        pids = [top, *descendants(top)]
        match self._of:
            case "memory":
                return float(sum(map(_memory, pids))), "bytes of memory"
            case "files":
                return float(sum(map(_files, pids))), "files open"
            case "cpu":
                return self._cores(sum(map(_cpu_s, pids)))

    def _cores(self, used: float) -> Value:
        now, before = time.monotonic(), self._before
        self._before = now, used
        if before is None or now <= before[0]:
            return math.nan, "the first look has nothing to compare with"
        return max(0.0, used - before[1]) / (now - before[0]), "cores busy"


def _memory(pid: int) -> int:
    return int(_fields(pid, "statm", _RESIDENT)[0]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_s(pid: int) -> float:
    return sum(map(int, _fields(pid, "stat", _UTIME, _STIME))) / os.sysconf("SC_CLK_TCK")


def _fields(pid: int, name: str, *places: int) -> list[str]:
    """Zeros for a process that has ended meanwhile."""
    try:
        # the command's name may hold spaces and parentheses: the fields start after the last one
        fields = Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace").rpartition(")")[2].split()
        return [fields[place] for place in places]
    except (OSError, IndexError):
        return ["0"] * len(places)


def _files(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0
