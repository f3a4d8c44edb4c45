"""A brain that is any program: the task as JSON on its stdin, its clone as its current directory (docs/brains.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from callboard.agents.brains.answer import last_line, plain, read_object
from callboard.agents.brains.brain import (
    Asked,
    Blocked,
    Done,
    Failed,
    Inquiry,
    Job,
    RawAnswer,
    RawVerdict,
    Report,
    Result,
    ReviewJob,
    Seat,
)
from callboard.agents.workspace.commands import TIMED_OUT, Finished, OnLine, run_command
from callboard.bus.errors import BrainError, CommandFailed
from callboard.bus.issues import Report as Issue
from callboard.bus.task import CommandResult

MAX_NOTES = 8_000
"""Characters of notes that travel with a message; the clone and the log hold the rest."""
MAX_TEXT = 2_000
"""Characters of a blocker's or question's text."""
LONGEST_MINUTES = 30 * 24 * 60
"""For which a question may wait for its default."""
PROGRESS = "progress:"
"""What a line of stdout starts with when it says what the program is doing; every line of stderr does."""


class _Said(BaseModel):
    # strict and complete, or it is plain output: a program's own JSON must not be taken for an answer
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SaidBlocker(_Said):
    what: str = ""
    tried: str = ""
    needs: str = ""
    severity: Literal["minor", "major"] = "major"


class SaidQuestion(_Said):
    text: str = ""
    options: Annotated[list[str], Field(max_length=20)] = []
    default: str = ""
    within_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] | None = None

    @model_validator(mode="after")
    def _default_is_offered(self) -> Self:
        if self.default and self.options and self.default not in self.options:
            raise ValueError("default is none of the options")
        return self


class SaidIssue(_Said):
    """Something wrong that is no part of the task."""

    title: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    severity: Literal["minor", "major"] = "minor"
    category: Annotated[str, Field(max_length=100)] = ""
    evidence: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=20)] = []


def said_issues(said: Sequence[SaidIssue]) -> tuple[Issue, ...]:
    """As they are handed in; control characters are gone."""
    return tuple(
        Issue(
            title=plain(one.title, 200),
            severity=one.severity,
            category=plain(one.category, 100),
            evidence=tuple(plain(text, 300) for text in one.evidence),
        )
        for one in said
    )


class SaidResult(_Said):
    """The last line of a program that has more to say than its exit code."""

    status: Literal["done", "blocked", "failed", "asked"]
    notes: str | None = None
    blocker: SaidBlocker | None = None
    question: SaidQuestion | None = None
    issues: Annotated[list[SaidIssue], Field(max_length=20)] = []


STATUSES = ("done", "blocked", "failed", "asked")


class CommandBrain:
    """Runs a program once per attempt, review and question.

    Args:
        command: A line for the shell, or an argument list.
    """

    def __init__(self, command: str | Sequence[str]) -> None:
        self._command = command

    async def work(self, job: Job, report: Report) -> Result:
        async def on_stdout(line: str) -> None:
            if line.startswith(PROGRESS):
                await report(line.removeprefix(PROGRESS))

        finished = await self._run(job.seat, job.task, job.as_json(), on_stdout, report)
        if _timed_out(finished.result, job.seat.timeout_s):
            return Failed(f"stopped at its time limit of {job.seat.timeout_s:g} s; {_ending(finished.result)}")
        said = read_result(finished.stdout)
        if said is not None:
            return said
        if finished.result.exit_code:
            return Failed(f"exited {finished.result.exit_code}; {_ending(finished.result)}")
        return Done(plain_end(finished.stdout))

    async def review(self, job: ReviewJob) -> RawVerdict:
        finished = await self._run(job.seat, job.task, job.as_json())
        if _timed_out(finished.result, job.seat.timeout_s):
            raise BrainError(f"no verdict within {job.seat.timeout_s:g} s; {_ending(finished.result)}")
        if finished.result.exit_code:
            raise BrainError(f"no verdict: exited {finished.result.exit_code}; {_ending(finished.result)}")
        return RawVerdict(finished.stdout.decode("utf-8", "replace"))

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        finished = await self._run(inquiry.seat, inquiry.task, inquiry.as_json())
        if _timed_out(finished.result, inquiry.seat.timeout_s):
            raise BrainError(f"no answer within {inquiry.seat.timeout_s:g} s; {_ending(finished.result)}")
        if finished.result.exit_code:
            raise BrainError(f"no answer: exited {finished.result.exit_code}; {_ending(finished.result)}")
        return RawAnswer(finished.stdout.decode("utf-8", "replace"))

    async def _run(
        self, seat: Seat, task: str, stdin: str, on_stdout: OnLine | None = None, on_stderr: OnLine | None = None
    ) -> Finished:
        env = {**seat.env, "CALLBOARD_TASK": task, "CALLBOARD_AGENT": seat.agent, "CALLBOARD_RUN": seat.run}
        try:
            return await run_command(
                self._command,
                cwd=seat.cwd,
                env=env,
                sandbox=seat.sandbox,
                timeout_s=seat.timeout_s,
                stdin=stdin.encode(),
                on_line=on_stdout,
                on_stderr_line=on_stderr,
            )
        except CommandFailed as error:
            raise BrainError(f"the command of {seat.agent} cannot be run: {error}") from error


def read_result(stdout: bytes) -> Result | None:
    """The answer on the last line; None when that line is plain output. One that begins well and goes wrong is a failure."""
    try:
        found = read_object(last_line(stdout))
    except BrainError:
        return None
    if found.get("status") not in STATUSES:
        return None
    try:
        return _as_result(SaidResult.model_validate(found))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Failed(f"its answer cannot be read: {where}: {first['msg']} (docs/brains.md has the format)")


def plain_end(output: bytes) -> str:
    """The end of what was printed, as people may see it."""
    return plain(output[-4 * MAX_TEXT :].decode("utf-8", "replace"), 4 * MAX_TEXT)[-MAX_TEXT:]


def _as_result(said: SaidResult) -> Result:
    notes = plain(said.notes or "", MAX_NOTES)
    match said.status:
        case "done":
            return Done(notes, said_issues(said.issues))
        case "blocked":
            return _blocked(said.blocker or SaidBlocker(), notes)
        case "asked":
            asked = said.question or SaidQuestion()
            text = plain(asked.text, MAX_TEXT) or plain(notes, MAX_TEXT)
            options = tuple(plain(option, 200) for option in asked.options)
            default = plain(asked.default, 200 if options else MAX_TEXT)
            if not text:
                return Failed("it asked, and gave no question")
            return Asked(text, options, notes, default, asked.within_minutes)
        case "failed":
            return Failed(notes or "it gave up, and did not say why")


def _blocked(said: SaidBlocker, notes: str) -> Blocked:
    what = plain(said.what, MAX_TEXT) or plain(notes, MAX_TEXT) or "it did not say what blocks it"
    return Blocked(what, plain(said.tried, MAX_TEXT), plain(said.needs, MAX_TEXT), said.severity, notes)


def _timed_out(result: CommandResult, timeout_s: float) -> bool:
    return result.exit_code == TIMED_OUT and result.duration_s >= timeout_s


def _ending(result: CommandResult) -> str:
    """The end of its output, for a person and for the next attempt."""
    tail = plain_end(result.tail.encode())
    return f"the end of its output:\n{tail}" if tail else "it printed nothing"
