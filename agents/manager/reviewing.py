"""From three blind verdicts to an outcome: whose turn it is, what counts, and what becomes of the task."""

from __future__ import annotations

from callboard.agents.manager import closing, issues, parking, requests, review_stops, seats, second_round, setbacks
from callboard.agents.manager.decision import Decision
from callboard.agents.reviewer import consensus
from callboard.agents.reviewer.second import counted
from callboard.agents.reviewer.standing import dropped, standing
from callboard.agents.reviewer.stops import drifts
from callboard.bus.board import ReviewDoc, TaskDoc, TaskState, Verdict
from callboard.bus.messages import JOURNAL, MessageRefused, ReviewWord, SynthesisGiven, VerdictGiven, VoteGiven
from callboard.bus.reviews import SecondVote
from callboard.feedback.facts import finding_fact, synthesis_facts


def word_given(decision: Decision, body: ReviewWord) -> None:
    """A verdict, a synthesis or a vote. It counts for exactly what it judged, once, and only from who was asked."""
    said_by(decision, decision.board.task(decision.cause.task), decision.cause.sender, body)


def said_by(decision: Decision, task: TaskDoc, name: str, body: ReviewWord) -> None:
    """The same, of whoever is known to have said it."""
    review = second_round.current(decision, task)
    if why_not := _not_counted(task, review, name, body):
        refused = MessageRefused(
            refused=decision.cause.id, refused_kind=decision.cause.kind, refused_sender=name, reason=why_not
        )
        decision.send(JOURNAL, refused)
    elif body.parked:
        parking.review_parked(decision, task, name, body)
    else:
        _judge(decision, _kept(decision, task, review, name, body), late=False)


def _kept(decision: Decision, task: TaskDoc, review: ReviewDoc, name: str, body: ReviewWord) -> TaskDoc:
    """Write down what was said."""
    match body:
        case VerdictGiven():
            verdict = Verdict(vote=body.vote, findings=body.findings, notes=body.notes)
            return decision.put_task(task, verdicts={**task.verdicts, name: verdict})
        case SynthesisGiven():
            found = standing(review.verdicts, seats.trio(decision.board).by_name)
            _put(decision, review, synthesis=counted(body.synthesis, found))
        case VoteGiven():
            _put(decision, review, votes={**review.votes, name: SecondVote(vote=body.vote, notes=body.notes)})
    return decision.put_task(task, asked=tuple(other for other in task.asked if other != name))


def review_deadline(decision: Decision, task: TaskDoc, subject: str) -> None:
    """Nobody is late while the review waits for a reviewer that cannot think."""
    review = second_round.current(decision, task)
    is_open = bool(review.version) and review.stage != "closed"
    awaited = f"{task.review} {review.stage}" if is_open else task.review
    if task.state is TaskState.REVIEW and subject == awaited and not task.reason:
        _judge(decision, task, late=True)


def _not_counted(task: TaskDoc, review: ReviewDoc, sender: str, body: ReviewWord) -> str:
    """Why a word is not one on the open review; "" when it is."""
    if task.state is not TaskState.REVIEW or body.review != task.review:
        return f"review {body.review} is not open"
    if (body.commit or "") != task.review_commit or body.requirements_hash != task.task.digest:
        return "it judges another commit or other requirements"
    if sender not in task.reviewers:
        return f"{sender} was not asked for this review"
    if isinstance(body, VerdictGiven):
        return f"{sender} has answered already" if sender in task.verdicts or review.version else ""
    stage = "synthesis" if isinstance(body, SynthesisGiven) else "vote"
    return "" if review.stage == stage and sender in task.asked else f"{sender} is not asked for a {stage} now"


def _judge(decision: Decision, task: TaskDoc, *, late: bool) -> None:
    review = second_round.current(decision, task)
    said = consensus.Said(task.verdicts, review.synthesis, review.votes)
    match consensus.judge(said, seats.trio(decision.board), late):
        case consensus.Waiting():
            return
        case consensus.SecondRound(stage=stage):
            _second_round(decision, task, review, stage)
        case consensus.Concluded() as ended:
            _concluded(decision, task, review, ended)
        case consensus.NoQuorum(missing=missing, summary=summary):
            _no_quorum(decision, task, review, missing, summary)


def _second_round(decision: Decision, task: TaskDoc, review: ReviewDoc, stage: str) -> None:
    if review.version and review.stage == stage:
        return
    if not review.version:
        _log(decision, task, "they do not agree: a second round", review)
    second_round.ask(decision, task, _put(decision, _begun(decision, task, review), stage=stage))


