"""Pages about a whole run: its timeline, and what it has cost."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from callboard.bus.board import AgentDoc
from callboard.bus.caps import SpentSeen
from callboard.bus.clock import utc_now
from callboard.web.dashboard.frame import Frame, Framed
from callboard.web.dashboard.plots import chart
from callboard.web.dashboard.spending import cost_lists
from callboard.web.dashboard.timeline import Story, lanes

routes = APIRouter(prefix="/dashboard", include_in_schema=False)
MOST_BARS = 200
"""On one page."""


@routes.get("/timeline")
async def timeline(frame: Framed, before: Annotated[int, Query(ge=0, lt=10**12)] = 0) -> Response:
    """Who did what when; `before` is the number of a bar, and what began earlier is shown."""
    story = await _story(frame)
    now, bars = utc_now(), story.bars(before, MOST_BARS)
    roles = {doc.name: doc.role for doc in frame.board.all(AgentDoc)}
    earlier = bars[0].number if bars and story.bars(bars[0].number, 1) else 0
    return frame.page(
        "timeline.html",
        "/timeline",
        chart=chart(bars, lanes(bars, roles), now),
        bars=bars[::-1],
        total=story.count,
        earlier=earlier,
        before=before,
        now=now,
    )


async def _story(frame: Frame) -> Story:
    if not frame.run:
        return Story()
    house, archive = frame.house, frame.house.workspace.archive(frame.run)
    if not house.is_served:
        return await house.stories.of(frame.run, archive, None)
    async with house.bus(frame.run) as bus:
        return await house.stories.of(frame.run, archive, bus)


@routes.get("/costs")
async def costs(frame: Framed) -> Response:
    """What the run has cost, by agent and by model."""
    whole, lists = cost_lists(frame.board, frame.spent or SpentSeen())
    return frame.page("costs.html", "/costs", whole=whole, lists=lists)
