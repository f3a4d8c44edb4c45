"""What a deployment asks of people, and what their answers come to."""

from __future__ import annotations

from datetime import timedelta

from callboard.agents.deployment.events import Answered, AskPerson
from callboard.agents.manager import questions
from callboard.agents.manager.decision import Decision
from callboard.bus.board import QuestionDoc
from callboard.bus.deployments import DeploymentDoc, LetPass, ReadyItem

GOES_ON, LOOKS_AGAIN, GOES_BACK = "go on", "look again", "roll back"
WITHIN = timedelta(days=7)
"""How long an answer may take before it is overdue."""


def ask(decision: Decision, doc: DeploymentDoc, todo: AskPerson) -> DeploymentDoc:
    question = questions.ask(
        decision, text(doc, todo), agent=decision.policy.deployer, options=options(doc, todo), within=WITHIN
    )
    decision.put(f"question:{question.id}", question.model_copy(update={"deployment": doc.id}))
    return doc.model_copy(update={"question": question.id})


def options(doc: DeploymentDoc, todo: AskPerson) -> tuple[str, ...]:
    """What of the checklist is let pass is named in the answer itself, and what fails is never let pass as unknown."""
    if todo.about != "ready":
        return GOES_ON, GOES_BACK
    return _let_pass(doc.checklist), LOOKS_AGAIN, GOES_BACK


def _let_pass(items: tuple[ReadyItem, ...]) -> str:
    failing = [one.name for one in items if one.state == "fail"]
    unknown = [one.name for one in items if one.state == "unknown"]
    parts = [
        *([f"although {', '.join(failing)} {'fails' if len(failing) == 1 else 'fail'}"] if failing else []),
        *([f"not knowing {', '.join(unknown)}"] if unknown else []),
    ]
    return f"{GOES_ON} {', '.join(parts)}"


def text(doc: DeploymentDoc, todo: AskPerson) -> str:
    """What a person has to know."""
    about = f"{doc.id} in {doc.environment}"
    match todo.about:
        case "tests":
            return f"{about} has no tests of these kinds: {todo.text}"
        case "review":
            return f"{about}: the reviewers came to no judgement: {todo.text}"
        case "ready":
            return f"{about} is held by the checklist, commit {doc.commit[:12]}: {_checklist(doc.checklist)}"
        case "acceptance":
            return f"{about} awaits acceptance: commit {doc.commit[:12]} answers at {doc.address}, {_tests(doc)}"


def _tests(doc: DeploymentDoc) -> str:
    passed = sum(one.passed for one in doc.tests)
    said = "; ".join(f"`{one.command}` -> {one.exit_code}" for one in doc.tests)
    return f"{passed} of {len(doc.tests)} tests passed ({said})"


def _checklist(items: tuple[ReadyItem, ...]) -> str:
    """What fails first."""
    held = [
        f"{state}: {one.name}, {one.fact} ({one.source})"
        for state in ("fail", "unknown")
        for one in items
        if one.state == state
    ]
    passed = [one.name for one in items if one.state == "pass"]
    return "; ".join([*held, *([f"pass: {', '.join(passed)}"] if passed else [])])


def answered(doc: DeploymentDoc, said: str, by: str) -> tuple[DeploymentDoc, Answered]:
    """The document with what the person goes on without, and what that is for the flow. Pure."""
    event = Answered(said not in (GOES_BACK, LOOKS_AGAIN), by, looks_again=said == LOOKS_AGAIN)
    if event.goes_on and doc.asked == "tests":
        doc = doc.model_copy(update={"waived": (*doc.waived, *doc.missing)})
    elif event.goes_on and doc.asked == "ready":
        held = [one for one in doc.checklist if one.state != "pass"]
        passes = tuple(LetPass(item=one.name, state=one.state, by=by) for one in held)
        doc = doc.model_copy(update={"let_pass": passes})
    return doc, event


def close(decision: Decision, doc: DeploymentDoc) -> None:
    """It goes on without the answer."""
    question = decision.board.get(f"question:{doc.question}", QuestionDoc)
    if question.state == "open":
        questions.close(decision, question, f"{doc.id} goes on without it")
