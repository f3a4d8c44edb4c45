"""The desk's side of a deployment: what people ask for, what became of a step, and what follows from the flow."""

from __future__ import annotations

from datetime import timedelta

from callboard.agents.deployment.events import (
    Answered,
    AskPerson,
    AskReview,
    Begun,
    DoStep,
    Event,
    Fixed,
    NotFixed,
    Nothing,
    OpenFix,
    Rules,
    StepEnded,
    WentBack,
)
from callboard.agents.deployment.flow import advance, percent
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.manager import closing, deploy_issues, deploy_tasks, questions, release_reviews
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import failure_digest
from callboard.bus.board import ENDED, Board, QuestionDoc, TaskState
from callboard.bus.deployments import DeploymentDoc, Edge, deployment_field
from callboard.bus.messages import (
    JOURNAL,
    CommandHandled,
    DeploymentChanged,
    DeploymentCommanded,
    DeploymentRequested,
    MessageRefused,
    ReleaseReviewGiven,
)

GOES_ON, GOES_BACK = "go on", "roll back"


def commanded(decision: Decision, body: DeploymentCommanded) -> None:
    """A person's command; what cannot be done is said at once, and nothing is started."""
    settings = decision.policy.deploy
    environment = body.environment or (next(iter(settings.environments)) if settings else "")
    why_not = _refusal(decision, settings, environment)
    known = under_way(decision.board, environment)
    if why_not:
        _reply(decision, False, why_not)
    elif body.command == "rollback":
        _roll_back(decision, body, environment, known)
    elif known is not None:
        told = f"{known.id} is under way in {environment} ({known.state}), and an environment takes one at a time; "
        _reply(decision, False, f"{told}`callboard rollback --env {environment}` ends it")
    else:
        doc = _begin(decision, body, environment, "deploy", body.commit or decision.board.run.head)
        _reply(decision, True, f"{doc.id}: {doc.commit[:12]} goes to {environment}; `callboard deployments` shows it")


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
    goes_on = text == GOES_ON
    if goes_on and doc.state == "testing":
        doc = doc.model_copy(update={"waived": (*doc.waived, *question.text.partition(": ")[2].split(", "))})
    follow(decision, doc, Answered(goes_on, by), f"{by or 'a person'} says: {text}", [])


def settle(decision: Decision) -> None:
    """A fix has landed, or never will."""
    for doc in list(decision.board.all(DeploymentDoc)):
        task = decision.board.task(doc.task) if doc.state == "fixing" and doc.task else None
        if task is None or task.state not in ENDED:
            continue
        if task.state is TaskState.DONE:
            facts = [f"{task.id} has landed", f"commit `{decision.board.run.head[:12]}`"]
            follow(decision, doc, Fixed(decision.board.run.head), "fixed", facts)
        else:
            reason = f"{task.id}, which was to fix it, is {task.state}: {task.reason or doc.problem}"
            follow(decision, doc, NotFixed(reason), "not fixed", [reason])


def follow(decision: Decision, doc: DeploymentDoc, event: Event, title: str, facts: list[str]) -> None:
    """Take the edge, write it down, and ask for what comes next."""
    move = advance(doc, event, rules(decision, doc))
    new, todo = move.doc, move.todo
    edge = Edge(source=doc.state, to=new.state, event=title, facts=tuple(facts), at=decision.now)
    new = new.model_copy(update={"history": (*new.history, edge)})
    if doc.question and not new.question:
        _close_question(decision, doc)
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
            new = _ask(decision, new, todo)
        case Nothing(ended=True):
            new = _ended(decision, new)
        case Nothing():
            pass
    decision.put(deployment_field(new.id), new)


def rules(decision: Decision, doc: DeploymentDoc) -> Rules:
    settings = decision.policy.deploy or DeploySettings()
    is_known = doc.environment in settings.environments
    asks = is_known and settings.acceptance_in(doc.environment) == "ask"
    return Rules(canary=settings.canary, asks=asks, fixes=settings.fixes)


def under_way(board: Board, environment: str = "") -> DeploymentDoc | None:
    """The deployment of an environment, or of any, that has not ended."""
    open_ = (doc for doc in board.all(DeploymentDoc) if not doc.is_over)
    return next((doc for doc in open_ if environment in ("", doc.environment)), None)


