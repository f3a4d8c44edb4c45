"""The application: routers by topic, and what stands around all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from callboard.app import Workspace
from callboard.web import front, health, roster
from callboard.web.house import House
from callboard.web.openapi import add_document
from callboard.web.problems import add_handlers

ROUTERS = (front.routes, health.routes, roster.routes)


def create(workspace: Workspace, *, root_path: str = "") -> FastAPI:
    """The HTTP API of a workspace.

    Args:
        root_path: Where a proxy in front of it has put it, such as `/callboard`.
    """
    house = House.of(workspace)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await house.close()

    app = FastAPI(
        title="Callboard",
        version=version("callboard"),
        description="A roster of coding agents on a git repository: see it, steer it, join it.",
        root_path=root_path,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.house = house
    add_handlers(app, workspace.redactor)
    front.add_documentation(app)
    for router in ROUTERS:
        app.include_router(router)
    add_document(app)
    return app
