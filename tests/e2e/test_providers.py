"""What a roster of models does when providers refuse, fail and come back: real processes, a server on loopback."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from model_faults import RateLimited, Reply, Status, faulty
from model_roster import model_workspace
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall
from roster import Workspace, task, until
from spending import logged, spending

from callboard.bus.caps import RUN

MADE = "made by a model"
ROOM = "tokens = 1_000_000_000\nminutes = 1_000\nattempts = 1_000\n"
WIDE = f"\n[budget]\n{ROOM}[budget.task]\n{ROOM}[budget.agent]\n{ROOM}"
"""How many calls lose their answers, and hold back all they may cost, is chance; budgets have tests of their own."""
MOST_WAITS = 30
"""A run of these tests waits for a person a few times; one that waits for ever is what this ends."""


def steady(asked: Asked) -> Reply:
    """As a model that is not put off: a driver writes and looks until it sees what it wrote, a reviewer approves."""
    if "verdict" in asked.tools:
        return Say(calls=(ToolCall("verdict", {"vote": "approved", "notes": "reads well"}),))
    path = found[1] if (found := re.search(r"^Writes: (\S+)$", asked.prompt, re.MULTILINE)) else "nothing.txt"
    if any(MADE in result for result in asked.results):
        return Say(calls=(ToolCall("done", {"notes": f"{path} is there."}),))
    write = ToolCall("write", {"path": path, "text": f"{MADE}\n"})
    return Say(f"I work on {path}.", calls=(write, ToolCall("run", {"command": f"cat {path}"})))


class Rosters:
    """Workspaces that are ended with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def make(self, server: ModelServer, directions: dict[str, str], more: str = "") -> Workspace:
        workspace = model_workspace(self._folder / "repo", server, directions, more)
        self._stack.callback(workspace.stop_everything)
        return workspace

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def rosters(tmp_path: Path) -> Iterator[Rosters]:
    made = Rosters(tmp_path)
    yield made
    made.close()


def agent(workspace: Workspace, name: str) -> dict[str, object]:
    agents = workspace.json("status")["agents"]
    assert isinstance(agents, list)
    found: dict[str, object] = next((row for row in agents if row["name"] == name), {})
    return found


def rows(workspace: Workspace, what: str) -> list[dict[str, str]]:
    found = workspace.json("status")[what]
    assert isinstance(found, list)
    return found


@pytest.mark.long
def test_a_driver_at_its_limit_goes_on_by_itself_after_everything_was_killed(rosters: Rosters) -> None:
    def limited(asked: Asked) -> Reply:
        return RateLimited(17) if is_first(asked) and asked.results and not over.is_set() else steady(asked)

    def is_first(asked: Asked) -> bool:
        return "Writes: a.txt" in asked.prompt and "verdict" not in asked.tools

    over = threading.Event()
    with ModelServer(limited) as server:
        tasks = {"driver-1": task("1 - First", Writes="a.txt"), "driver-2": task("1 - Second", Writes="b.txt")}
        workspace = rosters.make(server, tasks)
        workspace.start()
        shown: dict[str, object] = {}

        def is_parked() -> bool:
            shown.update(agent(workspace, "driver-1"))
            return shown.get("parked_until") is not None

        until(is_parked, every_s=2)
        assert str(shown["doing"]).startswith("parked until ")
        assert "429" in str(shown["doing"])
        until(lambda: "b.txt" in workspace.files(workspace.integration()), every_s=0.5)
        assert "a.txt" not in workspace.files(workspace.integration())
        workspace.stop_everything()
        over.set()
        code, output = workspace.launch()
        answered = [it.asked for it in server.served if isinstance(it.reply, Say) and is_first(it.asked)]
    assert code == 0, output
    assert len(answered) == 2, "the conversation went on where it was: nothing was asked twice"
    assert "You were interrupted here" in answered[1].prompt
    assert "a.txt" in workspace.files(workspace.integration())
    assert {row["state"] for row in rows(workspace, "tasks")} == {"done"}


