"""Idempotency-Key: the first answer again, also from another process."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from served import Served

from callboard.app import Workspace
from callboard.web.house import House
from callboard.web.repeats import KEPT_S, Kept, Repeating, Repeats
from callboard.web.tokens import Tokens


class Counter:
    """An application whose answers tell how often it did something."""

    def __init__(self, workspace: Workspace) -> None:
        self.done = 0
        self.app = FastAPI()
        self.status = 201

        @self.app.post("/do")
        async def do() -> dict[str, int]:
            self.done += 1
            return {"done": self.done}

        self.house = House.of(workspace)
        self.folder = workspace.layout.tokens.parent / f"answers-{uuid.uuid4().hex}"

    def serve(self) -> Served:
        """As a process that has just begun; only what is on disk is known."""
        return Served(Repeating(self.app, self.house, Repeats(self.folder)))


@pytest.fixture
def counter(workspace: Workspace) -> Iterator[tuple[Counter, Served]]:
    made = Counter(workspace)
    served = made.serve()
    yield made, served
    served.stop()


def token(workspace: Workspace, name: str = "ada") -> str:
    return Tokens(workspace.layout.tokens).create(name, ["operate"])[0]


def test_a_repeat_gets_the_first_answer_and_does_nothing(counter: tuple[Counter, Served], workspace: Workspace) -> None:
    made, served = counter
    mine, other = token(workspace), token(workspace, "bob")
    key = {"Idempotency-Key": "k-1"}
    first = served.ask("/do", mine, body={"a": 1}, headers=key)
    again = served.ask("/do", mine, body={"a": 1}, headers=key)
    assert (first.body, made.done) == (again.body, 1)
    assert (first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == (None, "true")
    assert served.ask("/do", mine, body={"a": 2}, headers=key).status == 422
    assert made.done == 1
    assert served.ask("/do", other, body={"a": 1}, headers=key).json == {"done": 2}
    assert served.ask("/do", mine, body={"a": 1}, headers={"Idempotency-Key": "k-2"}).json == {"done": 3}
    assert served.ask("/do", mine, body={"a": 1}).json == {"done": 4}


def test_without_the_wall_a_replayed_request_is_done_again(
    counter: tuple[Counter, Served], workspace: Workspace
) -> None:
    made, _ = counter
    open_wall, key = Served(made.app), {"Idempotency-Key": "k-1"}
    try:
        assert [open_wall.ask("/do", token(workspace), body={}, headers=key).json["done"] for _ in range(2)] == [1, 2]
    finally:
        open_wall.stop()


def test_the_next_process_gives_it_too(workspace: Workspace) -> None:
    made, mine, key = Counter(workspace), token(workspace), {"Idempotency-Key": "k"}
    for _ in range(2):
        served = made.serve()
        assert served.ask("/do", mine, body={}, headers=key).json == {"done": 1}
        served.stop()


def test_a_revoked_token_gets_no_kept_answer(counter: tuple[Counter, Served], workspace: Workspace) -> None:
    _, served = counter
    tokens = Tokens(workspace.layout.tokens)
    text, kept = tokens.create("eve", ["operate"])
    assert served.ask("/do", text, body={}, headers={"Idempotency-Key": "k"}).status == 200
    tokens.revoke(kept.id)
    assert served.ask("/do", text, body={}, headers={"Idempotency-Key": "k"}).status == 401


def test_answers_are_kept_for_a_day(tmp_path: Path) -> None:
    repeats = Repeats(tmp_path / "answers")
    answer = Kept("x", 200, {}, b"{}")
    repeats.keep("a", answer)
    assert repeats.find("a") == answer
    old = time.time() - KEPT_S - 1
    os.utime(tmp_path / "answers" / "a.json", (old, old))
    assert repeats.find("a") is None
    Repeats(tmp_path / "answers").keep("b", answer)
    assert [path.name for path in (tmp_path / "answers").iterdir()] == ["b.json"]
