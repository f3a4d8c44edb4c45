"""The dashboard's pages and how one gets in, over HTTP."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest
from boards import NOW, question_doc
from served import Answer, Served

from callboard.app import Workspace
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.bus.deployments import DeploymentDoc, Edge
from callboard.web.callers import session_cookie
from callboard.web.tokens import Tokens, login_link

PAGES = (
    *("", "/tasks/T-1", "/questions", "/feedback", "/feedback/driver-1", "/queue", "/dead"),
    *("/deployments", "/deployments/d-1", "/timeline", "/costs"),
)
HOSTILE = "<img src=x onerror=alert(1)>"


def cookie_of(answer: Answer) -> str:
    return str(answer.headers["set-cookie"]).partition(";")[0]


def logged_in(served: Served, workspace: Workspace) -> str:
    link = login_link(Tokens(workspace.layout.tokens), "ada", "")
    return cookie_of(served.ask(link))


@pytest.fixture(scope="module")
def cookie(served: Served, board: str, workspace: Workspace, server_url: str) -> str:
    async def ask() -> None:
        async with await Bus.connect(server_url, board) as bus:
            docs = [question_doc(1, "T-1", f"Which? {HOSTILE}"), question_doc(2, "T-1", "Yes?", options=("yes", "no"))]
            await bus.change([Change(f"question:{doc.id}", doc) for doc in docs], sender="manager")
            history = (Edge(source="promoting", to="baking", event="shift: passed", facts=(HOSTILE,), at=NOW),)
            release = DeploymentDoc(version=1, id="d-1", environment="production", reason=HOSTILE, history=history)
            await bus.change([Change("deployment:d-1", release)], sender="manager")

    asyncio.run(ask())
    return logged_in(served, workspace)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_drawn_for_who_has_logged_in_and_for_nobody_else(
    served: Served, board: str, cookie: str, path: str
) -> None:
    answer = served.ask(f"/dashboard{path}", headers={"Cookie": cookie})
    assert answer.status == 200
    text = answer.body.decode()
    assert text.count("<h1>") == 1
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script>" not in text
    assert " style=" not in text
    assert " onclick" not in text
    refused = served.ask(f"/dashboard{path}")
    assert (refused.status, refused.headers["location"]) == (303, "/login")
    assert served.ask(f"/dashboard{path}", headers={"HX-Request": "true"}).status == 401


@pytest.mark.parametrize("path", ["", "/deployments", "/deployments/d-1"])
def test_what_agents_say_is_text(served: Served, board: str, cookie: str, path: str) -> None:
    text = served.ask(f"/dashboard{path}", headers={"Cookie": cookie}).body.decode()
    assert HOSTILE not in text
    assert "&lt;img src=x" in text


def test_questions_have_forms_that_fit_their_options(served: Served, board: str, cookie: str) -> None:
    text = served.ask("/dashboard/questions", headers={"Cookie": cookie}).body.decode()
    assert '<textarea id="text-q-1"' in text
    assert '<button name="text" value="yes"' in text


def test_a_login_link_is_good_once(served: Served, board: str, workspace: Workspace) -> None:
    link = login_link(Tokens(workspace.layout.tokens), "ada", "")
    first = served.ask(link)
    assert (first.status, first.headers["location"]) == (303, "/dashboard")
    told = first.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    again = served.ask(link)
    assert again.status == 401
    assert again.headers["set-cookie"] is None


def log_in_with(served: Served, token: str, origin: str) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
    return served.ask("/login", method="POST", body=urlencode({"token": token}).encode(), headers=headers)


def test_a_session_of_a_token_ends_with_it(served: Served, board: str, workspace: Workspace) -> None:
    tokens = Tokens(workspace.layout.tokens)
    text, kept = tokens.create("bob", ["read"])
    assert log_in_with(served, text, "http://evil.example").status == 403
    assert log_in_with(served, text + "x", served.url).status == 401
    cookie = cookie_of(log_in_with(served, text, served.url))
    assert served.ask("/dashboard", headers={"Cookie": cookie}).status == 200
    tokens.revoke(kept.id)
    assert served.ask("/dashboard", headers={"Cookie": cookie}).status == 303


def test_who_may_only_read_gets_no_forms_and_cannot_answer(served: Served, board: str, workspace: Workspace) -> None:
    text, _ = Tokens(workspace.layout.tokens).create("eve", ["read"])
    cookie = cookie_of(log_in_with(served, text, served.url))
    assert "<textarea" not in served.ask("/dashboard/questions", headers={"Cookie": cookie}).body.decode()
    sent = {"Cookie": cookie, "Origin": served.url, "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/dashboard/questions/q-1", "/dashboard/dead/1"):
        assert served.ask(path, method="POST", body=b"text=yes", headers=sent).status == 403


def test_logging_out_ends_the_session(served: Served, board: str, workspace: Workspace) -> None:
    cookie = logged_in(served, workspace)
    assert cookie.startswith(f"{session_cookie(workspace)}=cbt_")
    sent = {"Cookie": cookie, "Origin": served.url}
    assert served.ask("/logout", method="POST", headers=sent).status == 303
    assert served.ask("/dashboard", headers={"Cookie": cookie}).status == 303


def test_a_page_asks_nobody_else_for_anything(served: Served, board: str, cookie: str) -> None:
    text = served.ask("/dashboard", headers={"Cookie": cookie}).body.decode()
    assert "://" not in text
    for part in text.split('"'):
        if part.startswith("/assets/"):
            assert served.ask(part).status == 200


def test_the_timeline_has_what_was_begun_and_leads_to_its_task(served: Served, board: str, cookie: str) -> None:
    text = served.ask("/dashboard/timeline", headers={"Cookie": cookie}).body.decode()
    assert '<a href="/dashboard/tasks/T-1">T-1, attempt' in text
    assert "under way" in text
    older = served.ask("/dashboard/timeline?before=1", headers={"Cookie": cookie}).body.decode()
    assert "Nothing began before that" in older
    assert 'hx-get="/dashboard/timeline?before=1"' in older


FORM = "application/x-www-form-urlencoded"


def sent(served: Served, path: str, cookie: str, body: bytes, origin: str = "") -> Answer:
    headers = {"Cookie": cookie, "Origin": origin or served.url, "Content-Type": FORM}
    return served.ask(f"/dashboard{path}", method="POST", body=body, headers=headers)


def test_a_form_that_is_not_done_is_answered_with_a_page_that_says_what_to_do(
    served: Served, board: str, cookie: str, workspace: Workspace
) -> None:
    reader = cookie_of(log_in_with(served, Tokens(workspace.layout.tokens).create("eve", ["read"])[0], served.url))
    cases = (
        (403, sent(served, "/questions/q-1", reader, b"text=yes"), "callboard token create"),
        (403, sent(served, "/questions/q-1", cookie, b"text=yes", "http://evil.example"), "another site"),
        (422, sent(served, "/questions/nothing", cookie, b"text=yes"), "Nothing was changed"),
        (422, sent(served, "/questions/q-1", cookie, b"text="), "q-1 needs an answer"),
        (404, sent(served, "/dead/9", cookie, b""), "no dead letter 9"),
        (
            401,
            sent(served, "/questions/q-1", f"{cookie.partition('=')[0]}=cbt_00000000_x", b"text=yes"),
            "session has ended",
        ),
        (404, served.ask("/dashboard/tasks/T-99", headers={"Cookie": cookie}), "no task T-99"),
        (404, served.ask("/dashboard/nowhere", headers={"Cookie": cookie}), "nothing at this address"),
    )
    for status, answer, words in cases:
        text = answer.body.decode()
        assert (answer.status, answer.headers.get_content_type()) == (status, "text/html"), text
        assert words in text
        assert text.count("<h1>") == 1


def test_a_page_that_answers_a_form_goes_on_at_its_own_place_and_keeps_what_it_says(
    served: Served, board: str, cookie: str
) -> None:
    text = sent(served, "/questions/q-1", cookie, b"text=").body.decode()
    before, main = text.split("<main", 1)
    assert 'hx-get="/dashboard/questions"' in main
    assert "q-1 needs an answer" in before, "what is laid over the main part does not take it away"


def test_programs_get_problems_as_before(served: Served, board: str, reader: str) -> None:
    assert "no task T-99" in served.ask("/tasks/T-99", reader).problem
