"""Which tools each role has: a driver works in its clone, a reviewer looks around in its checkout."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from callboard.agents.brains import reading, tools
from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Asked, Blocked, Done, Inquiry, RawAnswer, RawVerdict, Seat
from callboard.agents.brains.command import LONGEST_MINUTES, MAX_NOTES, MAX_TEXT, SaidIssue, said_issues
from callboard.agents.brains.model.toolbox import Arguments, End, Tool, tool
from callboard.agents.reviewer.verdict import SaidVerdict
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.commands import TIMED_OUT, run_command
from callboard.bus.errors import BrainError, CommandFailed

RUN_S = 300.0
"""How long a command may take when the model does not say."""
MAX_RUN_S = 1_800.0
SEARCH_S = 30.0


class ListFiles(Arguments):
    path: Annotated[str, Field(description="A folder, from the repository's top.")] = "."
    pattern: Annotated[str, Field(description="Glob, such as *.py or tests/*")] = "*"


class ReadFile(Arguments):
    path: str
    first: Annotated[int, Field(ge=1, description="First line to show.")] = 1
    lines: Annotated[int, Field(ge=1, description="How many lines to show.")] = reading.MAX_LINES


class Search(Arguments):
    pattern: Annotated[
        str, Field(min_length=1, max_length=1_000, description="Extended regular expression, of one line.")
    ]
    path: Annotated[str, Field(description="A file or folder to search in.")] = "."


class WriteFile(Arguments):
    path: str
    text: Annotated[str, Field(description="The whole content.")]


class EditFile(Arguments):
    path: str
    old: Annotated[str, Field(description="Text that stands in the file exactly once, without line numbers.")]
    new: Annotated[str, Field(description="What stands there instead.")]


class Run(Arguments):
    command: Annotated[str, Field(min_length=1, description="A line for /bin/sh.")]
    timeout_s: Annotated[float, Field(gt=0, le=MAX_RUN_S)] = RUN_S


class SayDone(Arguments):
    notes: Annotated[str, Field(description="For the reviewers: what you changed, why, how you know that it works.")]
    issues: Annotated[
        list[SaidIssue],
        Field(max_length=20, description="What else you saw to be wrong and left, as it is not your task."),
    ] = []


class SayBlocked(Arguments):
    what: Annotated[str, Field(min_length=1, description="What keeps you from going on.")]
    tried: str = ""
    needs: Annotated[str, Field(description="What would let you go on.")] = ""
    severity: Literal["minor", "major"] = "major"


class AskPerson(Arguments):
    text: Annotated[str, Field(min_length=1, description="One question that only a person can answer.")]
    options: Annotated[list[str], Field(max_length=20)] = []
    default: Annotated[str, Field(description="What you would do if nobody answers in time; one of the options.")] = ""
    within_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] | None = None

    @model_validator(mode="after")
    def _default_is_offered(self) -> Self:
        if self.default and self.options and self.default not in self.options:
            raise ValueError("default is none of the options")
        return self


class GiveVerdict(Arguments, SaidVerdict):
    """The same shape as every reviewer's verdict."""

    notes: Annotated[str, Field(max_length=4_000)] = ""


Brief = Annotated[str, Field(max_length=300)]


class BriefFinding(Arguments):
    severity: Literal["minor", "major"]
    file: Brief
    line: Annotated[int, Field(ge=0, le=100_000)]
    quote: Brief
    scenario: Brief


class BriefVerdict(Arguments):
    """What a model without tools must answer: servers build a grammar of it, which long texts make slow."""

    vote: Literal["approved", "needs_revision", "abstained"]
    notes: Brief
    findings: Annotated[list[BriefFinding], Field(max_length=5)]


def driver_tools(seat: Seat) -> tuple[Tool, ...]:
    return (*_looking(seat), *_changing(seat), _run(seat), *_ending())


def reviewer_tools(seat: Seat) -> tuple[Tool, ...]:
    return (*_looking(seat), _run(seat), verdict_tool())


def verdict_tool() -> Tool:
    async def give(given: GiveVerdict) -> End:
        return End(RawVerdict(given.model_dump_json()))

    return tool("verdict", "Ends your review: your vote and what you found.", GiveVerdict, give)


