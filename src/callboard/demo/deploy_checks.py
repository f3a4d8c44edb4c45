"""What the demo promises of its deployments, held against what happened; pure."""

from __future__ import annotations

from callboard.bus.board import TaskState
from callboard.bus.deployments import DeploymentDoc
from callboard.demo.evidence import Check, Evidence, counted
from callboard.demo.served import Served
from callboard.demo.wishes import STATES, deployments


def deploy_checks(evidence: Evidence) -> tuple[Check, ...]:
    """Blue/green, the rollback, and who noticed; where nothing could be deployed, why."""
    served = evidence.served
    if served.why_not:
        return (Check("deployed", f"Nothing, so this part is left out: {served.why_not}.", True),)
    docs = deployments(evidence.board)
    if tuple(doc.state for doc in docs) != STATES:
        came = ", ".join(f"{doc.id} is {doc.stands}" for doc in docs) or "there was none"
        return (Check("deployed", f"Not all deployments came to what they should: {came}.", False),)
    first, bad, last = docs
    return (_deployed(evidence, first, last), _rolled_back(evidence, first, bad), _visits(served, bad))


def _deployed(evidence: Evidence, first: DeploymentDoc, last: DeploymentDoc) -> Check:
    is_newest = bool(evidence.traces.line) and evidence.traces.line[-1].commit == last.commit
    said = (
        f"{first.id} brought what had landed to a running service. {last.id} came up beside it, was tested and reviewed, got "
        "half of the requests, then all; only then was the first release stopped."
    )
    return Check("deployed", said, last.blue == first.release and is_newest and not first.blue)


def _rolled_back(evidence: Evidence, first: DeploymentDoc, bad: DeploymentDoc) -> Check:
    task = evidence.board.task(bad.task)
    mended = task.state is TaskState.DONE and bool(task.landed)
    failures = evidence.served.failures.get(bad.release)
    if failures is None:
        return Check("rollback", f"{bad.id} failed no request, and was rolled back: {bad.reason}.", False)
    said = (
        f"{bad.id} had passed its tests and the trio. With half of the requests it answered {failures.count} of "
        f"{failures.requests} with an error, all within {failures.seconds:.1f} s; then {first.id}'s release had every "
        f"request again, and nobody was asked. That made {task.id}; {task.agent} mended it."
    )
    by_rate = bad.next == "development" and "error-rate" in bad.reason and bad.blue == first.release
    return Check("rollback", said, by_rate and mended)


def _visits(served: Served, bad: DeploymentDoc) -> Check:
    """Each failure is the bad release's own, by the visitors' count and by the switch's."""
    visits, met = served.visits, served.failures.get(bad.release)
    elsewhere = visits.failed - (met.count if met else 0)
    holds = elsewhere == 0 and set(served.failures) == {bad.release} and visits.sent == visits.answered + visits.failed
    said = (
        f"{counted(visits.sent, 'request')} came meanwhile, in {visits.seconds:.0f} s. {visits.failed} of them failed: "
        f"{visits.failed - elsewhere} at the bad release before it was rolled back, {elsewhere} at any other time."
    )
    return Check("visitors", said, holds)