def _concluded(decision: Decision, task: TaskDoc, review: ReviewDoc, ended: consensus.Concluded) -> None:
    before = review_stops.sent_back(decision.board, task)
    review = _put(
        decision,
        _begun(decision, task, review),
        stage="closed",
        outcome=ended.outcome,
        summary=ended.summary,
        open=ended.open,
        dissent=ended.dissent,
        drifted=drifts(ended.open, before[-1] if before else None),
        at=decision.now,
    )
    task = decision.put_task(task, asked=())
    _log(decision, task, _title(ended), review)
    if ended.outcome == "consensus":
        passed(decision, task)
        return
    decision.put_run(review_rejections=decision.board.run.review_rejections + 1)
    if stop := review_stops.found(decision, task, review):
        review_stops.ask_person(decision, task, _put(decision, review, stop=stop))
        return
    setbacks.send_back(decision, task, "review", ended.summary, [it.finding for it in ended.open])


def stop(decision: Decision, task: TaskDoc, why: str) -> None:
    """Whoever was asked leaves it to a person."""
    review = _begun(decision, task, second_round.current(decision, task))
    closed = {"stage": "closed", "outcome": "blocked", "summary": why, "stop": why, "at": decision.now}
    review_stops.ask_person(decision, decision.put_task(task, asked=()), _put(decision, review, **closed))


def passed(decision: Decision, task: TaskDoc) -> None:
    """What was handed in is approved; what stands all the same, dismissed or not, is kept as issues."""
    left = [it for verdict in task.verdicts.values() for it in verdict.findings if not dropped(it)]
    issues.accepted_with(decision, task, left)
    if task.head:
        decision.put_task(task, state=TaskState.APPROVED, unanswered=0)
    else:
        closing.done(decision, task, reason="accepted on evidence; it changed no code")


def _no_quorum(decision: Decision, task: TaskDoc, review: ReviewDoc, missing: tuple[str, ...], summary: str) -> None:
    """Whoever gave no answer is asked once more; then a person is."""
    names = ", ".join(missing)
    decision.log("review", f"no quorum: no {_asked_for(review)} from {names}", text=summary, task=task)
    closed = {"stage": "closed", "outcome": "no_quorum", "summary": summary, "at": decision.now}
    carried = review if review.version else None
    _put(decision, _begun(decision, task, review), **closed)
    task = decision.put_task(task, unanswered=task.unanswered + 1, asked=())
    if task.unanswered < decision.policy.review_rounds:
        verdicts = {name: it for name, it in task.verdicts.items() if name not in missing or carried}
        again = carried and requests.without(carried, missing)
        requests.ask_reviewers(decision, task, task.review_commit, verdicts=verdicts, second=again)
        return
    task = decision.put_task(task, unanswered=0)
    what = f"no {_asked_for(review)} from {names}, however often they were asked.\n{summary}"
    setbacks.not_judged(decision, task, what, "reviewers that answer")


def _asked_for(review: ReviewDoc) -> str:
    return review.stage if review.version and review.stage != "closed" else "verdict"


def _begun(decision: Decision, task: TaskDoc, review: ReviewDoc) -> ReviewDoc:
    """The review's document, with what the first round gave."""
    if review.version:
        return review
    trio = seats.trio(decision.board)
    return ReviewDoc(
        id=task.review,
        task=task.id,
        attempt=task.attempt,
        commit=task.review_commit,
        requirements_hash=task.task.digest,
        seats={seat: name for name, seat in trio.by_name.items()},
        verdicts=task.verdicts,
    )


def _put(decision: Decision, review: ReviewDoc, **values: object) -> ReviewDoc:
    field = second_round.review_field(review.id)
    decision.put(field, review.model_copy(update=values))
    return decision.board.get(field, ReviewDoc)


def _title(ended: consensus.Concluded) -> str:
    said = {"consensus": "approved", "blocked": "they cannot agree"}.get(ended.outcome, "sent back")
    return f"{said}: {ended.summary}" if ended.summary else said


def _log(decision: Decision, task: TaskDoc, title: str, review: ReviewDoc) -> None:
    facts = [f"{name}: {verdict.vote}" for name, verdict in sorted(task.verdicts.items())]
    facts += [finding_fact(finding) for verdict in task.verdicts.values() for finding in verdict.findings]
    if review.synthesis is not None:
        facts += [f"synthesis: {review.synthesis.summary}", *synthesis_facts(review.synthesis)]
    facts += [f"{name}, second round: {vote.vote}" for name, vote in sorted(review.votes.items())]
    if review.dissent:
        facts.append(f"dissent: {', '.join(review.dissent)}")
    decision.log("review", title, facts, task=task)
