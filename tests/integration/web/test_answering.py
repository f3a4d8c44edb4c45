"""A question is answered over HTTP: by the manager, who comes to its desk for it, and once for each Idempotency-Key."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import blocker_doc, question_doc, task_doc
from roster import Workspace as Made
from roster import run_git, task
from served import Served

from callboard.app import Workspace
from callboard.bus.board import Change, QuestionDoc, TaskState
from callboard.bus.bus import Bus
from callboard.bus.messages import CommandHandled
from callboard.launch.runs import create as create_run
from callboard.web.app import create
from callboard.web.tokens import Tokens

RUN = "20261121-090000"


@pytest.fixture
def stopped(tmp_path: Path, server_url: str) -> Iterator[tuple[Workspace, Served]]:
    """A workspace whose roster does not run, with a question that waits."""
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    workspace = Workspace.open(made.path, {**os.environ, "CALLBOARD_BUS_URL": server_url})

    async def begin() -> None:
        async with await Bus.connect(server_url, f"{RUN}-{tmp_path.name}") as bus:
            await create_run(bus, workspace, run_git(workspace.root, "rev-parse", "main"))
            docs = {
                "task:T-1": task_doc(1, "Greet", TaskState.BLOCKED, attempt=1, question="q-1", blocker="B-1"),
                "blocker:B-1": blocker_doc(1, "T-1", "Which one?"),
                "question:q-1": question_doc(1, "T-1", "Which?", options=("a", "b")),
            }
            await bus.change([Change(name, doc) for name, doc in docs.items()], sender="manager")

    asyncio.run(begin())
    served = Served(create(workspace))
    yield workspace, served
    served.stop()


def state(server_url: str, run: str) -> tuple[QuestionDoc, int]:
    """The question, and how many commands were carried out."""

    async def read() -> tuple[QuestionDoc, int]:
        async with await Bus.connect(server_url, run) as bus:
            count = 0
            async for entry in bus.journal():
                count += sum(isinstance(one.body, CommandHandled) for one in entry.messages)
            return await bus.doc("question:q-1", QuestionDoc), count

    return asyncio.run(read())


def test_an_answer_is_given_once_under_the_tokens_name_also_when_no_answer_was_kept(
    stopped: tuple[Workspace, Served], server_url: str, tmp_path: Path
) -> None:
    workspace, served = stopped
    run = f"{RUN}-{tmp_path.name}"
    mine = Tokens(workspace.layout.tokens).create("Ada", ["answer"])[0]
    key = {"Idempotency-Key": "k-1"}
    first = served.ask("/questions/q-1/answer", mine, body={"text": "a"}, headers=key)
    assert first.status == 200, first.body
    question, handled = state(server_url, run)
    assert (question.state, question.answer, question.answered_by, handled) == ("answered", "a", "Ada", 1)
    # as if the process had been killed between the command and its answer: only the bus knows of it
    for kept in (workspace.layout.tokens.parent / "answers").glob("*.json"):
        kept.unlink()
    again = served.ask("/questions/q-1/answer", mine, body={"text": "a"}, headers=key)
    assert json.loads(again.body) == first.json
    assert state(server_url, run)[1] == 1
    refused = served.ask("/questions/q-1/answer", mine, body={"text": "b"})
    assert refused.status == 409
    assert state(server_url, run)[0].answer == "a"
