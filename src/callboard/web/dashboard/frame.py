"""What every page is made with: the viewer, the run, its board, and where it is in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import HTMLResponse

from callboard.bus.board import Board
from callboard.bus.caps import SpentSeen
from callboard.bus.clock import utc_now
from callboard.bus.dead_letters import DeadLetter
from callboard.web.callers import Caller
from callboard.web.dashboard.drawing import drawn
from callboard.web.dashboard.session import Viewer, at
from callboard.web.house import Here, House

PAGES = (
    ("", "Overview"),
    ("/questions", "Questions"),
    ("/feedback", "Feedback"),
    ("/queue", "Merge queue"),
    ("/deployments", "Deployments"),
    ("/timeline", "Timeline"),
    ("/costs", "Costs"),
    ("/dead", "Dead letters"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One request for a page."""

    request: Request
    house: House
    viewer: Caller
    run: str
    """"" = nothing was launched here yet."""
    seq: int
    """The last entry of the journal that the page has; what comes later is told to it."""
    board: Board
    spent: SpentSeen | None
    dead: tuple[DeadLetter, ...]

    def page(self, template: str, here: str, code: int = 200, **values: object) -> HTMLResponse:
        """Draw a page.

        Args:
            here: Its place below /dashboard.
            code: The answer's status.
        """
        common: dict[str, object] = {
            "at": at(self.request),
            "url": self._url(here),
            "run": self.run,
            "seq": self.seq,
            "board": self.board,
            "viewer": self.viewer,
            "project": self.house.workspace.root.name,
            "pages": PAGES,
            "here": here,
            "notice": "",
            "now": utc_now(),
        }
        return drawn(template, code, values={**common, **values})

    def _url(self, here: str) -> str:
        """Where the page is asked for again; what a form was answered with, at its own place."""
        if self.request.method == "POST":
            return f"{at(self.request)}/dashboard{here}"
        url = self.request.url
        path = at(self.request) + url.path.removeprefix(at(self.request))
        return f"{path}?{url.query}" if url.query else path


async def _frame(request: Request, house: Here, viewer: Viewer) -> Frame:
    known = await house.runs()
    if not known:
        return Frame(request, house, viewer, "", 0, Board(), None, ())
    async with house.bus(known[-1]) as bus:
        seq = await bus.seq()  # first: what is written meanwhile is told to the page again
        board, spent, dead = await bus.board(), await bus.spending.seen(), await bus.dead()
    return Frame(request, house, viewer, known[-1], seq, board, spent, tuple(dead))


Framed = Annotated[Frame, Depends(_frame)]
