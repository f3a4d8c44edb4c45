"""Whether what the roster needs is there: for people, containers and load balancers. It shows no data."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from callboard.bus.errors import CallboardError
from callboard.launch.checks import LEAST_FREE_BYTES
from callboard.needs import key_problems
from callboard.web.house import Here, House

State = Literal["ok", "warn", "fail"]
routes = APIRouter(tags=["service"])


class Part(BaseModel):
    """One thing that was looked at."""

    state: State
    text: str


class Health(BaseModel):
    """How the service is. `fail`: it cannot do its work now, and the status is 503."""

    status: State
    version: str
    parts: dict[str, Part]


async def _bus(house: House) -> Part:
    """Asked, where there is somebody to ask: at rest the embedded server is started for each request."""
    if not house.is_served:
        return Part(state="ok", text="at rest: no roster runs")
    try:
        known = await house.runs()
        async with house.bus(known[-1] if known else "none") as bus:
            await bus.seq()
    except CallboardError:
        return Part(state="fail", text="no server answers")
    return Part(state="ok", text="answers")


async def _ledger(house: House) -> Part:
    """Runs go on without it, so it is never the reason to take the service away."""
    if not house.books.are_kept:
        return Part(state="ok", text="there is none: [ledger] url is off")
    if await house.books.trouble():
        return Part(state="warn", text="cannot be read or written now; `callboard ledger check` says why")
    return Part(state="ok", text="answers")


async def _models(house: House) -> Part:
    used = {name for agent in house.workspace.settings.agents for name in agent.model or ()}
    missing = len(key_problems(house.workspace))
    if missing:
        return Part(state="warn", text=f"{missing} of {len(used)} models lack their key; `callboard doctor` names them")
    return Part(state="ok", text=f"{len(used)} models have what they need")


async def _secrets(house: House) -> Part:
    settings = house.workspace.settings
    services = settings.notify.services(house.workspace.environ)
    absent = sum(not service.url for service in services)
    if absent:
        return Part(state="warn", text=f"{absent} of {len(services)} notification services have no address")
    return Part(state="ok", text="all that are named are there")


async def _disk(house: House) -> Part:
    free = shutil.disk_usage(house.workspace.root).free
    if free < LEAST_FREE_BYTES:
        return Part(state="fail", text="too little space for new work; `callboard clean` makes some")
    return Part(state="ok", text="there is space")


PARTS: dict[str, Callable[[House], Awaitable[Part]]] = {
    "bus": _bus,
    "ledger": _ledger,
    "models": _models,
    "secrets": _secrets,
    "disk": _disk,
}


@routes.get("/health", responses={503: {"model": Health}})
async def health(house: Here, response: Response) -> Health:
    """Whether the service can do its work: bus, ledger, models, secrets, disk. Needs no token."""
    found = await asyncio.gather(*(look(house) for look in PARTS.values()))
    parts = dict(zip(PARTS, found, strict=True))
    states = {part.state for part in found}
    status: State = "fail" if "fail" in states else "warn" if "warn" in states else "ok"
    response.status_code = 503 if status == "fail" else 200
    return Health(status=status, version=version("callboard"), parts=parts)
