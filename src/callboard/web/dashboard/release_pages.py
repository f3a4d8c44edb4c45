"""Pages about deployments: all of them, and one with its way, its share of the traffic, and what its analysis went by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from callboard.bus.clock import utc_now
from callboard.bus.deployments import DeploymentDoc
from callboard.web.dashboard.frame import Framed
from callboard.web.dashboard.plots import SPLIT_HEIGHT, split
from callboard.web.dashboard.releases import measured, measures, shares
from callboard.web.problems import Refused
from callboard.web.work import deployed

routes = APIRouter(prefix="/dashboard", include_in_schema=False)
MOST_DEPLOYMENTS = 50
MOST_EDGES = 200
DeploymentId = Annotated[str, Path(pattern=r"^d-[0-9]{1,9}$")]


@routes.get("/deployments")
async def deployments(frame: Framed) -> Response:
    """What was deployed, the newest first, and what serves where."""
    found = await deployed(frame.house, frame.board.all(DeploymentDoc))
    rows = found.deployments[::-1]
    return frame.page(
        "deployments.html",
        "/deployments",
        rows=rows[:MOST_DEPLOYMENTS],
        total=len(rows),
        environments=found.environments,
    )


@routes.get("/deployments/{deployment_id}")
async def deployment(frame: Framed, deployment_id: DeploymentId) -> Response:
    """One deployment: its steps with what they rest on, the traffic split over time, the analysis's numbers."""
    found = await deployed(frame.house, frame.board.all(DeploymentDoc))
    row = next((one for one in found.deployments if one.id == deployment_id), None)
    if row is None:
        raise Refused(404, f"there is no deployment {deployment_id} in run {frame.run}")
    traffic = shares(row)
    path, ticks = split(traffic, row.ended_at or utc_now())
    return frame.page(
        "deployment.html",
        "/deployments",
        row=row,
        edges=row.history[-MOST_EDGES:],
        shares=traffic,
        path=path,
        ticks=ticks,
        height=SPLIT_HEIGHT,
        measures=measures(measured(row)),
    )
