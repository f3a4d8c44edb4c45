"""Errors of the core, told over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from served import Served

from callboard.bus.errors import BusUnavailable, CommandRefused, InboxFull, RosterError
from callboard.bus.known_secrets import KnownSecret
from callboard.bus.redaction import Redactor
from callboard.web.problems import add_handlers

ERRORS = {
    "refused": CommandRefused("q-1 is closed already"),
    "away": BusUnavailable("no server answers at hunter2-hunter2-9"),
    "grouped": ExceptionGroup("several", [ExceptionGroup("inside", [RosterError("nobody answers")])]),
    "foreign": ExceptionGroup("several", [ValueError("what nobody foresaw: hunter2-hunter2-9")]),
    "unforeseen": ValueError("what nobody foresaw: hunter2-hunter2-9"),
}


@pytest.fixture(scope="module")
def failing() -> Iterator[Served]:
    app = FastAPI()
    add_handlers(app, Redactor([KnownSecret("token", "hunter2-hunter2-9")]))

    @app.get("/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name]

    served = Served(app)
    yield served
    served.stop()


@pytest.mark.parametrize(
    ("name", "status"), [("refused", 409), ("away", 503), ("grouped", 409), ("foreign", 500), ("unforeseen", 500)]
)
def test_each_is_a_problem_without_secrets(failing: Served, name: str, status: int) -> None:
    answer = failing.ask(f"/{name}")
    assert answer.status == status
    assert "hunter2" not in answer.problem
    assert (answer.headers["retry-after"] is not None) is (status == 503)


def test_what_nobody_foresaw_is_not_told(failing: Served) -> None:
    assert "foresaw" not in failing.ask("/unforeseen").problem.replace("this was not foreseen", "")


def test_a_full_inbox_is_to_be_tried_again() -> None:
    from callboard.web.problems import status_of

    assert status_of(InboxFull("no room")) == 503
