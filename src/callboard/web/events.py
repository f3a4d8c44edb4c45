"""What happens, as it happens: a run's journal as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from callboard.web.callers import Reader
from callboard.web.house import Here, NamedRun

routes = APIRouter(tags=["events"])
RETRY_MS = 1_000
"""After how long a browser that lost the connection tries again."""


@routes.get("/runs/{run_id}/events", response_class=EventSourceResponse)
async def events(
    _: Reader,
    house: Here,
    run: NamedRun,
    after: Annotated[
        int, Query(ge=0, description="The number of the last entry that you have; 0 = from the first.")
    ] = 0,
    last_event_id: Annotated[str, Header(description="The same, as a browser says it when it connects again.")] = "",
) -> AsyncIterable[ServerSentEvent]:
    """Every entry of the run's journal, the past first, then each as it is written: `id` is its number, `event` its step.

    Whoever lost the connection goes on after the last entry it had; none is left out and none comes twice.
    """
    start = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else after
    yield ServerSentEvent(comment="the journal follows", retry=RETRY_MS)
    async for entry in house.tail(run).entries(start):
        yield ServerSentEvent(raw_data=entry.model_dump_json(), event=entry.step, id=str(entry.seq))
