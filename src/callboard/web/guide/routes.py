"""All routes of the guide."""

from __future__ import annotations

from callboard.web.guide import phases, reports, runs, work

GUIDE = (runs.routes, phases.routes, work.routes, reports.routes)
