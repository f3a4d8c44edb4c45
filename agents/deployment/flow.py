"""The flow of a deployment: (document, event, rules) -> document and what is to be done. Pure, without clock or client.

    requested -> prepared -> green_up -> testing -> reviewing -> eligible -> promoting -> baking -> done
                                 ^          |           |
                                 +- fixing <+-----------+          rolled_back(reason) from every state

After a fix the way is always green_up, testing, a fresh review. Into production the checklist is made while Green is eligible,
and holds it there. What restores an earlier release was tested, reviewed and checked when it was new: from green_up it is
promoted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from callboard.agents.deployment.events import (
    Answered,
    AskPerson,
    AskReview,
    Begun,
    DoStep,
    Event,
    Fixed,
    Judged,
    NotFixed,
    Nothing,
    OpenFix,
    Rules,
    StepEnded,
    Todo,
    WentBack,
)
from callboard.bus.deployments import DeploymentDoc, DeploymentState, Next, StepName

SAME = 4
"""How often one problem may be met: driver, senior, trio and person have each had it then."""
NOTHING_UP = ("requested", "prepared")
"""States in which nothing was started yet."""
BACK_TRIES = 3
"""How often putting the switch back is tried before a person has to look."""


@dataclass(frozen=True, slots=True)
class Move:
    doc: DeploymentDoc
    todo: Todo


def advance(doc: DeploymentDoc, event: Event, rules: Rules) -> Move:
    """Where an event leads; one that says nothing about the state it meets leads nowhere."""
    if doc.is_over:
        return Move(doc, Nothing())
    match event:
        case Begun():
            return _step(doc, "inputs") if doc.state == "requested" and not doc.step else Move(doc, Nothing())
        case WentBack(reason=reason):
            return _person_went_back(doc, reason)
        case StepEnded():
            return _step_ended(doc, event, rules) if event.step == doc.step else Move(doc, Nothing())
        case Judged():
            return _judged(doc, event, rules) if doc.state == "reviewing" and not doc.question else Move(doc, Nothing())
        case Fixed():
            return _fixed(doc, event, rules) if doc.state == "fixing" else Move(doc, Nothing())
        case NotFixed(reason=reason):
            return back(doc, reason, "development") if doc.state == "fixing" else Move(doc, Nothing())
        case Answered():
            return _answered(doc, event, rules) if doc.question else Move(doc, Nothing())
    assert_never(event)


def back(doc: DeploymentDoc, reason: str, then: Next) -> Move:
    """Blue serves everything, then Green stops; nothing is to be done where nothing was started."""
    told = {"state": "rolled_back", "reason": reason, "next": then, "question": "", "reviewers": (), "back_tries": 0}
    if doc.state in NOTHING_UP:
        return Move(doc.model_copy(update={**told, "step": ""}), Nothing(ended=True))
    return _step(doc.model_copy(update=told), "roll_back")


def _step(doc: DeploymentDoc, step: StepName, state: DeploymentState | None = None) -> Move:
    values = {"step": step, "number": doc.number + 1, "state": state or doc.state, "question": "", "asked": ""}
    return Move(doc.model_copy(update=values), DoStep())


def _person_went_back(doc: DeploymentDoc, reason: str) -> Move:
    """Not once Blue may have been stopped: then the way back is to bring it up again."""
    if doc.state == "rolled_back" or doc.step == "finish":
        return Move(doc, Nothing())
    return back(doc, reason, "retry")


def _step_ended(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    doc = doc.model_copy(update={"step": "", "tests": event.commands if event.step == "test" else doc.tests})
    match event.step:
        case "inputs":
            known = {"release": event.release or doc.release, "commit": event.commit or doc.commit}
            doc = doc.model_copy(update=known)
            return _step(doc, "look", "prepared") if event.outcome == "passed" else back(doc, event.reason, "retry")
        case "look":
            if event.outcome != "passed":
                return back(doc, event.reason, "retry")
            return _step(doc.model_copy(update={"blue": event.blue}), "up", "green_up")
        case "up":
            return _up(doc, event, rules)
        case "test":
            return _tested(doc, event, rules)
        case "rehearse":
            return _rehearsed(doc, event, rules)
        case "ready":
            return _checked(doc, event, rules)
        case "shift" | "bake":
            return _watched(doc, event, rules)
        case "finish":
            if event.outcome != "passed":
                return back(doc, f"finish: {event.reason}", "retry")
            return Move(doc.model_copy(update={"state": "done"}), Nothing(ended=True))
        case "roll_back":
            return _rolled_back(doc, event)
    assert_never(event.step)


def _up(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    doc = doc.model_copy(update={"release": event.release or doc.release, "address": event.address})
    if event.outcome == "passed":
        return _promote(doc) if doc.kind == "restore" else _step(doc, "test", "testing")
    return _fix(doc, event, rules) if doc.kind == "deploy" else back(doc, event.reason, "retry")


def _tested(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    if event.outcome == "missing":
        kinds = tuple(event.reason.split(", "))
        return _ask(doc.model_copy(update={"missing": kinds}), AskPerson("tests", event.reason))
    return _review(doc) if event.outcome == "passed" else _fix(doc, event, rules)


def _review(doc: DeploymentDoc) -> Move:
    fresh = {"state": "reviewing", "review_round": doc.review_round + 1, "reviews": {}, "problem": ""}
    return Move(doc.model_copy(update=fresh), AskReview())


def _judged(doc: DeploymentDoc, event: Judged, rules: Rules) -> Move:
    doc = doc.model_copy(update={"reviewers": ()})
    match event.outcome:
        case "consensus":
            return _step(doc, "rehearse", "eligible")
        case "fixes":
            failed = StepEnded("test", "failed", event.summary, event.problem, is_late=event.is_late)
            return _fix(doc, failed, rules)
        case "major_flaws":
            return back(doc, f"the reviewers found major flaws: {event.summary}", "development")
        case "no_quorum":
            return _ask(doc, AskPerson("review", event.summary))
    assert_never(event.outcome)


def _rehearsed(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    if event.outcome != "passed":
        is_code = event.outcome == "failed" and not event.is_configuration
        return back(doc, event.reason, "development" if is_code else "retry")
    return _step(doc, "ready") if rules.is_production else _accept(doc, rules)


def _checked(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    """What fails or is unknown holds it until a person has said which of that may pass."""
    doc = doc.model_copy(update={"checklist": event.checklist})
    if event.outcome == "missing":
        return _ask(doc, AskPerson("ready", event.reason))
    return _accept(doc, rules) if event.outcome == "passed" else back(doc, event.reason, "retry")


def _accept(doc: DeploymentDoc, rules: Rules) -> Move:
    return _ask(doc, AskPerson("acceptance", "")) if rules.asks else _promote(doc)


def _promote(doc: DeploymentDoc) -> Move:
    return _step(doc.model_copy(update={"canary_step": 0}), "shift", "promoting")


def percent(doc: DeploymentDoc, rules: Rules) -> int:
    """What Green gets of the traffic with the shift in hand. A first release, and one that is brought back, gets all."""
    if not doc.blue or doc.kind == "restore":
        return 100
    return rules.canary[min(doc.canary_step, len(rules.canary) - 1)]


def _watched(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    """Only a pass goes on; what nobody can say is none."""
    if event.outcome != "passed":
        said = f"{event.step}: {event.reason}" if event.reason else event.step
        return back(doc, said, "development" if event.outcome == "failed" else "retry")
    if event.step == "bake":
        return _step(doc, "finish")
    if percent(doc, rules) == 100:
        return _step(doc, "bake", "baking")
    return _step(doc.model_copy(update={"canary_step": doc.canary_step + 1}), "shift")


def _rolled_back(doc: DeploymentDoc, event: StepEnded) -> Move:
    """Tried again a few times; then it is over, and says that a person has to look."""
    if event.outcome == "passed":
        return Move(doc, Nothing(ended=True))
    if doc.back_tries < BACK_TRIES - 1:
        return _step(doc.model_copy(update={"back_tries": doc.back_tries + 1}), "roll_back")
    reason = f"{doc.reason}; and Green could not be taken away: {event.reason}"
    return Move(doc.model_copy(update={"reason": reason}), Nothing(ended=True))


def _fix(doc: DeploymentDoc, event: StepEnded, rules: Rules) -> Move:
    """A task mends it, until a cap says that enough was tried."""
    met = doc.problems.get(event.problem, 0) + 1
    if doc.fixes >= rules.fixes:
        return back(doc, f"{doc.fixes} fixes were tried; the last failure: {event.reason}", "development")
    if met > SAME:
        return back(doc, f"met {met} times, whoever mended it: {event.reason}", "development")
    if event.is_late:
        return back(doc, f"the time for fixing is over; the last failure: {event.reason}", "development")
    values: dict[str, object] = {"state": "fixing", "fixes": doc.fixes + 1, "problem": event.reason}
    known = {**doc.problems, event.problem: met}
    values |= {"failure": event.problem, "problems": known}
    # what the way it is run is to blame for is mended there once; the same again is the code's
    return Move(doc.model_copy(update=values), OpenFix(event.is_configuration and met == 1, met))


def _fixed(doc: DeploymentDoc, event: Fixed, rules: Rules) -> Move:
    """Green comes up anew; but a change that was made before is no fix: whoever is next on the ladder is asked. What was done
    without a change may have been done elsewhere, so that is tried."""
    doc = doc.model_copy(update={"commit": event.commit, "task": "", "tests": ()})
    if event.diff in doc.diffs:
        return _fix(doc, StepEnded("up", "failed", doc.problem, doc.failure, is_late=event.is_late), rules)
    diffs = (*doc.diffs, event.diff) if event.diff else doc.diffs
    return _step(doc.model_copy(update={"diffs": diffs}), "up", "green_up")


def _ask(doc: DeploymentDoc, todo: AskPerson) -> Move:
    """The desk puts the question's id in the place of this mark."""
    return Move(doc.model_copy(update={"question": todo.about, "asked": todo.about}), todo)


def _answered(doc: DeploymentDoc, event: Answered, rules: Rules) -> Move:
    about = doc.asked
    doc = doc.model_copy(update={"question": "", "asked": ""})
    who = event.by or "a person"
    if event.looks_again and about == "ready":
        return _step(doc, "ready")
    if not event.goes_on:
        return back(doc, f"{who} did not accept it", "retry" if about == "ready" else "development")
    if doc.state == "testing":
        return _step(doc, "test")
    if doc.state == "reviewing":
        return _review(doc)
    return _accept(doc, rules) if about == "ready" else _promote(doc)
