"""The trio's review of deployed code: five questions to each, blind; an answer that leaves one open is an abstention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from callboard.agents.deployment.events import Judged
from callboard.agents.manager import seats
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import failure_digest
from callboard.bus.deployments import QUESTIONS, QUORUM, DeploymentDoc, ReleaseReview, deployment_field
from callboard.bus.messages import (
    JOURNAL,
    MessageRefused,
    ReleaseReviewGiven,
    ReleaseReviewRequested,
    TimerFired,
)


def ask(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    """All three, blind and in parallel."""
    settings, names = decision.policy.deploy, seats.reviewers(decision.board)
    assert settings is not None
    deadline = decision.policy.review_deadline
    body = ReleaseReviewRequested(
        review=doc.review,
        deployment=doc.id,
        environment=doc.environment,
        base=decision.board.run.base,
        commit=doc.commit,
        requirements=settings.requirements,
        address=doc.address,
        commands=doc.tests,
        deadline=decision.now + deadline,
    )
    for name in names:
        decision.send(name, body)
    decision.after(deadline, TimerFired(about="release_review", subject=doc.review))
    return doc.model_copy(update={"reviewers": names})


def given(decision: Decision, body: ReleaseReviewGiven) -> tuple[DeploymentDoc, Judged] | None:
    """Write an answer down; what all of them come to, once all are there."""
    name, doc = decision.cause.sender, _open(decision, body.review)
    if doc is None or name not in doc.reviewers or name in doc.reviews:
        reason, cause = f"review {body.review} does not wait for {name}", decision.cause
        told = MessageRefused(refused=cause.id, refused_kind=cause.kind, refused_sender=cause.sender, reason=reason)
        decision.send(JOURNAL, told)
        return None
    doc = doc.model_copy(update={"reviews": {**doc.reviews, name: body.said}})
    decision.put(deployment_field(doc.id), doc)
    decision.log("review", f"{doc.id}: {name} has judged the deployed code", facts(body.said), body.said.notes)
    judged = judge(doc.reviews, doc.reviewers, is_late=False)
    return (doc, judged) if judged else None


def deadline(decision: Decision, review: str) -> tuple[DeploymentDoc, Judged] | None:
    """Who has not answered by now abstains."""
    doc = _open(decision, review)
    judged = judge(doc.reviews, doc.reviewers, is_late=True) if doc else None
    return (doc, judged) if doc and judged else None


def judge(reviews: Mapping[str, ReleaseReview], asked: Sequence[str], *, is_late: bool) -> Judged | None:
    """What they come to; None = somebody is waited for. What one of them found is not outvoted. Pure."""
    if not is_late and any(name not in reviews for name in asked):
        return None
    found = [
        (said.answer, f"{name} on {question.replace('_', ' ')}: {said.reason or said.answer}")
        for name in asked
        for question, said in reviews.get(name, ReleaseReview()).answers.items()
        if said.answer in ("fixes", "major_flaws") and question in QUESTIONS
    ]
    if majors := [text for answer, text in found if answer == "major_flaws"]:
        return _judged("major_flaws", majors)
    if found:
        return _judged("fixes", [text for _, text in found])
    whole = [name for name in asked if name in reviews and reviews[name].is_whole]
    if len(whole) >= QUORUM:
        return Judged("consensus", f"{', '.join(whole)}: good in all five")
    silent = [name for name in asked if name not in whole]
    return Judged("no_quorum", f"no answer to all five from {', '.join(silent) or 'anybody'}")


def _judged(outcome: Literal["major_flaws", "fixes"], texts: list[str]) -> Judged:
    return Judged(outcome, "; ".join(texts), failure_digest(texts))


def facts(said: ReleaseReview) -> list[str]:
    known = ((name, said.answers.get(name)) for name in QUESTIONS)
    return [f"{name}: {one.answer} {one.reason}".rstrip() if one else f"{name}: unanswered" for name, one in known]


def _open(decision: Decision, review: str) -> DeploymentDoc | None:
    docs = decision.board.all(DeploymentDoc)
    return next((doc for doc in docs if doc.state == "reviewing" and doc.reviewers and doc.review == review), None)
