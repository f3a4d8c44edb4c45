"""Agents from outside on a launched roster: the MCP SDK's own client does tasks and reviews, from assignment to landing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from mcp import MCPError
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall
from outside_agent import NEW_B, OutsideAgent, from_outside, over_http, over_stdio, token_of
from real_clis import bin_folder
from roster import Workspace, kill, run_git, task, until

pytestmark = pytest.mark.long


@contextmanager
def mcp_over_http(made: Workspace) -> Iterator[str]:
    """Where `callboard mcp --http` listens."""
    argv = [sys.executable, "-m", "callboard", "mcp", "--http", "--port", "0", "--json"]
    with subprocess.Popen(argv, cwd=made.path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.send_signal(signal.SIGTERM)


async def review_everything(senior: OutsideAgent, has_landed: asyncio.Event) -> list[str]:
    """Approve what comes, until all has landed; what was reviewed."""
    done: list[str] = []
    while not has_landed.is_set():
        found = await senior.call("next_task", wait_s=1)
        if found["state"] == "nothing":
            continue
        accepted = await senior.call("accept", work=found["work"])
        assert "## The change" in accepted["text"]
        notes = "read by somebody outside"
        await senior.call("verdict", work=found["work"], vote="approved", notes=notes)
        done.append(found["task"])
    return done


def its_process(made: Workspace) -> psutil.Process:
    """Of the one MCP server on stdin and stdout."""
    for process in made.processes():
        with suppress(psutil.Error):
            if process.cmdline()[2:4] == ["callboard", "mcp"] and "--dir" in process.cmdline():
                return process
    raise AssertionError("it does not run")


async def landed(agent: OutsideAgent, count: int) -> None:
    """Wait until so many tasks are done."""
    while True:
        tasks = (await agent.call("board"))["tasks"]
        if sum(task["state"] == "done" for task in tasks) >= count:
            return
        await asyncio.sleep(0.2)


def test_a_driver_over_stdio_that_is_killed_and_a_reviewer_over_http_bring_work_to_landing(
    workspace: Callable[..., Workspace],
) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - B", Checks="`test -e b.txt`"), "driver-2": task("1 - A", Writes="a.txt")})
    from_outside(made, "driver-1", "senior")
    driver, senior = token_of(made, "driver-1"), token_of(made, "senior")
    launcher = made.start("--stay")

    async def work(url: str) -> list[str]:
        has_landed = asyncio.Event()
        async with over_http(url, senior) as reviewer:
            await reviewer.joined()
            reviewing = asyncio.create_task(review_everything(reviewer, has_landed))
            works: list[str] = []
            with suppress(MCPError, OSError, ExceptionGroup):  # the connection breaks in the middle
                async with over_stdio(made, driver) as agent:
                    works.append((await agent.next())["work"])
                    kill([its_process(made)])
            async with over_stdio(made, driver) as agent:
                again = await agent.next()
                assert works == [again["work"]], "the same attempt: nobody's work had failed"
                await agent.call("progress", work=again["work"], doing="writing b")
                taken = await agent.call("evidence", work=again["work"], notes="b is there", diff=NEW_B)
                assert taken["commands"] == ["test -e b.txt -> 0"]
                await landed(agent, 2)
                has_landed.set()
                return await reviewing

    with mcp_over_http(made) as url:
        reviewed = asyncio.run(work(url))
    launcher.send_signal(signal.SIGINT)
    output, _ = launcher.communicate()
    assert sorted(set(reviewed)) == ["T-1", "T-2"], output
    head = made.integration()
    assert sorted(made.landed_keys(head)) == ["driver-1/b", "driver-2/a"]
    assert run_git(made.path, "show", f"{head}:b.txt") == "b"
    assert "driver-1, senior from outside: joins through `callboard mcp`" in output
    log = (made.path / "feedback/driver-1.md").read_text()
    assert "taken up again after an interruption (delivery 2)" in log
    assert "b is there" in log
    assert "read by somebody outside" in (made.path / "feedback/senior.md").read_text()


def test_a_launch_ends_without_an_absent_agent_and_no_end_of_a_launch_loses_what_it_does(
    workspace: Callable[..., Workspace],
) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - B", Checks="`test -e b.txt`")})
    from_outside(made, "driver-1")
    config = made.path / "callboard.toml"
    patient = config.read_text()
    config.write_text(patient.replace("outside = true\n", "outside = true\ntimeout_s = 1\n"))
    waited = made.start()
    output, _ = waited.communicate()
    assert (waited.returncode, "nothing goes on without driver-1" in output) == (4, True), output
    config.write_text(patient)
    token, ends = token_of(made, "driver-1"), made.start()

    async def work() -> int:
        async with over_stdio(made, token) as agent:
            found = await agent.next()
            (Path(found["folder"]) / "b.txt").write_text("b\n")
            ends.send_signal(signal.SIGINT)
            await asyncio.to_thread(ends.communicate)
            assert "no roster runs here" in await agent.refused("evidence", work=found["work"])
            goes_on = made.start()
            again = await agent.next()
            assert (again["task"], (Path(again["folder"]) / "b.txt").exists()) == (found["task"], True)
            await agent.call("evidence", work=again["work"], notes="in the folder all the time")
            await asyncio.to_thread(goes_on.communicate)
            return goes_on.returncode

    assert asyncio.run(work()) == 0
    assert made.landed_keys(made.integration()) == ["driver-1/b"]


def obey(asked: Asked) -> Say:
    """What the model behind the CLI says: it calls the tools of the block that `--print-config` prints, one after the other."""
    if f"{TOOL}next_task" not in asked.tools:
        return Say("a title")
    newest = asked.results[-1] if asked.results else ""
    if '"handed in"' in newest:
        return Say("It is handed in.")
    if '"folder"' in newest:
        return Say(calls=(ToolCall(f"{TOOL}evidence", {"work": WORK, "notes": "by a real CLI", "diff": NEW_B}),))
    if f'"{WORK}"' in newest:
        return Say(calls=(ToolCall(f"{TOOL}accept", {"work": WORK}),))
    return Say(calls=(ToolCall(f"{TOOL}next_task", {"wait_s": 10}),))


TOOL, WORK = "mcp__callboard__", "T-1.1"
LONG_MS = "500000"
"""What the CLI waits for the server, and for a tool: nothing here is a clock."""


def test_claude_with_the_configuration_that_is_printed_does_a_task_to_landing(
    workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - B", Checks="`test -e b.txt`")})
    from_outside(made, "driver-1")
    printed = made.json("mcp", "driver-1", "--print-config")
    checkout = tmp_path / "elsewhere"
    checkout.mkdir()
    (checkout / "CLAUDE.md").write_text(str(printed["agents_md"]))
    (checkout / "mcp.json").write_text(json.dumps(printed["stdio"]))
    launcher = made.start()
    with ModelServer(obey) as server:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(checkout),
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "not-a-real-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # else it asks its model before the server has told its tools
            "MCP_CONNECTION_NONBLOCKING": "false",
            "MCP_CONNECT_TIMEOUT_MS": LONG_MS,
            "ENABLE_TOOL_SEARCH": "false",
            "MCP_TIMEOUT": LONG_MS,
            "MCP_TOOL_TIMEOUT": LONG_MS,
            "CALLBOARD_TOKEN": token_of(made, "driver-1"),
        }
        until(lambda: bool(made.json("status")["agents"]))
        argv = [
            str(bin_folder("claude") / "claude"),
            "-p",
            "Do what Callboard has for you.",
            "--mcp-config",
            "mcp.json",
        ]
        argv += ["--strict-mcp-config", "--allowedTools", "mcp__callboard", "--no-session-persistence"]
        done = subprocess.run(
            argv, cwd=checkout, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        prompts = [served.asked.prompt for served in server.served]
        results = [result for served in server.served for result in served.asked.results]
    assert any('"handed in"' in result for result in results), (results, done.stdout, done.stderr)
    output, _ = launcher.communicate()
    assert launcher.returncode == 0, output + done.stdout + done.stderr
    assert any("You are driver-1, an agent of the Callboard roster" in prompt for prompt in prompts)
    assert made.landed_keys(made.integration()) == ["driver-1/b"]
    assert "by a real CLI" in (made.path / "feedback/driver-1.md").read_text()
