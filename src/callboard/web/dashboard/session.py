"""Logging in to the dashboard: with the link that a launch prints, which is good once, or with a token."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from callboard.web.callers import Caller, count, identify, is_own, session_cookie
from callboard.web.dashboard.drawing import drawn
from callboard.web.house import Here
from callboard.web.problems import Refused

SESSION = timedelta(hours=12)
routes = APIRouter(include_in_schema=False)


def at(request: Request) -> str:
    """Where a proxy in front of us has put everything; "" = nowhere."""
    return str(request.scope.get("root_path", ""))


class NotLoggedIn(Exception):
    """A page is asked for by somebody whom we do not know."""


async def _viewer(request: Request, house: Here) -> Caller:
    found = await identify(house, request)
    if found is None:
        raise NotLoggedIn
    count(house, found)
    if "read" not in found.scopes:
        raise Refused(403, "the dashboard needs the scope read")
    return found


Viewer = Annotated[Caller, Depends(_viewer)]
"""Who looks at a page; they may read."""


async def to_login(request: Request, _: Exception) -> Response:
    """What is not logged in is sent to where it can; a part of a page is told so, and who sent something, that it was not done."""
    if request.headers.get("hx-request") or request.url.path.endswith("/live"):
        return Response(status_code=401)
    if request.method == "POST" and not request.url.path.endswith("/logout"):
        return _ask(request, "Your session has ended, so nothing was done. Log in, and send it again.")
    return RedirectResponse(f"{at(request)}/login", 303)


@routes.get("/login")
async def login(request: Request, house: Here, code: Annotated[str, Query(max_length=200)] = "") -> Response:
    """With a link's code: log in. Without: ask for a token."""
    if not code:
        return _ask(request)
    token = await asyncio.to_thread(house.tokens.take, code, "login")
    if token is None:
        fault = "This link was used already, or is too old. `callboard token login` prints a new one."
        return _ask(request, fault)
    return await _opened(request, house, token.name, token.scopes, "")


@routes.post("/login")
async def login_with_token(request: Request, house: Here, token: Annotated[str, Form(max_length=200)]) -> Response:
    if not is_own(request.headers):
        raise Refused(403, "a page of another site asks for this")
    found = await asyncio.to_thread(house.tokens.find, token.strip())
    if found is None or "read" not in found.scopes:
        fault = "This token is unknown, expired or revoked." if found is None else "This token may not read."
        return _ask(request, fault)
    return await _opened(request, house, found.name, found.scopes, found.id)


@routes.post("/logout")
async def logout(request: Request, house: Here, _: Viewer) -> Response:
    session = request.cookies.get(session_cookie(house.workspace), "")
    await asyncio.to_thread(house.tokens.take, session, "session")
    answer = RedirectResponse(f"{at(request)}/login", 303)
    answer.delete_cookie(session_cookie(house.workspace), path=at(request) or "/")
    return answer


def _ask(request: Request, fault: str = "") -> Response:
    return drawn("login.html", 401 if fault else 200, values={"at": at(request), "fault": fault})


async def _opened(request: Request, house: Here, name: str, scopes: tuple[str, ...], of: str) -> Response:
    text, _ = await asyncio.to_thread(lambda: house.tokens.create(name, scopes, lasts=SESSION, use="session", of=of))
    answer = RedirectResponse(f"{at(request)}/dashboard", 303)
    answer.set_cookie(
        session_cookie(house.workspace),
        text,
        max_age=int(SESSION.total_seconds()),
        path=at(request) or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer
