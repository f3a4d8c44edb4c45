"""Attack 20 on the HTTP API (docs/attacks.md): each with its control, which shows that the same is done where it may be."""

from __future__ import annotations

import http.client
import os
from urllib.parse import quote

import pytest
from served import Served

from callboard.app import Workspace
from callboard.bus.archive import FileArchive, Row
from callboard.bus.errors import WorkspaceError
from callboard.web.app import create
from callboard.web.callers import Caller, caller, session_cookie
from callboard.web.tokens import Tokens

SECRET = '{"step": "note", "text": "another project"}'
RETRY = "/dead-letters/1/retry"


def session(workspace: Workspace) -> str:
    text, _ = Tokens(workspace.layout.tokens).create("ada", ["read", "operate"], use="session")
    return f"{session_cookie(workspace)}={text}"


def test_a_page_of_another_site_does_nothing_in_a_browsers_name(
    served: Served, board: str, workspace: Workspace
) -> None:
    cookie = session(workspace)
    other: tuple[dict[str, str], ...] = (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
        {"Sec-Fetch-Site": "cross-site"},
    )
    for headers in other:
        refused = served.ask(RETRY, method="POST", headers={"Cookie": cookie, **headers})
        assert refused.status == 403, headers
    for headers in ({"Origin": served.url}, {"Sec-Fetch-Site": "same-origin"}):
        assert served.ask(RETRY, method="POST", headers={"Cookie": cookie, **headers}).status == 404
    assert served.ask("/agents", headers={"Cookie": cookie}).status == 200


def test_a_session_is_no_bearer_token_and_a_token_no_session(
    served: Served, board: str, workspace: Workspace, reader: str
) -> None:
    cookie = session(workspace)
    assert served.ask("/agents", cookie.partition("=")[2]).status == 401
    assert served.ask("/agents", headers={"Cookie": f"{session_cookie(workspace)}={reader}"}).status == 401
    assert served.ask("/agents", reader).status == 200


def test_without_the_check_of_tokens_anybody_would_be_told(board: str, workspace: Workspace) -> None:
    app = create(workspace)
    app.dependency_overrides[caller] = lambda: Caller("nobody", (), "")
    served = Served(app)
    try:
        assert served.ask("/agents").status == 200
    finally:
        served.stop()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_a_name_that_is_not_ours_is_not_answered(served: Served, board: str, reader: str, host: str) -> None:
    refused = served.ask("/agents", reader, headers={"Host": host})
    assert refused.status == 421
    for own in (f"localhost:{served.port}", "127.0.0.1", "[::1]:80"):
        assert served.ask("/agents", reader, headers={"Host": own}).status == 200


def test_an_id_that_climbs_reaches_no_journal_elsewhere(
    served: Served, board: str, workspace: Workspace, reader: str
) -> None:
    """With every wall off, which is where a folder is named by the id alone, it reads what the workspace does not have."""
    there = workspace.root.parent / "elsewhere"
    FileArchive(there).append([Row(1, 1, SECRET)])
    folder = workspace.layout.archive("x").parent
    folder.mkdir(parents=True, exist_ok=True)
    climbing = os.path.relpath(there, folder)
    open_wall = FileArchive(folder / climbing)
    assert [row.entry for row in open_wall.rows()] == [SECRET]
    with pytest.raises(WorkspaceError):
        workspace.archive(climbing)
    id = quote(climbing, safe="")
    for path in (f"/messages?run={id}", f"/runs/{id}/events", f"/runs/{id}", f"/feedback/{id}", f"/tasks/{id}"):
        answer = served.ask(path, reader)
        assert answer.status in (404, 422), path
        assert b"another project" not in answer.body


def test_a_body_that_is_too_long_is_not_read(served: Served, board: str, answerer: str) -> None:
    """Only its length is sent: an answer that comes before the body proves that nobody waited for it."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.putrequest("POST", "/questions/q-1/answer")
    for name, value in (("Authorization", f"Bearer {answerer}"), ("Content-Length", "32000001")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert served.ask("/questions/q-1/answer", answerer, body=b" " * 1000).status == 422


def test_a_body_that_is_nested_too_deeply_is_refused(served: Served, board: str, answerer: str) -> None:
    assert served.ask("/questions/q-1/answer", answerer, body=b"[" * 100_000).status in (400, 422)


def test_every_answer_says_that_it_is_shown_nowhere_else(served: Served, board: str, reader: str) -> None:
    for path in ("/", "/docs", "/agents", "/nothing"):
        headers = served.ask(path, reader).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
