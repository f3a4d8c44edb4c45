"""What needs no token and shows no data: the root, and the documentation with its assets."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

routes = APIRouter(tags=["service"])


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

    async def docs(request: Request) -> Response:
        at = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{at}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{at}/assets/docs/swagger-ui-bundle.js",
            swagger_css_url=f"{at}/assets/docs/swagger-ui.css",
            swagger_favicon_url=f"{at}/assets/docs/favicon.png",
        )
        return HTMLResponse(bytes(page.body))

    async def redoc(request: Request) -> Response:
        at = request.scope.get("root_path", "")
        page = get_redoc_html(
            openapi_url=f"{at}{app.openapi_url}",
            title=app.title,
            redoc_js_url=f"{at}/assets/docs/redoc.standalone.js",
            redoc_favicon_url=f"{at}/assets/docs/favicon.png",
            with_google_fonts=False,
        )
        return HTMLResponse(bytes(page.body))

    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route("/redoc", redoc, include_in_schema=False)
