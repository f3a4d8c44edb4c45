"""What stands around every route: who may ask, how errors are told, what needs no token."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import Served

from callboard.app import Workspace
from callboard.web.app import create
from callboard.web.limits import Rates
from callboard.web.tokens import MARK, SCOPES, Tokens

OPEN = ("/", "/health", "/docs", "/redoc", "/openapi.json")


def test_without_a_token_nothing_is_told(served: Served, board: str) -> None:
    answer = served.ask("/agents")
    assert answer.status == 401
    assert "callboard token create" in answer.problem
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", OPEN)
def test_what_needs_no_token_shows_no_data(served: Served, board: str, workspace: Workspace, path: str) -> None:
    answer = served.ask(path)
    assert answer.status == 200
    for told in (board, str(workspace.root), workspace.root.name, "driver-1", "Greet"):
        assert told not in answer.body.decode()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_documentation_asks_nobody_else(served: Served, path: str) -> None:
    page = served.ask(path).body.decode()
    assert "://" not in page.replace("https://github.com", "")
    for part in page.split('"'):
        if part.startswith("/assets/"):
            assert served.ask(part).status == 200


def test_a_token_opens_what_its_scope_is_for_and_nothing_else(
    served: Served, board: str, workspace: Workspace, reader: str
) -> None:
    others = Tokens(workspace.layout.tokens).create("bob", [scope for scope in SCOPES if scope != "read"])[0]
    assert [row["name"] for row in served.ask("/agents", reader).json["items"]] == ["driver-1", "driver-2"]
    refused = served.ask("/agents", others)
    assert refused.status == 403
    assert "needs the scope read" in refused.problem


def test_a_token_that_is_not_whole_or_revoked_opens_nothing(served: Served, board: str, workspace: Workspace) -> None:
    tokens = Tokens(workspace.layout.tokens)
    text, kept = tokens.create("eve", ["read"])
    assert served.ask("/agents", text).status == 200
    for wrong in (text[:-1], text + "x", f"{MARK}_{kept.id}_", kept.digest, kept.id, "x"):
        assert served.ask("/agents", wrong).status == 401
    tokens.revoke(kept.id)
    assert served.ask("/agents", text).status == 401


def test_a_token_that_asks_too_much_waits_and_others_do_not(workspace: Workspace, board: str, reader: str) -> None:
    other, app = Tokens(workspace.layout.tokens).create("bob", ["read"])[0], create(workspace, keeps_books=False)
    app.state.house.rates = Rates(6, lambda: 0.0)
    running = Served(app)
    try:
        assert running.ask("/agents", reader).status == 200
        refused = running.ask("/agents", reader)
        assert (refused.status, refused.headers["retry-after"]) == (429, "10")
        assert running.ask("/agents", other).status == 200
    finally:
        running.stop()


def test_a_token_is_kept_as_a_hash_for_its_user_alone(workspace: Workspace, reader: str) -> None:
    path = workspace.layout.tokens
    assert reader not in path.read_text()
    assert reader.rpartition("_")[2] not in path.read_text()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert reader not in workspace.redactor.text(f"the token is {reader}, keep it")


def test_every_error_is_a_problem_with_a_way_out(served: Served, board: str, reader: str) -> None:
    assert "/docs" in served.ask("/nothing/here").problem
    assert served.ask("/agents", reader, method="DELETE").status == 405
    assert served.ask("/agents?run=20200101-000000", reader).status == 404
    wrong = served.ask("/agents?limit=0", reader)
    assert wrong.status == 422
    assert wrong.json["faults"][0]["at"] == "query.limit"


def test_ids_that_climb_out_of_their_place_are_refused(
    served: Served, board: str, reader: str, workspace: Workspace
) -> None:
    outside = Path(workspace.root).parent / "20990101-000000"
    outside.mkdir()
    for run in ("../20990101-000000", "..%2F20990101-000000", "%00", "a/b", "-x"):
        assert served.ask(f"/agents?run={run}", reader).status == 422
