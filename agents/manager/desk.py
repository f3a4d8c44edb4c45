"""The desk: (board, message, now) -> outcome. Pure; the only writer of the board; every message is decided here."""

from __future__ import annotations

from datetime import datetime

from callboard.agents.manager import (
    answers,
    backlog,
    budget,
    closing,
    debt,
    deploy_commands,
    deploying,
    dispatch,
    intents,
    issues,
    judgement,
    ladder,
    merging,
    moot,
    obstacles,
    outside,
    outside_work,
    parking,
    people,
    presence,
    promoting,
    reviewing,
    setbacks,
    stack_gate,
    stacked,
    summary,
    summary_page,
    waiting,
)
from callboard.agents.manager.decision import Decision, Policy
from callboard.bus.board import HELD_BY_AGENT, Board, TaskDoc
from callboard.bus.messages import (
    JOURNAL,
    AgentStarted,
    AgentStopped,
    AgentUnreachable,
    AttemptFailed,
    AttemptParked,
    AttemptStopped,
    AuditGiven,
    AuditRequested,
    BacklogCarried,
    BlockerRaised,
    BudgetReached,
    CanonRead,
    CommandGiven,
    ConsultAnswered,
    DeploymentChanged,
    DeploymentCommanded,
    DirectionsRead,
    DiskChanged,
    Envelope,
    EvidenceSubmitted,
    GateFinished,
    IssueClosed,
    IssueReported,
    IssueSeen,
    LandFinished,
    MergePrepared,
    MessageRefused,
    MinutePassed,
    Outcome,
    PhaseMoved,
    PromotionFinished,
    QuestionAsked,
    ReleaseReviewGiven,
    ReviewWord,
    RosterChanged,
    RunOpened,
    TaskAccepted,
    TaskProgressed,
    TimerFired,
    WorkSubmitted,
)


def decide(board: Board, message: Envelope, now: datetime, policy: Policy) -> Outcome:
    """What one message leads to. Deciding a message twice on the same board gives the same outcome."""
    decision = Decision(board, message, now, policy)
    was = waiting.lift(decision)
    _route(decision, message)
    settle(decision)
    waiting.settle(decision, was)
    return decision.outcome()


def settle(decision: Decision) -> None:
    """What follows from the board alone, whatever the message was."""
    closing.settle_skips(decision)
    issues.settle(decision)
    debt.settle(decision)
    obstacles.settle(decision)
    outside_work.settle(decision)
    deploying.settle(decision)
    ladder.settle(decision)
    merging.settle(decision)
    dispatch.assign_ready(decision)
    budget.settle(decision)
    moot.settle(decision)
    closing.end_run(decision)
    summary.settle(decision)
    summary_page.settle(decision)
    promoting.settle(decision)


def _route(decision: Decision, message: Envelope) -> None:
    match message.body:
        case RosterChanged() as body:
            presence.roster_changed(decision, body)
        case AgentStarted() as body:
            presence.agent_started(decision, body)
        case AgentStopped() as body:
            presence.agent_stopped(decision, body)
        case AgentUnreachable() as body:
            presence.agent_unreachable(decision, body)
        case DirectionsRead() as body:
            backlog.directions_read(decision, body)
        case DiskChanged() as body:
            people.disk_changed(decision, body)
        case CommandGiven() as body:
            people.command_given(decision, body)
        case IssueReported() | IssueClosed() | BacklogCarried() as body:
            issues.heard(decision, body)
        case TimerFired() as body:
            _timer_fired(decision, body)
        case MinutePassed():
            budget.minute_passed(decision)
        case BudgetReached(reached=reached):
            budget.counted(decision, reached)
        case MergePrepared() | LandFinished() | PromotionFinished() | GateFinished() as body:
            _from_hands(decision, body)
        case ReviewWord() | CanonRead() | ConsultAnswered() as body:
            _judged(decision, body)
        case DeploymentCommanded() | DeploymentChanged() | ReleaseReviewGiven() as body:
            _about_deployment(decision, body)
        case _:
            _from_outside(decision, message)


