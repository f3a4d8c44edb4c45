"""Draws pages: jinja2 with everything escaped, and the words and tones that they share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from callboard.bus.clock import utc_now
from callboard.bus.visible import VISIBLE

FOLDER = Path(str(files("callboard.web.dashboard")))
LONGEST = 4_000
"""Characters of one text on a page; the commands show all of it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing on a page runs or is fetched but what is served from here, whatever an agent has written."""
_MOVING = ("requested", "prepared", "green_up", "testing", "reviewing", "eligible", "promoting", "baking")
"""States of a deployment that is under way."""
_TONES = {
    "good": ("done", "succeeded", "landed", "green", "approved", "pass", "passed"),
    "bad": ("failed", "red", "evicted", "rolled_back", "down", "cancelled", "fail"),
    "warn": (
        "blocked",
        "paused",
        "changes_requested",
        "infrastructure",
        "skipped",
        "inconclusive",
        "missing",
        "fixing",
    ),
    "busy": ("working", "running", "gate", "review", "merging", "assigned", *_MOVING),
}

_AGAINST = frozenset(
    {
        "blocked",
        "failed",
        "red",
        "refused",
        "needs_revision",
        "conflict",
        "inconclusive",
        "missing",
        "moved",
        "cancelled",
    }
)
"""Ends of bars (timeline.py) after which something came back, or was given up."""


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {"ago": _ago_now, "tone": tone, "outcome": outcome, "commands": commands, "shorten": shorten}
    made.finalize = _visible
    return made


def _ago_now(at: datetime | None) -> str:
    return ago(at, utc_now())


def _visible(value: object) -> object:
    """Text that turns the reading direction, or steers something, is shown instead."""
    return value.translate(VISIBLE) if type(value) is str else value


def drawn(template: str, status: int = 200, *, values: Mapping[str, object], policy: str = POLICY) -> HTMLResponse:
    """A page."""
    html = _environment().get_template(template).render(values)
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def tone(state: object) -> str:
    """The colour of a state's name; never the only thing that tells it."""
    return next((tone for tone, states in _TONES.items() if str(state) in states), "soft")


def outcome(said: str) -> str:
    """How a bar of the timeline ended: `against` what was wanted, or `well`."""
    return "against" if said in _AGAINST else "well"


def commands(text: str) -> Markup:
    """A sentence whose `commands` are shown as such."""
    parts = [escape(part) for part in text.translate(VISIBLE).split("`")]
    if len(parts) % 2 == 0:  # the last one has no partner
        parts[-2:] = [Markup("`").join(parts[-2:])]
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def ago(at: datetime | None, now: datetime) -> str:
    """`3 min ago`."""
    if at is None:
        return ""
    s = int((now - at).total_seconds())
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if s >= unit_s:
            return f"{s // unit_s} {unit} ago"
    return "just now"


def shorten(text: str) -> str:
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[:LONGEST]}\n... and {left:,} more characters"
