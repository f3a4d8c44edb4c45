"""The desk's side of a deployment: what became of a step, and what follows from the flow."""

from __future__ import annotations

from callboard.agents.deployment.events import (
    AskPerson,
    AskReview,
    DoStep,
    Event,
    Fixed,
    NotFixed,
    Nothing,
    OpenFix,
    Rules,
    StepEnded,
)
from callboard.agents.deployment.flow import advance, percent
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.manager import (
    closing,
    deploy_issues,
    deploy_notes,
    deploy_questions,
    deploy_tasks,
    release_reviews,
)
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.deploy_overtaken import overtaken
from callboard.agents.manager.problems import failure_digest
from callboard.bus.board import ENDED, HELD_BY_AGENT, Board, QuestionDoc, TaskDoc, TaskState
from callboard.bus.deployments import DeploymentDoc, Edge, deployment_field
from callboard.bus.messages import (
    JOURNAL,
    DeploymentChanged,
    DeploymentRequested,
    MessageRefused,
    ReleaseReviewGiven,
)


def changed(decision: Decision, body: DeploymentChanged) -> None:
    """What became of a step. An answer to another one than that in hand is late, and only written down."""
    doc = decision.board.get(deployment_field(body.deployment), DeploymentDoc)
    if not doc.version or body.number != doc.number or body.step != doc.step:
        reason = f"{body.deployment or 'no deployment'} does not wait for step {body.number} ({body.step}) now"
        cause = decision.cause
        told = MessageRefused(refused=cause.id, refused_kind=cause.kind, refused_sender=cause.sender, reason=reason)
        decision.send(JOURNAL, told)
        return
    event = StepEnded(
        step=body.step,
        outcome=body.outcome,
        reason=body.reason,
        problem=failure_digest([body.reason]) if body.reason else "",
        release=body.release,
        commit=body.commit,
        address=body.address,
        blue=body.blue or "",
        commands=body.commands,
        checklist=body.checklist,
        is_configuration=body.is_configuration,
        is_late=deploy_tasks.is_late(decision, doc),
    )
    facts = [*body.facts, *(f"`{one.command}` -> {one.exit_code}" for one in body.commands)]
    follow(decision, doc, event, f"{body.step}: {body.outcome}", [*facts, *([body.reason] if body.reason else [])])


def review_given(decision: Decision, body: ReleaseReviewGiven) -> None:
    found = release_reviews.given(decision, body)
    if found is not None:
        follow(decision, found[0], found[1], f"review: {found[1].outcome}", [found[1].summary])


def review_deadline(decision: Decision, review: str) -> None:
    found = release_reviews.deadline(decision, review)
    if found is not None:
        follow(decision, found[0], found[1], f"review: {found[1].outcome}", [found[1].summary])


def answered(decision: Decision, question: QuestionDoc, text: str, by: str) -> None:
    """A person has said how it goes on."""
    doc = decision.board.get(deployment_field(question.deployment), DeploymentDoc)
    doc, event = deploy_questions.answered(doc, text, by)
    follow(decision, doc, event, f"{by or 'a person'} says: {text}", [])


def settle(decision: Decision) -> None:
    """A fix has landed, or never will; and what an earlier deployment left to do is overtaken by a later one."""
    _settle_fixes(decision)
    for id, later in overtaken(decision.board).items():
        task = decision.board.task(id)
        if task.state not in (*ENDED, *HELD_BY_AGENT) and not task.intent:
            closing.cancel(decision, task, TaskState.CANCELLED, f"{later} is done there, so nobody needs it any more")


def _settle_fixes(decision: Decision) -> None:
    for doc in list(decision.board.all(DeploymentDoc)):
        task = decision.board.task(doc.task) if doc.state == "fixing" and doc.task else None
        if task is None or task.state not in ENDED:
            continue
        if task.state is TaskState.DONE:
            follow(decision, doc, *_fixed(decision, doc, task))
        else:
            reason = f"{task.id}, which was to fix it, is {task.state}: {task.reason or doc.problem}"
            follow(decision, doc, NotFixed(reason), "not fixed", [reason])


