"""The application: routers by topic, and what stands around all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from callboard.app import Workspace
from callboard.web import events, front, health, metrics, people, roster, work
from callboard.web.admission import Admission
from callboard.web.below import Below
from callboard.web.dashboard import pages, problem_pages, release_pages, run_pages, session
from callboard.web.dashboard.drawing import FOLDER
from callboard.web.etags import Etags
from callboard.web.guide.routes import GUIDE
from callboard.web.house import House
from callboard.web.hung_up import HungUp
from callboard.web.limits import Rates
from callboard.web.openapi import add_document
from callboard.web.problems import add_handlers
from callboard.web.repeats import Repeating, Repeats

ROUTERS = (
    front.routes,
    health.routes,
    metrics.routes,
    roster.routes,
    work.routes,
    people.routes,
    events.routes,
    session.routes,
    pages.routes,
    release_pages.routes,
    run_pages.routes,
    *GUIDE,
)


def create(workspace: Workspace, *, root_path: str = "", host: str = "127.0.0.1", keeps_books: bool = True) -> FastAPI:
    """The HTTP API of a workspace.

    Args:
        root_path: Where a proxy in front of it has put it, such as `/callboard`.
        host: The address at which it listens; it may be asked by that too.
        keeps_books: It keeps the ledger up where no launch does; False = a launch does.
    """
    house = House.of(workspace)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with house.books.kept() if keeps_books else nullcontext():
            try:
                async with house.hosts.hosting():
                    yield
            finally:
                await house.close()

    app = FastAPI(
        title="Callboard",
        version=version("callboard"),
        description="A roster of coding agents on a git repository: see it, steer it, join it.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.house = house
    add_handlers(app, workspace.redactor)
    web = workspace.settings.web
    # the last one added is the first one passed
    app.add_middleware(HungUp)
    app.add_middleware(Repeating, house=house, repeats=Repeats(workspace.layout.tokens.parent / "answers"))
    app.add_middleware(Etags)
    app.add_middleware(
        Admission, hosts=(*web.hosts, host), rates=Rates(web.requests_per_minute), most_bytes=web.body_mb * 1_000_000
    )
    app.add_middleware(Below, root_path=root_path)
    app.add_exception_handler(session.NotLoggedIn, session.to_login)
    problem_pages.show_problems(app)
    front.add_documentation(app)
    app.mount("/assets/dashboard", StaticFiles(directory=FOLDER / "static"), name="dashboard-assets")
    for router in ROUTERS:
        app.include_router(router)
    add_document(app)
    return app
