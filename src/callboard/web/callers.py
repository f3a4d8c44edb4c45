"""Who asks, and whether they may: a bearer token, or the session of a browser that has logged in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from callboard.web.house import Here
from callboard.web.problems import Refused

_bearer = HTTPBearer(auto_error=False, description="A token of `callboard token create`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as it was proved."""

    name: str
    """What they do is done under this name."""
    scopes: tuple[str, ...]
    token: str
    """The id of the token; requests are counted by it."""


async def caller(
    needed: SecurityScopes,
    request: Request,
    house: Here,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Whoever asks, if they may do what the route needs.

    Raises:
        Refused: 401 nobody is proved to ask, 403 they may not.
    """
    if given is None:
        raise Refused(401, "this needs a token: Authorization: Bearer ...; `callboard token create` makes one")
    token = await asyncio.to_thread(house.tokens.find, given.credentials)
    if token is None:
        raise Refused(401, "this token is unknown, expired or revoked; `callboard token create` makes a new one")
    found = Caller(token.name, token.scopes, token.id)
    if missing := [scope for scope in needed.scopes if scope not in found.scopes]:
        has = ", ".join(found.scopes) or "none"
        raise Refused(403, f"this needs the scope {', '.join(missing)}, and the token has: {has}")
    request.state.caller = found
    return found


Reader = Annotated[Caller, Security(caller, scopes=["read"])]
Answerer = Annotated[Caller, Security(caller, scopes=["answer"])]
Operator = Annotated[Caller, Security(caller, scopes=["operate"])]
Agent = Annotated[Caller, Security(caller, scopes=["agent"])]
