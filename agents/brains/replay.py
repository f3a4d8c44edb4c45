"""A brain that plays a recorded transcript: what it says is recorded, what it does in the clone is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from callboard.agents.brains import tools
from callboard.agents.brains.brain import Asked, Blocked, Done, Job, RawVerdict, Report, Result, ReviewJob, Seat
from callboard.agents.brains.transcript import (
    AnyStep,
    Ask,
    Block,
    Delete,
    Edit,
    Finish,
    Judge,
    Line,
    Run,
    Say,
    Wait,
    Write,
    choose,
    read_transcript,
    recorded,
)
from callboard.agents.workspace.commands import run_command
from callboard.bus.errors import BrainError
from callboard.bus.task import Note


class ReplayBrain:
    """Plays `<folder>/<agent>/<key>.<attempt>.jsonl` (docs/brains.md)."""

    def __init__(self, folder: Path, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._folder = folder
        self._sleep = sleep

    async def work(self, job: Job, report: Report) -> Result:
        answers = sum(_is_answer(note) for note in job.notes)
        lines = self._lines(job.seat, job.spec.key, job.attempt, answers)
        for line in lines:
            match line.step:
                case Finish(done=notes):
                    return Done(notes)
                case Block(blocked=it):
                    return Blocked(it.what, it.tried, it.needs, it.severity)
                case Ask(ask=it):
                    return Asked(it.text, it.options)
                case Judge():
                    raise BrainError(f"{line.place}: a verdict is no step of a driver; end with done, ask or blocked")
                case step:
                    await self._play(line.place, step, job.seat, report)
        raise BrainError(f"{_end(lines)}: the transcript ends without done, ask or blocked; add one as its last step")

    async def review(self, job: ReviewJob) -> RawVerdict:
        lines = self._lines(job.seat, job.request.spec.key, job.attempt, answers=0)
        for line in lines:
            match line.step:
                case Judge(verdict=str() as text):
                    return RawVerdict(text)
                case Judge(verdict=verdict):
                    return RawVerdict(json.dumps(verdict))
                case (Say() | Wait() | Run()) as step:
                    await self._play(line.place, step, job.seat, _nobody)
                case _:
                    raise BrainError(f"{line.place}: a reviewer's steps are say, wait, run and verdict")
        raise BrainError(f"{_end(lines)}: the transcript ends without a verdict; add one as its last step")

    def _lines(self, seat: Seat, key: str, attempt: int, answers: int) -> Sequence[Line]:
        found = {n: read_transcript(path) for n, path in recorded(self._folder, seat.agent, key).items()}
        chosen = choose({n: transcript.parks for n, transcript in found.items()}, attempt, answers)
        if chosen is None:
            raise BrainError(
                f"no transcript of {seat.agent} for {key} at attempt {attempt} below {self._folder}; record one as"
                f" {seat.agent}/{key.removeprefix(f'{seat.agent}/')}.{attempt}.jsonl"
            )
        transcript = found[chosen[0]]
        lines = transcript.after_parking() if chosen[1] else transcript.lines
        return lines or (Line(f"{transcript.path}:1", Say(say="")),)

    async def _play(self, place: str, step: AnyStep, seat: Seat, report: Report) -> None:
        try:
            await self._do(step, seat, report)
        except BrainError as error:
            raise BrainError(f"{place}: {error}") from error

    async def _do(self, step: AnyStep, seat: Seat, report: Report) -> None:
        match step:
            case Say(say=text):
                await report(text)
            case Write(write=path, text=text):
                tools.write_file(seat.cwd, path, text)
            case Edit(edit=path, old=old, new=new):
                tools.edit_file(seat.cwd, path, old, new)
            case Delete(delete=path):
                tools.delete_file(seat.cwd, path)
            case Run(run=command):
                # Its exit code is part of what was recorded, not of what is judged: agents run what fails, too.
                await run_command(command, cwd=seat.cwd, env=seat.env, sandbox=seat.sandbox, timeout_s=seat.timeout_s)
            case Wait(wait=seconds):
                await self._sleep(seconds)


def _is_answer(note: Note) -> bool:
    return note.source == "answer"


def _end(lines: Sequence[Line]) -> str:
    return lines[-1].place


async def _nobody(_: str) -> None:
    return None
