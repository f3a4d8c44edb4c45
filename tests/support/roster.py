"""A workspace with brains that are small programs, launched as users launch it: real processes, server and git."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from forked import callboard

DRIVERS = ("driver-1", "driver-2")
REVIEWERS = ("senior", "junior-1", "junior-2")
AGENTS = ("manager", *DRIVERS, *REVIEWERS)
HANG_S = 540.0
"""What takes so long hangs: nothing here is a clock. Below the limit of a long test in tests/conftest.py."""

DRIVER = """
import json, os, pathlib, sys, time
job = json.load(sys.stdin)
fields = job["spec"]["fields"]
time.sleep(float(fields.get("Takes", "0.2")))
while "Waits" in fields and not pathlib.Path(os.environ["HOME"], "go").exists():
    time.sleep(0.05)
if "Writes" in fields:
    path = pathlib.Path(fields["Writes"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fields.get("Text", job["spec"]["title"]).replace("; ", "\\n") + "\\n")
if "Blocks" in fields and not any(note["source"] == "answer" for note in job["notes"]):
    print(json.dumps({"status": "blocked", "blocker": {"what": fields["Blocks"], "needs": "an answer"}}))
"""
REVIEWER = """
import json, sys
json.load(sys.stdin)
print(json.dumps({"vote": "approved", "findings": [], "notes": "reads well"}))
"""


def task(title: str, **fields: str) -> str:
    """One task of a direction file; the driver program obeys Writes, Text, Takes, Waits and Blocks."""
    lines = "".join(f"**{name}**: {text}\n" for name, text in fields.items())
    return f"### Task {title}\n{lines}\n"


def run_git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Workspace:
    """One repository with a roster.

    Args:
        gate: The project's gate.
        drivers: Agent -> command, where it is not the program above.
    """

    path: Path
    gate: Sequence[str] = ("test -e README",)
    setup: Sequence[str] = ()
    extra: str = ""
    drivers: Mapping[str, str] = field(default_factory=dict)
    names: Sequence[str] = DRIVERS
    """Its drivers."""
    reviewer: str = REVIEWER
    """What its reviewers run."""

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    def init(self, directions: Mapping[str, str], files: Mapping[str, str] | None = None) -> None:
        """Make it a repository whose first commit holds everything."""
        self.path.mkdir(parents=True, exist_ok=True)
        run_git(self.path, "init", "--quiet", "--initial-branch=main")
        self.write({"README": "a project\n", **(files or {})})
        self.equip(directions)
        run_git(self.path, "add", "--all")
        run_git(self.path, "commit", "--quiet", "--message=Begin")

    def equip(self, directions: Mapping[str, str]) -> None:
        """Write callboard.toml and the direction files."""
        brains = self.path.parent / f"{self.path.name}-brains"
        brains.mkdir(exist_ok=True)
        (brains / "driver.py").write_text(DRIVER)
        (brains / "reviewer.py").write_text(self.reviewer)
        text = (
            f"[project]\ngate = {json.dumps(list(self.gate))}\nsetup = {json.dumps(list(self.setup))}\n{self.extra}\n"
        )
        for name in self.names:
            command = self.drivers.get(name, f"{sys.executable} {brains / 'driver.py'}")
            text += f'\n[[agents]]\nname = "{name}"\nrole = "driver"\ncommand = {json.dumps(command)}\n'
        for name in REVIEWERS:
            command = f"{sys.executable} {brains / 'reviewer.py'}"
            text += (
                f'\n[[agents]]\nname = "{name}"\nrole = "reviewer"\nseat = "{name}"\ncommand = {json.dumps(command)}\n'
            )
        documents = {
            f"directions/{name}.md": f"# {name}\n\n## Active tasks\n\n{body}" for name, body in directions.items()
        }
        self.write({"callboard.toml": text, **documents})

    def start(self, *args: str) -> subprocess.Popen[str]:
        """`callboard launch`, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "callboard", "launch", *args],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def launch(self, *args: str, timeout_s: float = HANG_S) -> tuple[int, str]:
        """`callboard launch` to its end: exit code and output."""
        process = self.start(*args)
        output, _ = process.communicate(timeout=timeout_s)
        return process.returncode, output

    def call(self, *args: str, timeout_s: float = HANG_S) -> subprocess.CompletedProcess[str]:
        """Any other command."""
        return callboard(self.path, *args, timeout_s=timeout_s)

    def json(self, *args: str) -> dict[str, object]:
        answered = self.call(*args, "--json")
        found: dict[str, object] = json.loads(answered.stdout)
        return found

    def processes(self) -> list[psutil.Process]:
        """Every process that works in or for this workspace."""
        mine = []
        for process in psutil.process_iter():
            try:
                places = [process.cwd(), *process.cmdline()]
            except psutil.Error:
                continue
            if any(str(self.path) in place for place in places):
                mine.append(process)
        return mine

    def process(self, name: str) -> psutil.Process | None:
        """The process of an agent, or `server`; None while it does not run."""
        for process in self.processes():
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            is_guard = any(part.endswith("guard.py") for part in line)
            is_agent = "agent" in line and name in line
            is_server = name == "server" and "server" in Path(line[0]).name if line else False
            if not is_guard and (is_agent or is_server):
                return process
        return None

    def release(self, agent: str) -> None:
        """Let the agent's tasks go on that wait."""
        home = self.path / ".callboard" / "scratch" / agent / "home"
        home.mkdir(parents=True, exist_ok=True)
        (home / "go").touch()

    def integration(self) -> str:
        """The newest integration branch."""
        return run_git(self.path, "for-each-ref", "--format=%(refname)", "refs/heads/callboard").splitlines()[-1]

    def files(self, rev: str) -> dict[str, str]:
        """Path -> blob, of a revision."""
        lines = run_git(self.path, "ls-tree", "-r", rev).splitlines()
        return {path: entry.split()[2] for entry, _, path in (line.partition("\t") for line in lines)}

    def landed_keys(self, rev: str) -> list[str]:
        """The Task-Key of every task's merge, on the side chains of the landings; the newest first."""
        form = "--format=%(trailers:key=Task-Key,valueonly,separator=)"
        return [key for key in run_git(self.path, "log", "--merges", "--topo-order", form, rev).splitlines() if key]

    def stop_everything(self) -> None:
        """Nothing of this workspace stays, and none of its locks; what was only being started is ended too."""
        while left := [one for one in self.processes() if one.pid != os.getpid()]:
            kill(left)
            psutil.wait_procs(left, timeout=1)


def until(condition: Callable[[], bool], timeout_s: float = HANG_S, every_s: float = 0.1) -> None:
    """Wait for something that another process brings about."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every_s)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Those that are gone by then are left out."""
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
