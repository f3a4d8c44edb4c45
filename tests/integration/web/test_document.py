"""The OpenAPI document is kept to: whatever is asked, no answer is one that it does not describe, and none is a 500."""

from __future__ import annotations

import os
from collections.abc import Callable

import guide
import pytest
from documented import MODES, STREAMS, Documented, Operation
from roster import Workspace as Made
from roster import run_git, task
from schemathesis import GenerationMode
from served import Served

from callboard.app import Workspace
from callboard.web.app import create
from callboard.web.callers import Caller, caller
from callboard.web.tokens import SCOPES, Tokens

RUN = "drawn-001"
"""Not the guide's: tests of one process share a server of the bus."""
IDS = {"run_id": RUN, "phase_id": "P1.1", "tier_id": "T1", "agent": "driver-1", "task_id": "T-1"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Workspace:
    """Nobody counts how often it is asked, and it has a ledger."""
    made = Made(tmp_path_factory.mktemp("document") / "project", gate=("test ! -e broken",))
    made.init({"driver-1": task("1 - One")})
    file = made.path / "callboard.toml"
    file.write_text(f"{file.read_text()}\n[web]\nrequests_per_minute = 1000000\n")
    run_git(made.path, "commit", "-qam", "many may ask")
    return Workspace.open(
        made.path, {**os.environ, "CALLBOARD_BUS_URL": server_url, "CALLBOARD_LEDGER_URL": "embedded"}
    )


@pytest.fixture(scope="module")
def documented(workspace: Workspace, board: str, served: Served) -> Documented:
    """With a launched run, and one from outside."""
    token = Tokens(workspace.layout.tokens).create("ada", SCOPES)[0]
    started = served.ask("/runs/start", token, body=guide.start(RUN, phases=3))
    assert started.status == 201, started.body
    return Documented.of(served, token, IDS)


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_one_that_the_document_describes(documented: Documented, mode: GenerationMode) -> None:
    for operation in documented.operations(mode):
        assert documented.try_out(operation, mode, examples=1, chosen=7)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_so_is_every_answer_to_many(
    documented: Documented, mode: GenerationMode, seed: int, time_is_up: Callable[[], bool]
) -> None:
    print(f"seed: {seed}")
    for operation in documented.operations(mode):
        if time_is_up():
            return
        documented.try_out(operation, mode, examples=10, chosen=seed)


SCOPE_OF = {
    "POST /runs/start": "operate",
    "POST /runs/{run_id}/phases/{phase_id}/update_status": "operate",
    "POST /questions/{question_id}/answer": "answer",
    "POST /dead-letters/{letter_id}/retry": "operate",
}
"""Where a GET needs `read` and a POST `agent`, but for these."""
OPEN = {"GET /", "GET /health"}
"""Of the document's routes; /docs, /redoc and the document itself do not stand in it."""


def needed(operation: Operation) -> list[str]:
    """The scopes that the document says an operation needs."""
    return [
        scope for one in operation.definition.raw.get("security", []) for scopes in one.values() for scope in scopes
    ]


def bare(documented: Documented) -> list[Operation]:
    """Operations with nothing to tell but a path that is there."""
    return [one for one in documented.operations(GenerationMode.POSITIVE) if one.label not in OPEN]


def status(documented: Documented, served: Served, operation: Operation, token: str) -> int:
    path = operation.path.format_map({**IDS, "question_id": "q-1", "letter_id": "1"})
    body: object = None if operation.method == "get" else {}
    return served.ask(path, token, method=operation.method.upper(), body=body).status


def test_every_route_says_which_scope_it_needs_and_refuses_who_has_all_others(
    documented: Documented, served: Served, workspace: Workspace
) -> None:
    """Attack 20: no token, wrong scope."""
    tokens = Tokens(workspace.layout.tokens)
    others: dict[str, str] = {
        scope: tokens.create(scope, [one for one in SCOPES if one != scope])[0] for scope in SCOPES
    }
    for operation in bare(documented):
        [scope] = needed(operation)
        assert scope == SCOPE_OF.get(operation.label, "read" if operation.method == "get" else "agent")
        assert status(documented, served, operation, "") == 401, operation.label
        assert status(documented, served, operation, others[scope]) == 403, operation.label


def test_without_the_check_of_tokens_no_route_would_refuse_anybody(
    documented: Documented, workspace: Workspace
) -> None:
    """Attack 20 with its wall off. Streams are left out: they would be told without an end."""
    app = create(workspace)
    app.dependency_overrides[caller] = lambda: Caller("nobody", (), "")
    open_wall = Served(app)
    try:
        for operation in bare(documented):
            if operation.path != STREAMS and "{phase_id}" not in operation.path and operation.path != "/runs/start":
                assert status(documented, open_wall, operation, "") not in (401, 403), operation.label
    finally:
        open_wall.stop()