def _refusal(decision: Decision, settings: DeploySettings | None, environment: str) -> str:
    if settings is None:
        return "callboard.toml has no [deploy] table, so nothing can be deployed from here (docs/deployment.md)"
    if environment not in settings.environments:
        return (
            f"no environment {environment!r} under [deploy.environments]; there are: {', '.join(settings.environments)}"
        )
    if not decision.policy.deployer:
        return 'nobody on the roster deploys: callboard.toml needs an [[agents]] table with role = "deployment"'
    if decision.board.run.state == "cancelled":
        return "the run is cancelled; `callboard launch --new` starts the next one"
    return ""


def _roll_back(decision: Decision, body: DeploymentCommanded, environment: str, known: DeploymentDoc | None) -> None:
    """The one under way goes back; else the release before the one that serves comes again."""
    why = f"{body.by or 'a person'} wanted it" + (f": {body.reason}" if body.reason else "")
    if known is None:
        doc = _begin(decision, body, environment, "restore", "")
        _reply(decision, True, f"{doc.id}: the release before this one comes back in {environment}")
        return
    if known.state == "rolled_back":
        _reply(decision, False, f"{known.id} is being rolled back already: {known.reason}")
    elif known.step == "finish":
        told = f"{known.id} serves all of {environment} and stops the release before it; roll back once it is done"
        _reply(decision, False, told)
    else:
        follow(decision, known, WentBack(why), "rollback", [why])
        _reply(decision, True, f"{known.id} is rolled back in {environment}")


def _begin(decision: Decision, body: DeploymentCommanded, environment: str, kind: str, commit: str) -> DeploymentDoc:
    count = sum(1 for _ in decision.board.all(DeploymentDoc))
    doc = DeploymentDoc.model_validate(
        {
            "id": f"d-{count + 1}",
            "kind": kind,
            "environment": environment,
            "commit": commit,
            "by": body.by,
            "requested_at": decision.now,
        }
    )
    closing.reopen(decision)
    facts = [f"commit `{commit[:12]}`"] if commit else []
    follow(decision, doc, Begun(), f"asked for by {body.by or 'a person'}", [*facts, *filter(None, [body.reason])])
    return decision.board.get(deployment_field(doc.id), DeploymentDoc)


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
        is_restore=doc.kind == "restore",
        run=decision.board.run.id,
    )
    decision.send(decision.policy.deployer, body)
    return doc


def _ask(decision: Decision, doc: DeploymentDoc, todo: AskPerson) -> DeploymentDoc:
    question = questions.ask(
        decision,
        question_text(doc, todo),
        agent=decision.policy.deployer,
        options=(GOES_ON, GOES_BACK),
        within=timedelta(days=7),
    )
    decision.put(f"question:{question.id}", question.model_copy(update={"deployment": doc.id}))
    return doc.model_copy(update={"question": question.id})


def question_text(doc: DeploymentDoc, todo: AskPerson) -> str:
    """What a person has to know; kinds of tests stand behind the first colon."""
    about = f"{doc.id} in {doc.environment}"
    if todo.about == "tests":
        return f"{about} has no tests of these kinds: {todo.text}"
    if todo.about == "review":
        return f"{about}: the reviewers came to no judgement: {todo.text}"
    passed = sum(one.passed for one in doc.tests)
    said = "; ".join(f"`{one.command}` -> {one.exit_code}" for one in doc.tests)
    return f"{about} awaits acceptance: commit {doc.commit[:12]} answers at {doc.address}, {passed} of {len(doc.tests)} tests passed ({said})"


def _close_question(decision: Decision, doc: DeploymentDoc) -> None:
    question = decision.board.get(f"question:{doc.question}", QuestionDoc)
    if question.state == "open":
        questions.close(decision, question, f"{doc.id} goes on without it")


def _ended(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    doc = doc.model_copy(update={"ended_at": decision.now})
    deploy_issues.ended(decision, doc)
    if doc.state == "rolled_back":
        doc = deploy_tasks.open_next(decision, doc)
        facts = [doc.reason, f"next: {doc.next}", *([f"opened {doc.task}"] if doc.task else [])]
        decision.log("deployment", f"{doc.id} {doc.environment}: rolled back", facts)
    return doc


def _reply(decision: Decision, ok: bool, text: str) -> None:
    decision.send(JOURNAL, CommandHandled(command=decision.cause.id, ok=ok, text=text))
