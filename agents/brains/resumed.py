"""A conversation that was parked goes on: its log first, as the past, then the log of the attempt that goes on.

What the past holds is not asked again, not paid again, and not done again: its work was kept, and is in the clone. Then the
model is told that it was interrupted, and what is new. Any number of parkings may lie behind a conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from loguru import logger

from callboard.agents.brains.brain import AnyJob, Inquiry, Job, ReviewJob
from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import (
    BeginRecord,
    CallLog,
    CallRecord,
    EventRecord,
    ParkRecord,
    Record,
    RoomRecord,
    ToolRecord,
)

INTERRUPTED = (
    "You were interrupted here for a while, and go on now. The files are as you left them, as far as they could be kept; "
    "commands that ran have ended, and what git ignores may be gone. Look before you rely on what you saw."
)
MOST = 100
"""Parkings that one conversation may lie behind; more is a loop in the files."""
AnyRecord = TypeVar("AnyRecord", CallRecord, RoomRecord, ToolRecord)


def open_log(job: AnyJob, path_of: Callable[[int, str], Path]) -> CallLog:
    """The log of an attempt or a review in a file, as `behind_past` has it."""
    return behind_past(job, CallFile(path_of(job.attempt, review_of(job))), path_of)


def behind_past(job: AnyJob, log: CallLog, path_of: Callable[[int, str], Path]) -> CallLog:
    """The log of an attempt or a review, behind what was said before it where that was parked.

    Args:
        path_of: Where the log of an attempt, or of a review of it, lies; "" = of the attempt itself.

    Raises:
        BrainError: A log cannot be read.
    """
    before = _earlier(job)
    past = past_of(path_of(*before)) if before else ()
    if not before or not past:
        return log
    same = same_rules if isinstance(job, Job) else same_question
    return ResumedLog(past, path_of(*before).name, log, same)


def review_of(job: AnyJob) -> str:
    """The id of a review or an inquiry; "" for an attempt."""
    match job:
        case ReviewJob():
            return job.request.review
        case Inquiry():
            return job.id
        case _:
            return ""


def _earlier(job: AnyJob) -> tuple[int, str] | None:
    """The attempt, and the review, that this one goes on from if that was parked; None = it is the first."""
    if isinstance(job, Job):
        return (job.attempt - 1, "") if job.attempt > 1 else None
    if isinstance(job, Inquiry):
        return None
    head, _, rounds = job.request.review.rpartition(".")
    return (job.attempt, f"{head}.{int(rounds) - 1}") if rounds.isdecimal() and int(rounds) > 1 else None


def past_of(path: Path) -> tuple[Record, ...]:
    """All that was said before in a conversation whose last log this is; () = it was not parked, or has not begun."""
    records: list[Record] = []
    name = path.name
    for _ in range(MOST):
        try:
            found = read_records(path.with_name(name))
        except OSError:
            return ()
        begun = next((record for record in found if isinstance(record, BeginRecord)), None)
        if begun is None or not isinstance(found[-1], ParkRecord):
            return ()
        records = [*found, *records]
        if not begun.resumes:
            break
        name = Path(begun.resumes).name
    return tuple(records) if any(isinstance(record, CallRecord) for record in records) else ()


def same_rules(first: BeginRecord, wanted: BeginRecord) -> bool:
    """What a task's attempts have to keep: role, rules, briefing."""
    return first.instructions == wanted.instructions


def same_question(first: BeginRecord, wanted: BeginRecord) -> bool:
    """What a review's have to: what is judged, too."""
    return first.digest == wanted.digest


class ResumedLog:
    """The past, and the log of the attempt that goes on from it.

    Args:
        name: Of the past's last log.
        is_same: Whether what the conversation began with still holds, given what it would begin with now.
    """

    def __init__(
        self,
        past: Sequence[Record],
        name: str,
        log: CallLog,
        is_same: Callable[[BeginRecord, BeginRecord], bool],
    ) -> None:
        self._past = [record for record in past if not isinstance(record, ParkRecord | EventRecord)]
        self._name = name
        self._log = log
        self._is_same = is_same
        self._told: set[str] = set()
        self._has_begun = False
        self._goes_on = False

    @property
    def is_past(self) -> bool:
        return bool(self._past)

    def next_begin(self, wanted: BeginRecord) -> BeginRecord | None:
        if not self._has_begun:
            self._begin(wanted)
        if self._past:
            return self._begin_in_past()
        if not self._goes_on:
            return self._log.next_begin(wanted)
        new = [note for note in wanted.notes if note not in self._told]
        prompt = "\n\n".join([INTERRUPTED, *new])
        update = {"prompt": prompt, "notes": wanted.notes, "resumes": self._name}
        return self._log.next_begin(wanted.model_copy(update=update))

    def next_call(self, digest: str) -> CallRecord | None:
        while self._past and isinstance(self._past[0], ToolRecord):
            self._past.pop(0)
        return self._pop(CallRecord) or self._log.next_call(digest)

    def next_tool(self, digest: str) -> ToolRecord | None:
        found = self._pop(ToolRecord)
        return self._log.next_tool(digest) if found is None and not (self._past and self._has_begun) else found

    @property
    def is_live(self) -> bool:
        return not self._past and self._log.is_live

    def next_room(self) -> RoomRecord | None:
        return self._pop(RoomRecord) if self._past else self._log.next_room()

    def append(self, record: Record) -> None:
        self._log.append(record)

    def _begin(self, wanted: BeginRecord) -> None:
        self._has_begun = True
        while self._past and isinstance(self._past[0], ToolRecord):
            self._past.pop(0)  # what servers offered; nobody asks for it now
        first = self._past[0] if self._past else None
        self._goes_on = isinstance(first, BeginRecord) and self._is_same(first, wanted)
        if self._goes_on:
            logger.info("a parked conversation goes on", log=self._name, records=len(self._past))
            return
        logger.info("what was parked began otherwise; the conversation begins anew", log=self._name)
        self._past.clear()

    def _begin_in_past(self) -> BeginRecord | None:
        if not isinstance(self._past[0], BeginRecord):
            return None
        record = self._past.pop(0)
        assert isinstance(record, BeginRecord)
        self._told |= set(record.notes)
        return record

    def _pop(self, kind: type[AnyRecord]) -> AnyRecord | None:
        """What comes next in the past, whatever its digest: the conversation is the recorded one, word for word."""
        if not self._past or not isinstance(self._past[0], kind):
            return None
        record = self._past.pop(0)
        assert isinstance(record, kind)
        return record
