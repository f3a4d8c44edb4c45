"""Attack 17 at each door: what leaves by it has no secret, and the same with a redactor that knows none has."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from random import Random

import pytest
from brain_jobs import Lines, job
from loguru import logger
from model_calls import model_settings
from model_faults import scripted
from model_server import ModelServer
from model_wire import Say, ToolCall
from planted import ALNUM, drawn
from servers import Server
from waiting import Go

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.delivery import MOST_FAILURES
from callboard.bus.known_secrets import KnownSecret
from callboard.bus.messages import JOURNAL, BlockerRaised, Draft, FeedbackLogged, Outcome, TaskProgressed
from callboard.bus.redaction import Redactor
from callboard.launch.agent import configure_logging
from callboard.launch.log_form import Format
from callboard.settings.settings import LogSettings

SECRET = drawn(Random(17), ALNUM, 40)
KNOWING = Redactor([KnownSecret("MY_TOKEN", SECRET)])
BLIND = Redactor()
walls = pytest.mark.parametrize(("redactor", "is_seen"), [(KNOWING, False), (BLIND, True)], ids=["wall", "no wall"])


@walls
def test_nothing_of_a_secret_reaches_the_server(
    redactor: Redactor, is_seen: bool, server: Server, run: str, go: Go
) -> None:
    """Sent, emitted, committed, as the error of a failure, and as the reason of a dead letter."""

    async def scenario() -> None:
        bus = await Bus.connect(server.url, run, redactor=redactor)
        told = Draft("a", BlockerRaised(what=f"it said {SECRET}"), task="T-1")
        log = Draft(
            JOURNAL, FeedbackLogged(log="a", entry="blocker", facts=(SECRET[::-1],), text=SECRET.encode().hex())
        )
        await bus.send(told, sender="b")
        [delivery] = await bus.inbox("a", "a.here.1").receive()
        await delivery.emit(Draft("b", TaskProgressed(doing=SECRET)))
        await delivery.commit(Outcome(messages=(told, log)))
        for _ in range(MOST_FAILURES):
            await _failed(bus, SECRET)
        [dead] = await bus.dead()
        assert (SECRET in dead.error) is is_seen
        await bus.close()
        streams = (bus.keys.journal, bus.keys.inbox("a"), bus.keys.inbox("b"), bus.keys.dead)
        stored = [repr(server.ask("XRANGE", key, "-", "+")) for key in streams]
        assert [SECRET in text for text in stored] == [is_seen, False, is_seen, is_seen]
        assert (SECRET[::-1] in stored[0], SECRET.encode().hex() in stored[0]) == (is_seen, is_seen)

    go(scenario())


async def _failed(bus: Bus, error: str) -> None:
    [held] = await bus.inbox("a", "a.here.1").receive(block_s=0) or await bus.inbox("a", "a.here.2").take_over(idle_s=0)
    await held.fail(error)


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """What an agent's process sets for all of its log is taken back: other tests run in this process."""
    yield
    logger.configure(handlers=[{"sink": sys.stderr}], extra={})


@walls
@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.usefixtures("log_as_before")
def test_log_lines_and_their_tracebacks_have_no_secret(redactor: Redactor, is_seen: bool, format: Format) -> None:
    out = io.StringIO()
    with redirect_stderr(out):
        configure_logging(LogSettings(format=format), "driver-1", "r1", redactor)
        try:
            raise ValueError(f"no host for https://me:{SECRET}@h/")
        except ValueError as error:
            logger.opt(exception=error).error("handler raised", reason=SECRET)
        logger.remove()
    assert "Traceback" in out.getvalue()
    assert (SECRET in out.getvalue()) is is_seen


@walls
def test_neither_a_model_nor_its_call_log_sees_what_a_tool_said_of_a_secret(
    redactor: Redactor, is_seen: bool, tmp_path: Path
) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone/.env").write_text(f"API={SECRET}\n")
    read = Say("Looking.", calls=(ToolCall("run", {"command": "cat .env; base64 .env"}),))
    done = Say(calls=(ToolCall("done", {"notes": "Looked."}),))
    with ModelServer(scripted(read, done)) as server:
        model = OneModel("m", model_settings(server, "messages"), "key")
        log = tmp_path / "T-7.1.driver-1.jsonl"
        brain = ModelBrain(model, lambda _: CallFile(log), now=utc_now, redact=redactor.known)
        asyncio.run(brain.work(job(tmp_path / "clone", timeout_s=30), Lines()))
    told = json.dumps(server.served[-1].asked.results)
    assert (SECRET in log.read_text(), SECRET in told) == (is_seen, is_seen)
    assert ("[redacted:MY_TOKEN]" in log.read_text()) is not is_seen


@pytest.mark.parametrize(("variable", "is_seen"), [("GIT_TOKEN", False), ("GIT_COLOUR", True)])
def test_an_error_of_a_command_has_no_secret(variable: str, is_seen: bool, tmp_path: Path) -> None:
    """In words and as JSON: here a key of callboard.toml that nobody knows."""
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=Begin"], check=True)
    argv = [sys.executable, "-m", "callboard", "status", "--json"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), variable: SECRET}
    (tmp_path / "callboard.toml").write_text(f"[project]\n{SECRET} = 1\n")
    said = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 2, said.stderr
    assert (SECRET in said.stdout, SECRET in said.stderr) == (is_seen, is_seen)
