"""Who asks, and whether they may: by a token of ours, a token of an identity provider, or the session of a browser."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from callboard.app import Workspace
from callboard.web.house import Here, House
from callboard.web.oidc import NotTrusted
from callboard.web.problems import Refused
from callboard.web.tokens import MARK, Token

COOKIE = "callboard_session"
SAFE = ("GET", "HEAD", "OPTIONS")
_bearer = HTTPBearer(auto_error=False, description="A token of `callboard token create`, or of the identity provider.")
_MAKE = "`callboard token create` makes one"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as it was proved."""

    name: str
    """What they do is done under this name."""
    scopes: tuple[str, ...]
    token: str
    """What the proof is called; requests are counted, and answers kept, under it."""


async def identify(house: House, asked: HTTPConnection) -> Caller | None:
    """Whoever asks; None = nobody says who asks.

    Raises:
        Refused: 401, what they say proves nothing; 403, a page of somebody else's asks in a browser's name.
    """
    kind, _, text = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and text:
        return await _by_token(house, text.strip())
    session = asked.cookies.get(session_cookie(house.workspace), "")
    token = await asyncio.to_thread(house.tokens.find, session, "session") if session else None
    if token is None:
        return None
    _check_origin(asked)
    return _caller(token)


def session_cookie(workspace: Workspace) -> str:
    """What the session's cookie is called: cookies know no ports, and more than one workspace may be served on a machine."""
    return f"{COOKIE}_{hashlib.sha256(os.fsencode(workspace.root)).hexdigest()[:8]}"


async def _by_token(house: House, text: str) -> Caller:
    if house.provider is not None and not text.startswith(MARK):
        try:
            person = await house.provider.check(text)
        except NotTrusted as error:
            raise Refused(401, str(error)) from error
        return Caller(person.name, person.scopes, f"oidc {person.name}")
    token = await asyncio.to_thread(house.tokens.find, text)
    if token is None:
        raise Refused(401, f"this token is unknown, expired or revoked; {_MAKE}")
    return _caller(token)


def _caller(token: Token) -> Caller:
    return Caller(token.name, token.scopes, token.id)


def _check_origin(asked: HTTPConnection) -> None:
    """A browser sends a session's cookie for whichever page asks; what changes something has to come from our own pages.

    Raises:
        Refused
    """
    if asked.scope.get("method") in SAFE or is_own(asked.headers):
        return
    raise Refused(403, "a page of another site asks for this; it is done from the dashboard, or with a token")


def is_own(headers: Headers) -> bool:
    """Whether a page of ours asks: browsers say so in Sec-Fetch-Site, and all of them in Origin."""
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def count(house: House, found: Caller) -> None:
    """Count one request.

    Raises:
        Refused: 429, they ask too much.
    """
    if waits := house.rates.take(found.token):
        raise Refused(429, f"too many requests; try again in {waits} s", headers={"Retry-After": str(waits)})


async def caller(
    needed: SecurityScopes, request: Request, house: Here, _: Annotated[object, Depends(_bearer)]
) -> Caller:
    """Whoever asks, if they may do what the route needs.

    Raises:
        Refused: 401 nobody is proved to ask, 403 they may not, 429 they ask too much.
    """
    found = await identify(house, request)
    if found is None:
        raise Refused(401, f"this needs a token: Authorization: Bearer ...; {_MAKE}")
    count(house, found)
    if missing := [scope for scope in needed.scopes if scope not in found.scopes]:
        has = ", ".join(found.scopes) or "none"
        raise Refused(403, f"this needs the scope {', '.join(missing)}, and the token has: {has}")
    return found


Reader = Annotated[Caller, Security(caller, scopes=["read"])]
Answerer = Annotated[Caller, Security(caller, scopes=["answer"])]
Operator = Annotated[Caller, Security(caller, scopes=["operate"])]
Agent = Annotated[Caller, Security(caller, scopes=["agent"])]
