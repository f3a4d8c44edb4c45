"""A reviewer is consulted: it looks around where another agent is stuck, and says what it knows, or that it cannot say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from callboard.agents.brains.answer import plain, read_shape
from callboard.agents.brains.brain import Inquiry, Judge, Seat
from callboard.agents.brains.framing import framed
from callboard.agents.brains.prompt import requirements
from callboard.agents.manager.decision import MANAGER
from callboard.agents.reviewer.in_time import answer_in_time, limit_s
from callboard.agents.reviewer.quotes import plausible_path, stands
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, WorkspaceError
from callboard.bus.messages import (
    JOURNAL,
    ConsultAnswered,
    ConsultRequested,
    Draft,
    Envelope,
    FeedbackLogged,
    Outcome,
)
from callboard.bus.problems import Advice, Reference
from callboard.feedback.facts import advice_facts

MAX_DIFF = 100_000
"""Characters of unfinished work that are shown; as many as of a change in a review's prompt."""
MAX_TEXT = 4_000
"""Characters of an answer: it goes into a prompt and into logs."""
Read = Callable[[str], bytes | None]
"""A file of the commit that was looked at; None where there is none."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SaidReference(_Said):
    """Text that stands in a file."""

    file: Annotated[str, Field(max_length=4_000)]
    line: Annotated[int, Field(ge=0, le=10_000_000, description="Where the quote begins; 0 = anywhere.")] = 0
    quote: Annotated[str, Field(max_length=4_000, description="Word for word.")]


class SaidAdvice(_Said):
    """What somebody who is consulted may say (docs/brains.md)."""

    says: Annotated[Literal["answer", "cannot_say"], Field(description="cannot_say is no failure; a guess is one.")]
    text: Annotated[str, Field(description="The answer, for the agent that is stuck.")] = ""
    choice: Annotated[
        int, Field(ge=0, le=20, description="The number of the proposal you would answer for; 0 = none.")
    ] = 0
    is_sure: Annotated[bool, Field(description="Whether you would answer for it.")] = False
    reasons: str = ""
    references: Annotated[list[SaidReference], Field(max_length=20, description="What the answer rests on.")] = []


@dataclass(frozen=True, slots=True)
class Consulting:
    """Answers consults, one at a time, in the reviewer's own checkout.

    Args:
        now: The time that deadlines are held against.
    """

    seat: Seat
    clone: AgentClone
    repository: Repository
    brain: Judge
    now: Callable[[], datetime]

    async def answer(self, envelope: Envelope, request: ConsultRequested) -> Outcome:
        """What it says; whatever went wrong is an abstention that says why. Nobody waits for a brain that cannot think now."""
        try:
            advice = await self._ask(envelope, request)
        except (BrainError, BrainParked, BudgetSpent, WorkspaceError) as error:
            advice = abstention(str(error))
        if self.now() > request.deadline:
            advice = abstention("the answer came after the deadline")
        entry = FeedbackLogged(
            log=self.seat.agent,
            entry="answer",
            title=f"{request.spec.title}: consult {request.consult}",
            facts=facts(request, advice),
            text=advice.text,
        )
        return Outcome((Draft(MANAGER, ConsultAnswered(consult=request.consult, advice=advice)), Draft(JOURNAL, entry)))

    async def _ask(self, envelope: Envelope, request: ConsultRequested) -> Advice:
        seat = replace(self.seat, timeout_s=limit_s(self.seat, request.deadline, self.now()))
        work = await run_to_end(self._prepare, request)
        said = await answer_in_time(self.brain, inquiry(seat, envelope.task, envelope.attempt, request, work))
        return await run_to_end(read_advice, said, lambda path: self.repository.read(request.base, path))

    def _prepare(self, request: ConsultRequested) -> str:
        """Check out what the stuck agent began with; its unfinished work as a diff, where the repository has it."""
        self.clone.prepare(request.base)
        if not request.work or self.repository.resolve(request.work) is None:
            return ""
        shown = self.repository.diff(request.base, request.work).decode("utf-8", "replace")
        cut = f"\n[cut: {len(shown) - MAX_DIFF} more characters]" if len(shown) > MAX_DIFF else ""
        return shown[:MAX_DIFF] + cut


def inquiry(seat: Seat, task: str, attempt: int, request: ConsultRequested, work: str) -> Inquiry:
    """The consult as brains are asked it; everything in it that agents and commands said is framed."""
    given = {"problem": request.problem, "needs": request.needs, "tried": request.tried, "work": work}
    return Inquiry(
        seat,
        task,
        attempt,
        "consult",
        request.consult,
        _text(task, request, given),
        SaidAdvice,
        {
            **given,
            "about": request.spec.model_dump(mode="json"),
            "stuck": request.agent,
            "evidence": list(request.evidence),
            "questions": list(request.questions),
            "proposals": list(request.proposals),
            "deadline": request.deadline.isoformat(),
        },
    )


def _text(task: str, request: ConsultRequested, given: dict[str, str]) -> str:
    parts = [
        f"# {request.agent} is stuck with {task}: {request.spec.title}",
        "Say what lets it go on. The current folder is a checkout of what it began with. What you say is given to it as "
        "advice. Say `cannot_say` where you do not know; quote what your answer rests on, word for word.",
        "## What was asked of it\n" + requirements(request.spec),
        "## The questions\n" + "\n".join(f"- {question}" for question in request.questions),
        *(f"## Its {name}\n{framed(name, text)}" for name, text in given.items() if text.strip()),
    ]
    if request.evidence:
        parts.append(
            "## What it has seen, the newest last\n" + "\n\n".join(framed("seen", it) for it in request.evidence)
        )
    if request.proposals:
        said = "\n\n".join(f"{n}:\n{framed('proposal', text)}" for n, text in enumerate(request.proposals, 1))
        parts.append(f"## Proposals\nChoose the one that you would answer for, as `choice`; 0 if none.\n\n{said}")
    return "\n\n".join(parts)


def read_advice(text: str, read: Read) -> Advice:
    """What a brain said, strictly; what it rests on is looked up.

    Raises:
        BrainError: It cannot be read whole.
    """
    said = read_shape(text, SaidAdvice)
    return Advice(
        says=said.says,
        text=plain(said.text, MAX_TEXT),
        choice=said.choice,
        is_sure=said.is_sure,
        reasons=plain(said.reasons, MAX_TEXT),
        references=tuple(_reference(it, read) for it in said.references),
    )


def _reference(said: SaidReference, read: Read) -> Reference:
    content = read(said.file) if plausible_path(said.file) else None
    holds = content is not None and stands(content.decode("utf-8", "surrogateescape"), said.quote, said.line)
    return Reference(file=plain(said.file, 400), line=said.line, quote=plain(said.quote, 400), verified=holds)


def abstention(reason: str) -> Advice:
    """What is given where no answer could be had."""
    return Advice(says="abstained", reasons=plain(reason, 2_000))


def facts(request: ConsultRequested, advice: Advice) -> tuple[str, ...]:
    """For its own log."""
    return (f"asked about: {request.problem}", *advice_facts(advice, chooses=bool(request.proposals)))