def _fixed(decision: Decision, doc: DeploymentDoc, task: TaskDoc) -> tuple[Fixed, str, list[str]]:
    """The event, its title, and what it rests on."""
    head = decision.board.run.head
    diff = deploy_tasks.diff_of(decision.board, task)
    facts = [
        f"{task.id} has landed" if task.landed else f"{task.id} is done, and changed nothing",
        f"commit `{head[:12]}`",
    ]
    is_old = diff in doc.diffs
    facts += ["the very change was made before, so Green is not tried again with it"] if is_old else []
    event = Fixed(head, diff, deploy_tasks.is_late(decision, doc))
    return event, "stuck" if is_old else "fixed", facts


def follow(decision: Decision, doc: DeploymentDoc, event: Event, title: str, facts: list[str]) -> None:
    """Take the edge, write it down, and ask for what comes next."""
    move = advance(doc, event, rules(decision, doc))
    new, todo = move.doc, move.todo
    edge = Edge(source=doc.state, to=new.state, event=title, facts=tuple(facts), at=decision.now)
    new = new.model_copy(update={"history": (*new.history, edge)})
    if doc.question and not new.question:
        deploy_questions.close(decision, doc)
    led = f"{doc.state} -> {new.state}" if doc.state != new.state else doc.state
    decision.log("deployment", f"{doc.id} {doc.environment}: {title}", [led, *facts])
    match todo:
        case DoStep():
            new = _send(decision, new)
        case AskReview():
            new = release_reviews.ask(decision, new)
        case OpenFix():
            new = deploy_tasks.open_fix(decision, new, todo)
        case AskPerson():
            new = deploy_questions.ask(decision, new, todo)
        case Nothing(ended=True):
            new = _ended(decision, new)
        case Nothing():
            pass
    decision.put(deployment_field(new.id), new)


def rules(decision: Decision, doc: DeploymentDoc) -> Rules:
    settings = decision.policy.deploy or DeploySettings()
    here = settings.environments.get(doc.environment)
    asks = here is not None and settings.acceptance_in(doc.environment) == "ask"
    is_production = here is not None and here.production
    return Rules(canary=settings.canary, asks=asks, is_production=is_production, fixes=settings.fixes)


def under_way(board: Board, environment: str = "") -> DeploymentDoc | None:
    """The deployment of an environment, or of any, that has not ended."""
    open_ = (doc for doc in board.all(DeploymentDoc) if not doc.is_over)
    return next((doc for doc in open_ if environment in ("", doc.environment)), None)


def _send(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    """Ask for the step in hand. A release has a name of its own from before it is begun, the same when the step is redone."""
    if doc.step == "up" and doc.kind == "deploy":
        name = f"{decision.board.run.id}-{doc.id}" + (f"-{doc.fixes}" if doc.fixes else "")
        doc = doc.model_copy(update={"release": name, "address": ""})
    body = DeploymentRequested(
        deployment=doc.id,
        environment=doc.environment,
        commit=doc.commit,
        step=doc.step or "look",
        number=doc.number,
        release=doc.release,
        blue=doc.blue,
        percent=percent(doc, rules(decision, doc)),
        waived=doc.waived,
        let_pass=doc.let_pass if doc.step == "shift" else (),
        is_restore=doc.kind == "restore",
        run=decision.board.run.id,
    )
    decision.send(decision.policy.deployer, body)
    return doc


def _ended(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    doc = doc.model_copy(update={"ended_at": decision.now})
    deploy_issues.ended(decision, doc)
    if doc.state == "rolled_back":
        doc = deploy_tasks.open_next(decision, doc)
        facts = [doc.reason, f"next: {doc.next}", *([f"opened {doc.task}"] if doc.task else [])]
        decision.log("deployment", f"{doc.id} {doc.environment}: rolled back", facts)
        return doc
    return deploy_notes.open_notes(decision, doc)
