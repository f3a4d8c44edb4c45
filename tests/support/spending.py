"""What a run of a launched workspace has spent, as its budget and its call logs say."""

from __future__ import annotations

import os

from roster import Workspace

from callboard import app
from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord
from callboard.bus.caps import SpentSeen
from callboard.launch.joining import current_run, open_bus


def logged(workspace: Workspace) -> tuple[int, int]:
    """Input and output tokens, as the call logs have them."""
    logs = sorted((workspace.path / ".callboard" / "calls").glob("*/*.jsonl"))
    calls = [record for log in logs for record in read_records(log) if isinstance(record, CallRecord)]
    return sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)


async def spending(workspace: Workspace) -> SpentSeen:
    """What the budget says; also of a run whose roster is stopped."""
    here = app.Workspace.open(workspace.path, os.environ)
    async with open_bus(here, current_run(here)) as bus:
        return await bus.spending.seen()
