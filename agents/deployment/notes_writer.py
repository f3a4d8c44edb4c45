"""Writes the notes of a deployment into the deployment agent's clone; a brain is asked only where documents follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from callboard.agents.brains.brain import Done, Job, Report, Result, Worker
from callboard.agents.brains.tools import write_file
from callboard.agents.deployment.notes import FIELD, TEXT, is_notes
from callboard.agents.threads import run_to_end


@dataclass(frozen=True, slots=True)
class NotesWriter:
    """What the deployment agent works on its tasks with.

    Args:
        brain: Works on every other task, on documents that may have to follow, and on what was sent back.
    """

    brain: Worker

    async def work(self, job: Job, report: Report) -> Result:
        """As `brain.Worker` says."""
        if not is_notes(job.spec):
            return await self.brain.work(job, report)
        path, text = job.spec.fields[FIELD], job.spec.fields.get(TEXT, "")
        if not job.notes:
            await run_to_end(write_file, job.seat.cwd, path, text)
        is_more = bool(job.notes) or job.spec.paths != (path,)
        return await self.brain.work(job, report) if is_more else Done(f"{path} says what is on the board")
