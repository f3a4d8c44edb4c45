"""What a reviewer is asked in the second round: the senior for a synthesis, the juniors for their votes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, JsonValue

from callboard.agents.brains.about import asked_for, change_digest
from callboard.agents.brains.brain import Inquiry, Seat
from callboard.agents.brains.calls import About
from callboard.agents.brains.framing import framed
from callboard.agents.reviewer.requirements import listed, requirements_of
from callboard.agents.reviewer.second import SaidSynthesis, SaidVote
from callboard.bus.messages import Envelope, SynthesisRequested, VoteRequested
from callboard.bus.reviews import Opinion, Standing, Synthesis
from callboard.feedback.facts import finding_fact, synthesis_facts

MAX_DIFF = 100_000
"""Characters of the change that are shown; the checkout has the rest."""
_SENIOR = """\
Three reviewers judged it blindly, you among them. Make one list of what has to change, for its driver.

- An item says what has to change, and names the findings (F-1, F-2, ...) it rests on. You may not add anything: an item
  that rests on no finding below is not counted.
- A finding that is true and no part of this task is dismissed, with a reason; the juniors see it and vote on it. What a
  command has shown cannot be dismissed. What you say nothing about stays open.
- `summary` is one or two sentences: what state the work is in."""
_JUNIOR = """\
Three reviewers judged it blindly, you among them; the senior made one of it. Vote on that.

- `approved`: the work may go on as it is, with what is left open done later or never.
- `needs_revision`: it may not; say why in `notes`, and what of the list or of the dismissals is wrong.
- What was dropped counts for nothing: its quote or requirement is not there. If you still see that fault, say where."""
_SHAPES: dict[str, type[BaseModel]] = {"synthesis": SaidSynthesis, "vote": SaidVote}

SecondRequest = SynthesisRequested | VoteRequested


def inquiry(seat: Seat, envelope: Envelope, request: SecondRequest, diff: str) -> Inquiry:
    """The question, as every kind of brain can answer it."""
    return Inquiry(
        seat=seat,
        task=envelope.task,
        attempt=envelope.attempt,
        kind=request.stage,
        id=f"{request.review}-{request.stage}",
        text=_text(envelope, request, diff),
        shape=_SHAPES[request.stage],
        facts=_facts(request, diff),
        about=_about(seat, envelope, request, diff),
    )


def _about(seat: Seat, envelope: Envelope, request: SecondRequest, diff: str) -> About:
    said = [change_digest(diff), *(it.finding.digest for it in request.standing)]
    if isinstance(request, VoteRequested):
        said += [it.finding for it in request.synthesis.dismissed]
    return About(
        key=f"{request.stage}/{request.spec.key}",
        agent=seat.agent,
        attempt=envelope.attempt,
        round=int(request.review.rpartition(".")[2]),
        asked=asked_for(request.spec),
        change=hashlib.sha256("\0".join(said).encode()).hexdigest()[:16],
    )


def _facts(request: SecondRequest, diff: str) -> dict[str, JsonValue]:
    """The request for a program: the same keys as a review's, and what was said in the first round."""
    told: dict[str, JsonValue] = request.model_dump(mode="json", exclude={"agent"})
    return {"author": request.agent, **told, "diff": diff}


def _text(envelope: Envelope, request: SecondRequest, diff: str) -> str:
    senior = isinstance(request, SynthesisRequested)
    said = [
        f"# {'Synthesis' if senior else 'Vote'} on task {envelope.task}: {request.spec.title}",
        _SENIOR if senior else _JUNIOR,
        "## What was asked\n" + framed("task", listed(request.requirements or requirements_of(request.spec))),
        f"Handed in by {request.agent}, attempt {envelope.attempt}.",
        "## What stands\n" + framed("findings", _lines(map(_stands, request.standing)) or "nothing"),
        "## What was said\n" + framed("opinions", _lines(_opinions(request.opinions))),
    ]
    if isinstance(request, VoteRequested):
        said.append("## The synthesis\n" + framed("synthesis", _made(request.synthesis, request.standing)))
    cut = f"\n[cut: {len(diff) - MAX_DIFF} more characters; the files have all of it]" if len(diff) > MAX_DIFF else ""
    return "\n\n".join([*said, "## The change\n" + framed("diff", diff[:MAX_DIFF] + cut or "nothing changed")])


def _stands(it: Standing) -> str:
    return f"{it.id} by {', '.join(it.by)}: {finding_fact(it.finding)}"


def _opinions(opinions: Sequence[Opinion]) -> Iterable[str]:
    for one in opinions:
        yield f"{one.seat}: {one.vote}" + (f": {one.notes}" if one.notes else "")
        yield from (f"  dropped: {finding_fact(finding)}" for finding in one.dropped)


def _made(made: Synthesis, standing: Sequence[Standing]) -> str:
    if not standing:
        return "Nothing stands, so there is nothing to make one of."
    spoken = {id for item in made.items for id in item.findings} | {it.finding for it in made.dismissed}
    left = [it.id for it in standing if it.id not in spoken]
    open_ = [f"said nothing about, so still open: {', '.join(left)}"] if left else []
    return _lines([made.summary, *synthesis_facts(made), *open_])


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(filter(None, lines))
