"""The CLI brain with real processes that play Claude Code."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from brain_jobs import Lines
from cli_jobs import Purse, cli_log, install, said, seated, seated_review, used

from callboard.agents.brains.brain import Done, Failed
from callboard.agents.brains.budget import Usage
from callboard.agents.brains.cli.adapter import Order
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.brain import CliBrain, CliSettings
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.agents.workspace.sandbox import Sandbox
from callboard.agents.workspace.sandbox_probe import candidates
from callboard.bus.errors import BrainError, BudgetSpent


def claude(settings: CliSettings = CliSettings(), budget: Purse | None = None) -> CliBrain:  # noqa: B008  (frozen)
    return CliBrain(ADAPTERS["claude"], settings, budget or Purse(), cli_log)


def test_it_gets_the_task_on_stdin_and_an_environment_of_its_own(tmp_path: Path) -> None:
    job = seated(tmp_path)
    install(
        tmp_path / "bin",
        "claude",
        "import json, os, sys; open('seen', 'w').write(json.dumps([sys.stdin.read(), sys.argv, dict(os.environ)]))\n"
        f"print({said('ok')!r})",
    )
    brain = claude(CliSettings(model="opus", env={"ANTHROPIC_API_KEY": "k"}))
    assert asyncio.run(brain.work(job, Lines())) == Done("ok")
    prompt, argv, env = json.loads((tmp_path / "clone/seen").read_text())
    assert "T-7 Add a /health endpoint" in prompt
    assert '{"status": "blocked"' in prompt
    assert argv[-2:] == ["--model", "opus"]
    assert env["ANTHROPIC_API_KEY"] == "k"
    assert (env["CALLBOARD_TASK"], env["CALLBOARD_AGENT"], env["CALLBOARD_RUN"]) == ("T-7", "driver-1", "r1")
    start = ADAPTERS["claude"].start
    ours = {*job.seat.env, "ANTHROPIC_API_KEY", "CALLBOARD_TASK", "CALLBOARD_AGENT", "CALLBOARD_RUN"}
    assert set(env) - ours - set(start(Order("", "work", {})).env) <= {"LC_CTYPE"}


def test_what_it_does_is_reported_and_what_it_uses_is_settled(tmp_path: Path) -> None:
    job, purse, lines = seated(tmp_path), Purse(), Lines()
    first, last = used("a", input_tokens=900, output_tokens=10), said("ok", input_tokens=2000, output_tokens=70)
    install(tmp_path / "bin", "claude", f"print({first!r})\nprint({last!r})")
    assert asyncio.run(claude(budget=purse).work(job, lines)) == Done("ok")
    assert "Bash: step a" in lines.said
    assert purse.spent == Usage(2000, 70)
    assert not purse.open
    assert {call.task for call in purse.asked} == {"T-7"}


def test_a_success_that_exits_otherwise_counts_and_an_exit_of_zero_alone_does_not(tmp_path: Path) -> None:
    job = seated(tmp_path)
    install(tmp_path / "bin", "claude", f"print({said('ok')!r}); raise SystemExit(3)")
    assert asyncio.run(claude().work(job, Lines())) == Done("ok")
    install(tmp_path / "bin", "claude", "print('all done')")
    result = asyncio.run(claude().work(job, Lines()))
    assert isinstance(result, Failed)
    assert result.reason == "its session did not end; exited 0; the end of its output:\nall done"


def test_at_its_time_limit_it_ends_with_everything_it_started(tmp_path: Path) -> None:
    job = seated(tmp_path, timeout_s=5.0)
    install(
        tmp_path / "bin",
        "claude",
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\ntime.sleep(600)",
    )
    result = asyncio.run(claude().work(job, Lines()))
    assert isinstance(result, Failed)
    assert "time limit of 5 s" in result.reason
    assert not any(psutil.pid_exists(int(pid)) for pid in (tmp_path / "clone/pids").read_text().split())


def test_it_is_stopped_when_its_budget_is_spent(tmp_path: Path) -> None:
    job, purse = seated(tmp_path), Purse(cap=60_000)
    line = used("a", input_tokens=40_000, output_tokens=100)
    code = f"import os, time\nopen('pid', 'w').write(str(os.getpid()))\nprint({line!r}, flush=True)\ntime.sleep(600)"
    install(tmp_path / "bin", "claude", code)
    with pytest.raises(BudgetSpent):
        asyncio.run(claude(budget=purse).work(job, Lines()))
    assert purse.spent == Usage(40_000, 100)
    assert not psutil.pid_exists(int((tmp_path / "clone/pid").read_text()))


def test_nothing_is_started_when_nothing_is_left(tmp_path: Path) -> None:
    job = seated(tmp_path)
    install(tmp_path / "bin", "claude", "open('started', 'w')")
    with pytest.raises(BudgetSpent):
        asyncio.run(claude(budget=Purse(cap=1000)).work(job, Lines()))
    assert not (tmp_path / "clone/started").exists()


def test_a_cli_that_is_not_there_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    job = seated(tmp_path)
    lost = CliBrain(ADAPTERS["aider"], CliSettings(), Purse(), cli_log)
    with pytest.raises(BrainError, match=r"aider is not on PATH; install it \(pip install aider-chat\)"):
        asyncio.run(lost.work(job, Lines()))


def test_what_a_reviewer_says_last_is_its_verdict(tmp_path: Path) -> None:
    job = seated_review(tmp_path)
    verdict = 'Fine.\n```json\n{"vote": "approved", "findings": []}\n```'
    install(
        tmp_path / "bin", "claude", f"import sys; open('seen', 'w').write(sys.stdin.read())\nprint({said(verdict)!r})"
    )
    raw = asyncio.run(claude().review(job))
    assert parse_verdict(raw.text).vote == "approved"
    prompt = (tmp_path / "clone/seen").read_text()
    assert "+x = 1" in prompt
    assert '"vote"' in prompt


def test_a_reviewer_whose_session_fails_gives_no_verdict(tmp_path: Path) -> None:
    job = seated_review(tmp_path)
    install(tmp_path / "bin", "claude", """print('{"vote": "approved", "findings": []}')""")
    with pytest.raises(BrainError, match="no answer: its session did not end"):
        asyncio.run(claude().review(job))


def test_its_login_is_copied_in_and_never_back(tmp_path: Path) -> None:
    job, person = seated(tmp_path), tmp_path / "person"
    login = person / ".claude/.credentials.json"
    login.parent.mkdir(parents=True)
    login.write_text("token 1")
    os.utime(login, ns=(10**18, 10**18))
    copy = tmp_path / "home/.claude/.credentials.json"
    install(
        tmp_path / "bin",
        "claude",
        "import os, pathlib; path = pathlib.Path(os.environ['HOME'], '.claude/.credentials.json')\n"
        f"old = path.read_text(); path.write_text('renewed'); print({said('X')!r}.replace('X', old))",
    )
    brain = claude(CliSettings(home=person))
    assert asyncio.run(brain.work(job, Lines())) == Done("token 1")
    assert login.read_text() == "token 1"
    assert asyncio.run(brain.work(job, Lines())) == Done("renewed")
    assert copy.stat().st_mode & 0o777 == 0o600
    login.write_text("token 2")
    assert asyncio.run(brain.work(job, Lines())) == Done("token 2")


@pytest.mark.parametrize("link", [".claude", ".claude/.credentials.json", ".claude/.credentials.json.new"])
def test_a_login_is_never_written_through_a_link(tmp_path: Path, link: str) -> None:
    job, person, victim = seated(tmp_path), tmp_path / "person", tmp_path / "victim"
    (person / ".claude").mkdir(parents=True)
    (person / ".claude/.credentials.json").write_text("token")
    victim.mkdir()
    (victim / ".credentials.json").write_text("precious")
    at = tmp_path / "home" / link
    at.parent.mkdir(exist_ok=True)
    at.symlink_to(victim if link == ".claude" else victim / ".credentials.json")
    os.utime(victim / ".credentials.json", ns=(0, 0))
    os.utime(at, ns=(0, 0), follow_symlinks=False)
    install(tmp_path / "bin", "claude", f"print({said('ok')!r})")
    brain = claude(CliSettings(home=person))
    if link == ".claude":
        with pytest.raises(BrainError, match="could not be copied into"):
            asyncio.run(brain.work(job, Lines()))
    else:
        assert asyncio.run(brain.work(job, Lines())) == Done("ok")
        assert not (tmp_path / "home/.claude/.credentials.json").is_symlink()
    assert (victim / ".credentials.json").read_text() == "precious"


def test_what_aider_keeps_for_itself_is_no_part_of_the_work(tmp_path: Path) -> None:
    job = seated(tmp_path)
    code = "import os; os.mkdir('.aider.tags.cache.v4'); open('x.py', 'w')\nprint('ok')\nprint('Tokens: 1 sent, 1 received.')"
    install(tmp_path / "bin", "aider", code)
    assert asyncio.run(CliBrain(ADAPTERS["aider"], CliSettings(), Purse(), cli_log).work(job, Lines())) == Done("ok")
    assert [path.name for path in (tmp_path / "clone").iterdir()] == ["x.py"]


def test_a_cli_in_a_hidden_folder_starts_in_the_sandbox_and_reads_nothing_else_there(tmp_path: Path) -> None:
    job = seated(tmp_path)
    hidden = tmp_path / "person/.claude"
    (hidden / "local").mkdir(parents=True)
    (hidden / ".credentials.json").write_text("token")
    install(
        hidden / "local",
        "claude",
        f"try: seen = open({str(hidden / '.credentials.json')!r}).read()\n"
        "except OSError: seen = 'nothing'\n"
        f"print({said('X')!r}.replace('X', f'reads {{seen}}'))",
    )
    env = {**job.seat.env, "PATH": f"{hidden / 'local'}:{os.environ['PATH']}"}
    sandbox = Sandbox(
        kind=candidates("auto")[0], writable=(job.seat.cwd, tmp_path / "home"), hidden=(hidden,), connect=()
    )
    job = replace(job, seat=replace(job.seat, env=env, sandbox=sandbox))
    brain = claude(CliSettings(home=tmp_path / "person"))
    assert asyncio.run(brain.work(job, Lines())) == Done("reads nothing")
