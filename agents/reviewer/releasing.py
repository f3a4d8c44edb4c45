"""A reviewer judges deployed code: five questions, each answered or left open, against requirements and test results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from callboard.agents.brains.answer import plain, read_shape
from callboard.agents.brains.brain import Inquiry, Judge, Seat
from callboard.agents.brains.calls import About
from callboard.agents.brains.framing import framed
from callboard.agents.manager.decision import MANAGER
from callboard.agents.reviewer.in_time import answer_in_time, limit_s
from callboard.agents.reviewer.numbered import numbered
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.bus.deployments import QUESTIONS, ReleaseReview, Said
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, WorkspaceError
from callboard.bus.messages import (
    JOURNAL,
    Draft,
    FeedbackLogged,
    Outcome,
    ReleaseReviewGiven,
    ReleaseReviewRequested,
)

MAX_TEXT = 2_000
"""Characters of a reason."""
MAX_REQUIREMENTS = 50_000
"""Characters of requirements that stand in the prompt; the checkout has all of them."""
ASKED = {
    "quality": "Does the code meet the project's standards?",
    "requirements": "Is everything that the requirements ask for there, and does it do what they say?",
    "security": "Is anything open that should not be?",
    "performance": "Will it be fast enough for what it is for?",
    "critical_issues": "Is there anything for which it must not go live?",
}
"""By question (bus/deployments.py)."""


class SaidPart(BaseModel):
    """The answer to one question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Annotated[
        Literal["good", "fixes", "major_flaws"],
        Field(description="fixes: something small has to change; major_flaws: it has to go back to development."),
    ]
    reason: Annotated[str, Field(description="What the answer rests on; what has to change, and where.")] = ""


class SaidReleaseReview(BaseModel):
    """What a reviewer may say about deployed code (docs/brains.md). A question left out makes it an abstention."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: SaidPart | None = None
    requirements: SaidPart | None = None
    security: SaidPart | None = None
    performance: SaidPart | None = None
    critical_issues: SaidPart | None = None
    unmet: Annotated[
        tuple[int, ...], Field(description="Numbers of the requirements that are not met, as they are listed.")
    ] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Releasing:
    """Judges releases, one at a time, in the reviewer's own checkout.

    Args:
        now: The time that deadlines are held against.
    """

    seat: Seat
    clone: AgentClone
    repository: Repository
    brain: Judge
    now: Callable[[], datetime]

    async def answer(self, request: ReleaseReviewRequested) -> Outcome:
        """What it says; whatever went wrong leaves all questions open and says why."""
        try:
            said = await self._ask(request)
        except (BrainError, BrainParked, BudgetSpent, WorkspaceError) as error:
            said = ReleaseReview(notes=plain(str(error), MAX_TEXT))
        entry = FeedbackLogged(
            log=self.seat.agent,
            entry="review",
            title=f"{request.deployment} {request.environment}: deployed code",
            facts=tuple(_fact(name, said) for name in QUESTIONS),
            text=said.notes,
        )
        return Outcome((Draft(MANAGER, ReleaseReviewGiven(review=request.review, said=said)), Draft(JOURNAL, entry)))

    async def _ask(self, request: ReleaseReviewRequested) -> ReleaseReview:
        seat = replace(self.seat, timeout_s=limit_s(self.seat, request.deadline, self.now()))
        asked = await run_to_end(self._texts, request)
        listed = numbered(asked.values())
        answer = await answer_in_time(self.brain, self._inquiry(request, seat, asked, listed))
        return read_release_review(answer, len(listed))

    def _texts(self, request: ReleaseReviewRequested) -> dict[str, str]:
        """Check out what was deployed; requirements as they stand in it."""
        self.clone.prepare(request.commit)
        texts = self.repository.read_paths(request.commit, request.requirements)
        return {path: text.decode("utf-8", "replace")[:MAX_REQUIREMENTS] for path, text in texts.items()}

    def _inquiry(
        self, request: ReleaseReviewRequested, seat: Seat, asked: Mapping[str, str], listed: Sequence[str]
    ) -> Inquiry:
        rows = "\n".join(f"{n}. {text}" for n, text in enumerate(listed, 1))
        results = [f"`{one.command}` -> {one.exit_code}" for one in request.commands]
        parts = [
            f"# {request.deployment}: is commit {request.commit} fit for {request.environment}?",
            f"It runs at {request.address} beside what serves, and gets no traffic yet. The current folder is a checkout of "
            f"it; what serves or began this run is {request.base}. Answer each question; leave out what you cannot judge.",
            "## The questions\n" + "\n".join(f"- {name}: {text}" for name, text in ASKED.items()),
            *(f"## {path}\n{framed('requirements', text)}" for path, text in asked.items()),
            "## The requirements by number\nName those that are not met as `unmet`.\n" + framed("requirements", rows),
            "## Test results\n" + framed("results", "\n".join(results)),
        ]
        return Inquiry(
            seat=seat,
            task=request.deployment,
            attempt=1,
            kind="release",
            id=request.review,
            text="\n\n".join(parts),
            shape=SaidReleaseReview,
            facts={
                "environment": request.environment,
                "commit": request.commit,
                "base": request.base,
                "address": request.address,
                "questions": dict(ASKED),
                "requirements": dict(asked),
                "numbered": list(listed),
                "results": [one.model_dump(mode="json") for one in request.commands],
                "deadline": request.deadline.isoformat(),
            },
            about=about_release(self.seat.agent, request, asked),
        )


def about_release(agent: str, request: ReleaseReviewRequested, requirements: Mapping[str, str]) -> About:
    """Commits and addresses are others wherever it is asked again."""
    results = [f"{one.command} -> {one.exit_code}" for one in request.commands]
    parts = [*ASKED.values(), *requirements.values(), *results]
    asked = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return About(key=f"release/{request.review}", agent=agent, attempt=1, asked=asked)


def read_release_review(text: str, requirements: int = 0) -> ReleaseReview:
    """What a brain said, strictly.

    Args:
        requirements: How many it could name.

    Raises:
        BrainError: It cannot be read whole, names a requirement that is none, or finds all good and some not met.
    """
    said = read_shape(text, SaidReleaseReview)
    if strange := [n for n in said.unmet if not 1 <= n <= requirements]:
        raise BrainError(f"unmet names requirement {strange[0]}, and there are {requirements}")
    if said.unmet and said.requirements is not None and said.requirements.answer == "good":
        raise BrainError("the requirements are called good, and some of them unmet; it is one or the other")
    parts = {name: getattr(said, name) for name in QUESTIONS}
    answers = {
        name: Said(answer=part.answer, reason=plain(part.reason, MAX_TEXT))
        for name, part in parts.items()
        if isinstance(part, SaidPart)
    }
    unmet = tuple(sorted(set(said.unmet)))
    return ReleaseReview(answers=answers, requirements=requirements, unmet=unmet, notes=plain(said.notes, MAX_TEXT))


def _fact(name: str, said: ReleaseReview) -> str:
    found = said.answers.get(name, Said())
    return f"{name.replace('_', ' ')}: {found.answer.replace('_', ' ')}" + (f": {found.reason}" if found.reason else "")