@pytest.mark.long
def test_a_dead_provider_pauses_the_run_and_resume_goes_on(rosters: Rosters) -> None:
    with ModelServer(lambda asked: Status(503, "closed for today")) as server:
        workspace = rosters.make(server, {"driver-1": task("1 - First", Writes="a.txt")}, "retries = 1")
        code, output = workspace.launch()
        run = workspace.json("status")["run"]
        assert isinstance(run, dict)
        assert (code, run["state"], run["reason"]) == (4, "paused", "provider"), output
        assert "no model can be reached: the call to model messages failed" in run["detail"]
        assert "closed for today" in run["detail"]
        assert "(tried 2 times)" in run["detail"]
        assert "`callboard resume`" in output
        server.reply = steady
        code, output = resumed(workspace)
    assert code == 0, output
    assert {row["state"] for row in rows(workspace, "tasks")} == {"done"}


def resumed(workspace: Workspace) -> tuple[int, str]:
    """What a person does about a run that waits: answer, resume, launch."""
    for question in rows(workspace, "questions"):
        assert workspace.call("answer", question["id"], "again").returncode == 0
    said = workspace.call("resume")
    code, output = workspace.launch()
    return code, said.stdout + said.stderr + output


@dataclass(frozen=True, slots=True)
class Books:
    """Tokens of a run, as each of those has them who count."""

    delivered: tuple[int, int]
    """What the server's whole answers took: in, out."""
    logged: tuple[int, int]
    settled: tuple[int, int]
    charged: int
    """All that the server took money for."""
    held: int
    """For calls that nobody knows the cost of."""


def weather(rosters: Rosters, seed: int, count: int, said: Callable[[str], object]) -> tuple[Workspace, Books]:
    """A run against every fault there is: each task ends as done, or waits with a reason until a person goes on."""
    half = (count + 1) // 2
    tasks = {
        name: "".join(task(f"{n} - File {n}", Writes=f"f{n}.txt") for n in numbers)
        for name, numbers in (("driver-1", range(half)), ("driver-2", range(half, count)))
    }
    with ModelServer(faulty(steady, seed, share=0.25, reset_s=1.8)) as server:
        workspace = rosters.make(server, tasks, "timeout_s = 15")
        with (workspace.path / "callboard.toml").open("a") as file:
            file.write(WIDE)
        code, output = workspace.launch()
        for _ in range(MOST_WAITS):
            for row in rows(workspace, "tasks"):
                assert row["state"] == "done" or row["reason"] or code == 4, (row, output)
            if code == 0:
                break
            run = workspace.json("status")["run"]
            assert isinstance(run, dict)
            assert code == 4, output
            assert run["detail"] or rows(workspace, "questions"), "it waits and does not say for what"
            said(f"waited for a person: {run['detail'] or rows(workspace, 'questions')}")
            code, output = resumed(workspace)
        assert code == 0, output
        delivered, charged = server.delivered, server.tokens
        kinds = Counter(type(served.reply).__name__ for served in server.served)
    seen = asyncio.run(spending(workspace))
    settled = seen.of(RUN)
    held = sum(call.tokens for call in seen.open)
    said(
        f"{dict(kinds)}: {settled.tokens} tokens, and {held} held for {len(seen.open)} calls that nobody knows the cost of"
    )
    both = (settled.input_tokens, settled.output_tokens)
    took = charged.input + charged.output
    return workspace, Books((delivered.input, delivered.output), logged(workspace), both, took, held)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_twenty_tasks_get_done_in_any_weather(rosters: Rosters, seed: int) -> None:
    workspace, books = weather(rosters, seed, 20, print)
    assert {row["state"] for row in rows(workspace, "tasks")} == {"done"}
    assert {f"f{n}.txt" for n in range(20)} <= set(workspace.files(workspace.integration()))
    assert books.logged == books.settled == books.delivered
    assert sum(books.settled) <= books.charged <= sum(books.settled) + books.held