def inquiry_tools(inquiry: Inquiry) -> tuple[Tool, ...]:
    """It may run commands too: they are held by its sandbox, in a checkout that is thrown away."""
    return (*_looking(inquiry.seat), _run(inquiry.seat), answer_tool(inquiry))


def answer_tool(inquiry: Inquiry) -> Tool:
    async def give(given: BaseModel) -> End:
        return End(RawAnswer(given.model_dump_json()))

    return tool(inquiry.kind, "Ends the question: your answer.", inquiry.shape, give)


def _looking(seat: Seat) -> tuple[Tool, ...]:
    async def list_files(given: ListFiles) -> str:
        return await run_to_end(reading.list_files, seat.cwd, given.path, given.pattern)

    async def read(given: ReadFile) -> str:
        return await run_to_end(reading.read_file, seat.cwd, given.path, given.first, given.lines)

    async def search(given: Search) -> str:
        argv = reading.search_argv(seat.cwd, given.path, given.pattern)
        exit_code, _, output = await _execute(seat, argv, SEARCH_S)
        if exit_code not in (0, 1):
            raise BrainError(f"the search ended with {exit_code}: {output}")
        return output or "[found nowhere]"

    return (
        tool("list", "Lists files and folders.", ListFiles, list_files),
        tool("read", "Shows lines of a text file with their numbers.", ReadFile, read),
        tool("search", "Finds a regular expression in text files: path:line:text.", Search, search),
    )


def _changing(seat: Seat) -> tuple[Tool, ...]:
    async def write(given: WriteFile) -> str:
        await run_to_end(tools.write_file, seat.cwd, given.path, given.text)
        return f"written: {len(given.text.splitlines())} lines"

    async def edit(given: EditFile) -> str:
        await run_to_end(tools.edit_file, seat.cwd, given.path, given.old, given.new)
        return "replaced"

    return (
        tool("write", "Writes a whole file, with the folders it needs.", WriteFile, write, changes=True),
        tool("edit", "Replaces a text that stands in a file exactly once.", EditFile, edit, changes=True),
    )


def _run(seat: Seat) -> Tool:
    async def run(given: Run) -> str:
        exit_code, took_s, output = await _execute(seat, given.command, min(given.timeout_s, seat.timeout_s))
        ended = f"stopped at its limit of {given.timeout_s:g} s" if exit_code == TIMED_OUT else f"exit code {exit_code}"
        return f"{ended} after {took_s:.1f} s\n{output}"

    about = "Runs a shell command at the repository's top; its output is cut in the middle when it is long."
    return tool("run", about, Run, run, changes=True)


async def _execute(seat: Seat, command: str | list[str], timeout_s: float) -> tuple[int, float, str]:
    """Exit code, seconds, and what is shown of its output."""
    try:
        finished = await run_command(
            command, cwd=seat.cwd, env=seat.env, timeout_s=timeout_s, merge_stderr=True, sandbox=seat.sandbox
        )
    except CommandFailed as error:
        raise BrainError(str(error)) from error
    said = await asyncio.to_thread(lambda: finished.stdout.decode("utf-8", "replace"))
    shown = reading.cut_output(said)
    return finished.result.exit_code, finished.result.duration_s, plain(shown, len(shown))


def _ending() -> tuple[Tool, ...]:
    async def done(given: SayDone) -> End:
        return End(Done(plain(given.notes, MAX_NOTES), said_issues(given.issues)))

    async def blocked(given: SayBlocked) -> End:
        what, tried, needs = (plain(text, MAX_TEXT) for text in (given.what, given.tried, given.needs))
        return End(Blocked(what, tried, needs, given.severity))

    async def ask(given: AskPerson) -> End:
        options = tuple(plain(option, 200) for option in given.options)
        default = plain(given.default, 200 if options else MAX_TEXT)
        text = plain(given.text, MAX_TEXT)
        return End(Asked(text, options, default=default, within_minutes=given.within_minutes))

    return (
        tool("ask", "Ends your attempt with a question to a person; you go on with the answer.", AskPerson, ask),
        tool("blocked", "Ends your attempt: you cannot go on; your work is kept.", SayBlocked, blocked),
        tool("done", "Ends your attempt: the task is done, and its checks pass.", SayDone, done),
    )
