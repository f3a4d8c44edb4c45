"""The MCP server over streamable HTTP, at /mcp: for agents elsewhere, any number of them, each with its own token.

Nothing is remembered between two requests but who is at work: each says by its token whose it is, and there is no session that
somebody else could take over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from callboard.app import Workspace
from callboard.mcp.callers import agent_of
from callboard.mcp.shift import Members
from callboard.mcp.tools import Tools, server
from callboard.web.admission import Admission, too_many
from callboard.web.limits import Rates
from callboard.web.problems import Refused, problem
from callboard.web.server import Place, log_to_stderr, serve_app

PATH = "/mcp"


def create(workspace: Workspace, *, host: str = "127.0.0.1") -> Starlette:
    """The application.

    Args:
        host: The address at which it listens; it may be asked by that too.
    """
    members, web = Members(workspace), workspace.settings.web
    most_bytes = web.body_mb * 1_000_000
    inner = server(Tools(members, _token_of_call)).streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=most_bytes,
        # the names by which it may be asked are looked at by Admission
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    rates = Rates(web.requests_per_minute)
    admitted = Admission(_Known(inner, workspace, rates), hosts=(*web.hosts, host), rates=rates, most_bytes=most_bytes)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            try:
                yield
            finally:
                await members.leave()

    return Starlette(routes=[Mount("/", admitted)], lifespan=life)


def serve(workspace: Workspace, place: Place, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        say: Told its address, once it listens there.

    Raises:
        RosterError: Nobody can listen there.
    """
    log_to_stderr(workspace)
    serve_app(create(workspace, host=place.host), place, lambda address: say(f"{address}{PATH}"))


class _Known:
    """Lets nobody through whose token is no agent's from outside: not even to the list of tools."""

    def __init__(self, app: ASGIApp, workspace: Workspace, rates: Rates) -> None:
        self._app = app
        self._workspace = workspace
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            agent = await asyncio.to_thread(agent_of, self._workspace, _bearer(Headers(scope=scope)))
        except Refused as error:
            await problem(error.status, error.detail)(scope, receive, send)
            return
        if waits := self._rates.take(f"agent {agent.name}"):
            await too_many(waits)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _bearer(headers: Headers) -> str:
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else ""


def _token_of_call(context: Context) -> str:
    request = context.request_context.request
    return _bearer(request.headers) if isinstance(request, Request) else ""