def _from_outside(decision: Decision, message: Envelope) -> None:
    """What is said of runs that were started from outside; else a worker says it."""
    match message.body:
        case RunOpened() as body:
            outside.opened(decision, body)
        case PhaseMoved() as body:
            outside.moved(decision, body)
        case WorkSubmitted() | AuditRequested() | AuditGiven() | IssueSeen() as body:
            outside_work.heard(decision, body)
        case _:
            _from_worker(decision, message)


def _from_hands(decision: Decision, body: MergePrepared | LandFinished | PromotionFinished | GateFinished) -> None:
    match body:
        case MergePrepared():
            stacked.merge_prepared(decision, body)
        case LandFinished():
            intents.land_finished(decision, body)
        case PromotionFinished():
            promoting.finished(decision, body)
        case GateFinished(purpose="merge"):
            stack_gate.gate_finished(decision, body)
        case GateFinished():
            outside_work.gate_said(decision, body)
            judgement.gate_finished(decision, body)


def _judged(decision: Decision, body: ReviewWord | CanonRead | ConsultAnswered) -> None:
    if isinstance(body, ReviewWord):
        reviewing.word_given(decision, body)
    else:
        ladder.heard(decision, body)


def _about_deployment(decision: Decision, body: DeploymentCommanded | DeploymentChanged | ReleaseReviewGiven) -> None:
    match body:
        case DeploymentCommanded():
            deploy_commands.commanded(decision, body)
        case DeploymentChanged():
            deploying.changed(decision, body)
        case ReleaseReviewGiven():
            deploying.review_given(decision, body)


def _from_worker(decision: Decision, message: Envelope) -> None:
    """What the agent that holds a task says about it; anything from an earlier attempt is only written down."""
    task = decision.board.task(message.task)
    if isinstance(message.body, AttemptStopped):
        setbacks.attempt_stopped(decision, task, message.body)
        return
    if not _holds(task, message):
        reason = f"{message.sender} does not hold attempt {message.attempt} of {message.task or 'any task'} now"
        refused = MessageRefused(
            refused=message.id, refused_kind=message.kind, refused_sender=message.sender, reason=reason
        )
        decision.send(JOURNAL, refused)
        return
    match message.body:
        case TaskAccepted() as body:
            presence.task_accepted(decision, task, body)
        case TaskProgressed() as body:
            presence.task_progressed(decision, task, body)
        case EvidenceSubmitted() as body:
            judgement.evidence_submitted(decision, task, body)
        case BlockerRaised() as body:
            setbacks.blocker_raised(decision, task, body)
        case QuestionAsked() as body:
            setbacks.question_asked(decision, task, body)
        case AttemptFailed() as body:
            setbacks.attempt_failed(decision, task, body)
        case AttemptParked() as body:
            parking.attempt_parked(decision, task, body)
        case _:
            reason = f"the manager has nothing to decide about {message.kind}"
            refused = MessageRefused(
                refused=message.id, refused_kind=message.kind, refused_sender=message.sender, reason=reason
            )
            decision.send(JOURNAL, refused)


def _holds(task: TaskDoc, message: Envelope) -> bool:
    return task.agent == message.sender and task.attempt == message.attempt and task.state in HELD_BY_AGENT


def _timer_fired(decision: Decision, body: TimerFired) -> None:
    task = decision.board.task(decision.cause.task)
    if body.about == "review":
        reviewing.review_deadline(decision, task, body.subject)
    elif body.about == "question":
        answers.deadline_passed(decision, body.subject)
    elif body.about == "consult":
        ladder.deadline(decision, body.subject)
    elif body.about == "release_review":
        deploying.review_deadline(decision, body.subject)
    elif body.about == "parked":
        parking.time_has_come(decision, body.subject)
    elif body.about == "standing" and task.not_before and body.subject in (closing.round_of(task), task.id):
        # The task's id alone is what earlier versions set.
        # the server's clock fired it; this process's clock may be behind
        decision.put_task(task, rests=False, not_before=min(task.not_before, decision.now))
