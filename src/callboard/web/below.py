"""Below a path: what is served lies where a proxy has put it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Below:
    """Says of each request below which path it is served, whether the proxy takes that off the request's own path or not.

    The server's own root path would do for the first kind of proxy only: it puts the path before what it is asked for.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "root_path": self._root_path}, receive, send)
