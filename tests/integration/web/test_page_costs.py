"""What a page costs the server of the bus and its reader does not grow with the journal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from boards import task_doc
from long_journal import fill
from roster import Workspace as Made
from roster import run_git, task
from served import Served
from servers import Server

from callboard.app import Workspace
from callboard.bus.board import Change, TaskState
from callboard.bus.bus import Bus
from callboard.launch.runs import create as create_run
from callboard.launch.runs import new_name
from callboard.web.app import create
from callboard.web.tokens import Tokens, login_link

TASKS = 200
ROWS = 50_000
PAGES = ("", "/questions", "/feedback", "/queue", "/deployments", "/costs", "/dead")
"""Those that show how things stand; the timeline is of the journal itself."""
MOST_COMMANDS = 12
"""Commands to the server of the bus for one page."""
MOST_KB = 60
"""Of the overview with so many tasks; 40 of each column are on it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page."""

    commands: int
    """To the server of the bus."""
    heard: int
    """Bytes that it answered."""
    page: int
    """Bytes of the page."""


@dataclass(slots=True)
class Board:
    """A run of many tasks, served."""

    served: Served
    server: Server
    run: str
    cookie: str

    def cost(self, path: str) -> Cost:
        before = self._asked()
        answer = self.served.ask(f"/dashboard{path}", headers={"Cookie": self.cookie})
        assert answer.status == 200, answer.body
        after = self._asked()
        return Cost(after[0] - before[0], after[1] - before[1], len(answer.body))

    def _asked(self) -> tuple[int, int]:
        """Commands that the server has carried out, those of scripts too, and bytes that it has answered to others than us."""
        said = self.server.ask("INFO", "commandstats").decode()
        calls = {line.split(":")[0]: int(line.split("calls=")[1].split(",")[0]) for line in said.splitlines()[1:]}
        calls.pop("cmdstat_info", None)
        answered = self.server.ask("INFO", "stats").decode().split("total_net_output_bytes:")[1]
        return sum(calls.values()), int(answered.split()[0]) - len(said)


@pytest.fixture(scope="module")
def board(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    made = Made(tmp_path_factory.mktemp("costs") / "greenroom")
    made.init({"driver-1": task("1 - One")})
    workspace = Workspace.open(made.path, {**os.environ, "CALLBOARD_BUS_URL": server.url})
    run = f"{new_name([])}-{tmp_path_factory.getbasetemp().name}"
    states = [*TaskState]

    async def begin() -> None:
        async with await Bus.connect(server.url, run) as bus:
            await create_run(bus, workspace, run_git(workspace.root, "rev-parse", "main"))
            docs = [task_doc(n, f"Task {n}", states[n % len(states)], attempt=1) for n in range(1, TASKS + 1)]
            await bus.change([Change(f"task:{doc.id}", doc) for doc in docs], sender="manager")

    asyncio.run(begin())
    served = Served(create(workspace))
    answer = served.ask(login_link(Tokens(workspace.layout.tokens), "ada", ""))
    cookie = str(answer.headers["set-cookie"]).partition(";")[0]
    yield Board(served, server, run, cookie)
    served.stop()


def test_what_pages_cost_does_not_grow_with_the_journal(board: Board) -> None:
    for path in PAGES:  # connections, scripts and templates are there from now on
        board.cost(path)
    few = {path: board.cost(path) for path in PAGES}
    fill(board.server, board.run, ROWS)
    many = {path: board.cost(path) for path in PAGES}
    print(many)
    for path in PAGES:
        assert max(few[path].commands, many[path].commands) <= MOST_COMMANDS, path
        # the number of the last entry has more digits, and `ago` may be said in other words
        assert abs(many[path].heard - few[path].heard) < 1_000, path
        assert abs(many[path].page - few[path].page) < 1_000, path
    assert many[""].page < MOST_KB * 1_000
