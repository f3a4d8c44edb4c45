"""The command brain with real programs, well-behaved and hostile ones."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path

import psutil
import pytest
from brain_jobs import Lines, job, review_job

from callboard.agents.brains.brain import Blocked, Done, Failed
from callboard.agents.brains.command import MAX_NOTES, MAX_TEXT, CommandBrain
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError
from callboard.bus.task import Note


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_a_program_gets_the_task_on_stdin_its_names_in_the_environment_and_its_clone_as_folder(tmp_path: Path) -> None:
    code = (
        "import json, os, sys; task = json.load(sys.stdin);"
        "print(json.dumps({'status': 'done', 'notes': json.dumps({'task': task, 'env': sorted(os.environ),"
        " 'names': [os.environ['CALLBOARD_' + n] for n in ('TASK', 'AGENT', 'RUN')], 'cwd': os.getcwd()})}))"
    )
    notes = (Note(source="answer", text="Question: Which?\nAnswer: A"),)
    result = asyncio.run(CommandBrain(python(code)).work(job(tmp_path, attempt=2, notes=notes), Lines()))
    assert isinstance(result, Done)
    said = json.loads(result.notes)
    assert said["names"] == ["T-7", "driver-1", "r1"]
    assert said["cwd"] == str(tmp_path)
    assert set(said["env"]) <= {
        "CALLBOARD_AGENT",
        "CALLBOARD_RUN",
        "CALLBOARD_TASK",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
        "LC_CTYPE",
        "OLDPWD",
    }
    task = said["task"]
    assert (task["run"], task["task"], task["attempt"], task["base"], task["prompt"]) == (
        "r1",
        "T-7",
        2,
        "a" * 40,
        "You drive.",
    )
    assert task["spec"]["title"] == "Add a /health endpoint"
    assert task["briefing"]["locks"] == ["NO_MOCKS"]
    assert task["notes"] == [{"source": "answer", "text": "Question: Which?\nAnswer: A"}]


def test_a_program_may_be_an_argument_list_that_no_shell_reads(tmp_path: Path) -> None:
    brain = CommandBrain([sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; touch owned"])
    assert asyncio.run(brain.work(job(tmp_path), Lines())) == Done("$HOME; touch owned")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("true", Done("")),
        ("cat >/dev/null; echo made it", Done("made it")),
        ("""echo '{"status": "blocked", "blocker": {"what": "no key"}}'; exit 3""", Blocked("no key")),
        ("""printf '{"status": "done", "notes": "x"}'""", Done("x")),
        ("echo oops; exit 3", Failed("exited 3; the end of its output:\noops")),
        ("exit 1", Failed("exited 1; it printed nothing")),
        ("kill -9 $$", Failed("exited 137; it printed nothing")),
    ],
)
def test_exit_code_and_last_line_say_how_it_ended(tmp_path: Path, command: str, result: object) -> None:
    assert asyncio.run(CommandBrain(command).work(job(tmp_path), Lines())) == result


def test_a_program_that_is_absent_is_a_failure_that_names_it(tmp_path: Path) -> None:
    for command in ("no-such-agent --go", ["no-such-agent", "--go"]):
        result = asyncio.run(CommandBrain(command).work(job(tmp_path), Lines()))
        assert isinstance(result, Failed)
        assert result.reason.startswith("exited 127")
        assert "no-such-agent" in result.reason


def test_a_folder_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BrainError, match="driver-1 cannot be run"):
        asyncio.run(CommandBrain("true").work(job(tmp_path / "gone"), Lines()))


def test_stderr_and_marked_lines_of_stdout_are_progress(tmp_path: Path) -> None:
    heard = Lines()
    asyncio.run(
        CommandBrain("echo thinking >&2; sleep 0.05; echo 'progress: half way'; echo result").work(job(tmp_path), heard)
    )
    assert sorted(line.strip() for line in heard.said) == ["half way", "thinking"]


HOSTILE = {
    "a line of 10 MB": "import sys; sys.stdout.write('x' * 10_000_000)",
    "10 MB of lines": "print('line\\n' * 2_000_000)",
    "10 MB on stderr": "import sys; sys.stderr.write('y' * 10_000_000)",
    "no text": "import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)",
    "a JSON bomb": "print('[' * 1_000_000)",
    "a nested object": "print('{\"status\": ' * 100_000)",
    "a number bomb": "print('{\"status\": ' + '9' * 900_000 + '}')",
    "terminal escapes": "print('\\x1b]0;owned\\x07\\x1b[2J' * 1000)",
    "half a character": 'print(\'{"status": "done", "notes": "\\\\ud800"}\')',
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_output_is_bounded_text_that_can_be_sent(tmp_path: Path, code: str) -> None:
    heard = Lines()
    result = asyncio.run(CommandBrain(python(code)).work(job(tmp_path), heard))
    assert isinstance(result, Done)
    assert len(result.notes) <= max(MAX_NOTES, MAX_TEXT)
    assert "\x1b" not in result.notes
    result.notes.encode()
    assert all(len(line) <= 100_000 for line in heard.said)


def test_a_program_that_reads_nothing_of_a_large_task_is_no_failure(tmp_path: Path) -> None:
    notes = (Note(source="gate", text="x" * 3_000_000),)
    assert asyncio.run(CommandBrain("exec true").work(job(tmp_path, notes=notes), Lines())) == Done("")


TREE = "echo $$ > pids/a; (setsid sh -c 'echo $$ > pids/b; sleep 300' &) ; sh -c 'trap \"\" TERM; echo $$ > pids/c; sleep 300'"


def started(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in (folder / "pids").iterdir() if path.read_text().strip()]


def test_at_its_time_limit_the_whole_tree_is_gone(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    result = asyncio.run(
        CommandBrain(TREE + '; echo \'{"status": "done"}\'').work(job(tmp_path, timeout_s=5.0), Lines())
    )
    assert isinstance(result, Failed)
    assert "stopped at its time limit of 5 s" in result.reason
    assert len(started(tmp_path)) == 3
    assert not [pid for pid in started(tmp_path) if psutil.pid_exists(pid)]


def test_a_cancelled_brain_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    up = asyncio.Event()

    async def heard(_: str) -> None:
        up.set()

    async def scenario() -> None:
        command = "(while [ $(cat pids/* 2>/dev/null | wc -l) -lt 3 ]; do sleep 0.02; done; echo up >&2) & " + TREE
        work = asyncio.create_task(CommandBrain(command).work(job(tmp_path), heard))
        await up.wait()
        assert all(psutil.pid_exists(pid) for pid in started(tmp_path))
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(scenario())
    assert len(started(tmp_path)) == 3
    assert not [pid for pid in started(tmp_path) if psutil.pid_exists(pid)]


def test_a_reviewer_gets_the_request_and_prints_its_verdict(tmp_path: Path) -> None:
    code = (
        "import json, sys; r = json.load(sys.stdin); print('thinking');"
        "print(json.dumps({'vote': 'approved', 'notes': ' '.join([r['review'], r['author'], r['agent'], r['commit'][:2], r['base'][:2],"
        " r['spec']['key'], r['diff'].strip(), r['commands'][0]['command'], r['requirements_hash'], r['prompt']])}))"
    )
    said = asyncio.run(CommandBrain(python(code)).review(review_job(tmp_path)))
    verdict = parse_verdict(said.text)
    assert verdict.vote == "approved"
    digest = review_job(tmp_path).request.requirements_hash
    assert verdict.notes == f"T-7.1.1 driver-1 senior bb aa driver-1/health +x = 1 pytest -q {digest} You drive."


@pytest.mark.parametrize(
    ("command", "timeout_s", "why"),
    [
        ("""echo '{"vote": "approved"}'; exit 1""", 30.0, "exited 1"),
        ("""echo '{"vote": "approved"}'; sleep 300""", 0.5, r"no verdict within 0\.5 s"),
    ],
)
def test_a_reviewer_that_fails_or_hangs_gives_no_verdict_whatever_it_printed(
    tmp_path: Path, command: str, timeout_s: float, why: str
) -> None:
    with pytest.raises(BrainError, match=why):
        asyncio.run(CommandBrain(command).review(review_job(tmp_path, timeout_s=timeout_s)))
