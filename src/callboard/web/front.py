"""What needs no token and shows no data: the root, and the documentation with its assets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from callboard.web.dashboard.drawing import drawn

routes = APIRouter(tags=["service"])
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self' data:; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
)
"""Of the documentation: its scripts set styles of their own, and one of them would show a picture of another site."""


class Service(BaseModel):
    """What this is."""

    service: str = "callboard"
    version: str
    docs: str = "/docs"
    health: str = "/health"


@routes.get("/")
async def root() -> Service:
    """What this is, and where its documentation stands. Needs no token."""
    return Service(version=version("callboard"))


def add_documentation(app: FastAPI) -> None:
    """`/docs` and `/redoc`, whose scripts and styles come from the package fastapi-offline: nothing is asked of the network."""
    assets = Path(str(files("fastapi_offline"))) / "static"
    app.mount("/assets/docs", StaticFiles(directory=assets), name="docs-assets")

    def page(template: str) -> Callable[[Request], Awaitable[Response]]:
        async def drawn_page(request: Request) -> Response:
            values = {"at": request.scope.get("root_path", ""), "title": app.title, "document": app.openapi_url}
            return drawn(template, values=values, policy=POLICY)

        return drawn_page

    app.add_route("/docs", page("docs.html"), include_in_schema=False)
    app.add_route("/redoc", page("redoc.html"), include_in_schema=False)
