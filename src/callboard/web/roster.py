"""Who is on the roster, and what they do now."""

from __future__ import annotations

from fastapi import APIRouter

from callboard.launch.summarise import summarise
from callboard.launch.summary import AgentRow
from callboard.web.callers import Reader
from callboard.web.house import AskedBoard
from callboard.web.pages import Page, Paging

routes = APIRouter(tags=["roster"])


@routes.get("/agents")
async def agents(_: Reader, board: AskedBoard, paging: Paging) -> Page[AgentRow]:
    """Every agent of the run: what it does now, and since when."""
    return paging.page(summarise(board).agents, lambda row: row.name)
