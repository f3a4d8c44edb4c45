"""What a request passes before any route: is it asked by a name of ours, may its caller ask so much, is it short enough?

Plain ASGI: streams go through as they come.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callboard.web.limits import Rates
from callboard.web.problems import problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer: nothing of it is shown inside another page, or read as something else."""


class Admission:
    """See above; in this order.

    Args:
        hosts: Names by which the service may be asked, beside those of this machine.
        most_bytes: Of a request's body.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], rates: Rates, most_bytes: int) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._rates = rates
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sending = _with_headers(send)
        host = host_of(headers.get("host", ""))
        if host not in self._hosts:
            answer = problem(
                421,
                "this service is not asked by that name; add it to callboard.toml, [web] hosts, if it is one of its names",
            )
            await answer(scope, receive, sending)
            return
        client = scope.get("client")
        if waits := self._rates.take(f"address {client[0] if client else ''}"):
            await too_many(waits)(scope, receive, sending)
            return
        try:
            length = int(headers.get("content-length") or 0)
        except ValueError:
            length = 0
        if length > self._most_bytes:
            await problem(413, self._too_long)(scope, receive, sending)
            return
        try:
            await self._app(scope, self._counted(receive), sending)
        except HTTPException as error:
            # from `counting`, where a body is read before any route: nothing was answered yet
            await problem(error.status_code, str(error.detail))(scope, receive, sending)

    def _counted(self, receive: Receive) -> Receive:
        """A body without a length, or with a wrong one, ends where it gets too long."""
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most_bytes:
                raise HTTPException(413, self._too_long)
            return message

        return counting

    @property
    def _too_long(self) -> str:
        return (
            f"the request is longer than {self._most_bytes // 1_000_000} MB; callboard.toml, [web] body_mb, sets that"
        )


def too_many(waits_s: int) -> Response:
    """The answer to who asks too much."""
    return problem(429, f"too many requests; try again in {waits_s} s", headers={"Retry-After": str(waits_s)})


def host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *HEADERS]
        await send(message)

    return sending
