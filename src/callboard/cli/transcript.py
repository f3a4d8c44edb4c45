"""`callboard transcript`: what a task's models and agent CLIs said and did, from their call logs; works when nothing runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict

from callboard.agents.brains.talk import Step, Talk, steps, talks, total
from callboard.bus.errors import RosterError
from callboard.cli.options import Json
from callboard.cli.output import note, plural, print_json, say
from callboard.cli.session import open_workspace

SHOWN_LINES = 12
"""Of one text in a terminal; `--full` and `--json` have all of it."""


class StepRow(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: str
    at: AwareDatetime
    duration_s: float
    name: str
    text: str
    calls: tuple[str, ...]
    ok: bool
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usd: Decimal | None


class TalkRow(BaseModel):
    """One attempt or review, as `--json` prints it."""

    model_config = ConfigDict(frozen=True)

    task: str
    attempt: int
    agent: str
    review: str
    log: str
    steps: tuple[StepRow, ...]


def transcript(
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task's id, such as T-7.")],
    attempt: Annotated[int | None, typer.Option(min=1, help="Only this attempt and its reviews.")] = None,
    agent: Annotated[str, typer.Option(help="Only what this agent's model said.")] = "",
    run: Annotated[str, typer.Option(help="Of an earlier run; the newest is meant otherwise.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Whole texts, not only their beginnings.")] = False,
    json: Json = False,
) -> None:
    """What models and agent CLIs said and did on a task: every call, every tool, what it took and cost."""
    workspace = open_workspace()
    found = find(workspace.layout.home / "calls", run, task)
    chosen = [talk for talk in found if attempt in (None, talk.attempt) and agent in ("", talk.agent)]
    if json:
        print_json(workspace.redactor.value([_row(talk).model_dump(mode="json") for talk in chosen]))
        return
    if not chosen:
        note(f"{task} has no such transcript; there are: {', '.join(map(_named, found))}")
    for talk in chosen:
        for line in page(talk, steps(talk), full=full):
            say(workspace.redactor.text(line))


def find(calls: Path, run: str, task: str) -> tuple[Talk, ...]:
    """The call logs of a task.

    Raises:
        RosterError: There are none; the message says what there is.
    """
    recorded = sorted(folder.name for folder in calls.iterdir()) if calls.is_dir() else []
    if not recorded:
        raise RosterError(
            "no model or agent CLI has worked here; what agents with a command did stands in `callboard feedback AGENT`"
        )
    if run and run not in recorded:
        raise RosterError(f"no call of run {run!r} is recorded; there are {', '.join(recorded)}")
    chosen = run or recorded[-1]
    found = talks(calls / chosen, task)
    if not found:
        tasks = sorted({path.name.partition(".")[0] for path in (calls / chosen).iterdir()})
        raise RosterError(f"no call on {task!r} is recorded in run {chosen}; there are {', '.join(tasks)}")
    return found


def page(talk: Talk, said: Sequence[Step], *, full: bool) -> Iterator[str]:
    """One transcript for a terminal."""
    subject = f"review {talk.review}" if talk.review else f"attempt {talk.attempt}"
    yield f"{talk.task}, {subject} by {talk.agent}"
    for step in said:
        spent = f", {_tokens(step)}" if step.kind == "call" else "" if step.ok else ", failed"
        yield f"  {step.at:%H:%M:%SZ}  {step.name}  {step.duration_s:.1f} s{spent}"
        yield from _indented(step.text, full=full)
        for call in step.calls:
            yield from _indented(f"-> {call}", full=full)
    if any(step.kind == "call" for step in said):
        every = total(said)
        calls = plural(sum(step.kind == "call" for step in said), "call")
        yield f"  {calls} to {every.name}, {every.duration_s:.1f} s, {_tokens(every)}"
    yield ""


def _tokens(step: Step) -> str:
    cached = f" ({step.cached_tokens:,} cached)" if step.cached_tokens else ""
    cost = "" if step.usd is None else f", ${step.usd:.4f}"
    return f"{step.input_tokens:,} tokens in{cached}, {step.output_tokens:,} out{cost}"


def _indented(text: str, *, full: bool) -> Iterator[str]:
    lines = text.rstrip().split("\n") if text.strip() else []
    shown = lines if full else lines[:SHOWN_LINES]
    for line in shown:
        yield f"      {line if full else line[:200]}".rstrip()
    if len(shown) < len(lines):
        yield f"      ... {plural(len(lines) - len(shown), 'more line')}; --full shows all"


def _named(talk: Talk) -> str:
    return f"attempt {talk.attempt} by {talk.agent}" + (f" (review {talk.review})" if talk.review else "")


def _row(talk: Talk) -> TalkRow:
    rows = tuple(StepRow.model_validate(step, from_attributes=True) for step in steps(talk))
    return TalkRow(
        task=talk.task,
        attempt=talk.attempt,
        agent=talk.agent,
        review=talk.review,
        log=str(talk.path),
        steps=rows,
    )
