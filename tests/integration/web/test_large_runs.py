"""Pages of a run with 200 tasks and 50,000 entries in its journal: what they ask of the bus, and how long they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from re import findall

import pytest
import redis
from boards import NOW, question_doc, task_doc
from served import Served

from callboard.app import Workspace
from callboard.bus.archive import Row, in_batches
from callboard.bus.board import Change, TaskState
from callboard.bus.bus import Bus
from callboard.bus.envelope import Draft
from callboard.bus.journal import encode_entry
from callboard.bus.messages import EvidenceSubmitted, TaskAccepted
from callboard.web.dashboard.run_pages import MOST_BARS
from callboard.web.tokens import Tokens, login_link

TASKS = 200
ENTRIES = 50_000
EVERY = 25
"""One entry of so many begins or ends an attempt; the others tell a timeline nothing."""
PAGES = ("", "/tasks/T-1", "/questions", "/queue", "/dead", "/deployments", "/timeline", "/costs")
MOST_COMMANDS = 40
"""Of one page, most of them to find a place in the journal's stream by halving its time."""
MOST_BYTES = 120_000


def rows(run: str) -> Iterator[Row]:
    quiet = encode_entry("commit", sender="driver-1")
    for seq in range(1, ENTRIES + 1):
        n, at = divmod(seq, EVERY)
        entry = quiet
        if not at:
            body = TaskAccepted() if n % 2 else EvidenceSubmitted(head=None)
            draft = Draft("manager", body, task=f"T-{(n - 1) // 2 % TASKS + 1}", attempt=1)
            now = NOW + timedelta(seconds=seq)
            message = draft.stamp(id=f"{seq:08x}-0000-7000-8000-000000000000", run=run, sender="driver-1", now=now)
            entry = encode_entry("commit", sender="driver-1", messages=[message.encode()])
        yield Row(seq, int((NOW + timedelta(seconds=seq)).timestamp() * 1000), entry)


@pytest.fixture(scope="module")
def cookie(served: Served, board: str, workspace: Workspace, server_url: str) -> str:
    async def fill() -> None:
        async with await Bus.connect(server_url, board) as bus:
            docs = [task_doc(n, f"Task {n} " + "x" * 80, list(TaskState)[n % 12]) for n in range(2, TASKS + 1)]
            asked = [question_doc(n, "T-1", "Which? " * 100, state="answered") for n in range(1, TASKS + 1)]
            changes = [Change(f"task:{doc.id}", doc) for doc in docs]
            await bus.change([*changes, *(Change(f"question:{doc.id}", doc) for doc in asked)], sender="manager")

    asyncio.run(fill())
    archive = workspace.archive(board)
    for batch in in_batches(rows(board), 10_000):
        archive.append(batch)
    link = login_link(Tokens(workspace.layout.tokens), "ada", "")
    return str(served.ask(link).headers["set-cookie"]).partition(";")[0]


def commands(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("stats")["total_commands_processed"])


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_little_and_says_no_more_than_fits(
    served: Served, board: str, cookie: str, server_url: str, path: str
) -> None:
    before = commands(server_url)
    answer = served.ask(f"/dashboard{path}", headers={"Cookie": cookie})
    asked = commands(server_url) - before
    assert answer.status == 200
    assert asked <= MOST_COMMANDS
    assert len(answer.body) <= MOST_BYTES


def test_all_of_the_timeline_can_be_turned_over(served: Served, board: str, cookie: str) -> None:
    path, pages = "/dashboard/timeline", 0
    while path:
        text = served.ask(path, headers={"Cookie": cookie}).body.decode()
        assert text.count("<tr>") - 1 <= MOST_BARS
        pages += 1
        assert pages < 100, path
        path = next((link for link in findall('<a href="([^"]*)"', text) if "timeline?before=" in link), "")
    assert pages == ENTRIES // EVERY // 2 // MOST_BARS
