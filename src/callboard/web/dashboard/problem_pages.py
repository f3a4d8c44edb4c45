"""What cannot be done, as a page that says what to do: for browsers; programs get it as a problem (web/problems.py)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import cast

from fastapi import FastAPI, Request
from starlette.responses import Response

from callboard.web.dashboard.drawing import drawn
from callboard.web.dashboard.session import at
from callboard.web.problems import MEDIA_TYPE

PLACES = ("/dashboard", "/login", "/logout")
_NEXT = {
    401: "Log in again.",
    403: "What you are logged in with may not do that. `callboard token create NAME --scope read --scope answer --scope operate` "
    "makes a token that may; log out, and in with it.",
    404: "It may have been in an earlier run, or be gone by now.",
    409: "Nothing was changed. Look at how things stand now.",
    413: "Nothing was changed. Go back, and send less.",
    422: "Nothing was changed. Go back, change what is said above, and send it again.",
    429: "Wait a little, and load the page again.",
    500: "`callboard logs dashboard`, or where `callboard serve` runs, says more.",
    503: "Wait a little, and load the page again; `callboard doctor` says what is missing.",
}
Handler = Callable[[Request, Exception], Response | Awaitable[Response]]


def show_problems(app: FastAPI) -> None:
    """Have what its handlers answer shown as a page, where a page was asked for."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _shown(cast(Handler, handler)))


def _shown(handler: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def shown(request: Request, error: Exception) -> Response:
        found = handler(request, error)
        answer = await found if isawaitable(found) else found
        return as_page(request, answer) if is_for_page(request) and answer.media_type == MEDIA_TYPE else answer

    return shown


def is_for_page(request: Request) -> bool:
    """Whether a browser shows what is answered."""
    path = request.url.path.removeprefix(at(request))
    return any(path == place or path.startswith(f"{place}/") for place in PLACES)


def as_page(request: Request, answer: Response) -> Response:
    """The same problem as a page, under the same status."""
    told = json.loads(bytes(answer.body))
    values = {
        "at": at(request),
        "title": told["title"],
        "detail": told["detail"],
        "next": _NEXT.get(answer.status_code, "Go back, and try something else."),
        "is_login": request.url.path.endswith("/login"),
    }
    page = drawn("problem.html", answer.status_code, values=values)
    if waits := answer.headers.get("retry-after"):
        page.headers["Retry-After"] = waits
    return page
