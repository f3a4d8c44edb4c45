"""The production checklist: pass, fail or unknown for each item, with the fact behind it and where that comes from. Pure.

What nobody has shown is unknown, and unknown is not ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from callboard.agents.deployment.notes import is_notes
from callboard.agents.deployment.settings import DeploySettings
from callboard.bus.board import ENDED, Board, TaskState
from callboard.bus.deployments import DeploymentDoc, Edge
from callboard.bus.issues import IssueDoc
from callboard.bus.task import CommandResult

State = Literal["pass", "fail", "unknown"]
SECURITY = "security"
"""What the category of an issue has in it that is about security."""


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    state: State
    fact: str
    source: str
    """Where the fact comes from."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the checklist is made from."""

    board: Board
    settings: DeploySettings
    environment: str
    commit: str
    """What is, or is to be, in the environment; "" = nothing has landed."""
    files: frozenset[str] = frozenset()
    """Of those that the settings name, the ones that the commit has and that are not empty."""
    secrets: frozenset[str] = frozenset()
    """Names of those that have a value."""
    ran: Mapping[str, Sequence[CommandResult]] = field(default_factory=dict)
    """Item -> what its commands of `[deploy.ready]` came to."""

    @property
    def deployments(self) -> list[DeploymentDoc]:
        """Of this commit, wherever; the newest first."""
        return [one for one in self.board.all(DeploymentDoc) if one.commit == self.commit and self.commit][::-1]


def checklist(known: Known) -> tuple[Item, ...]:
    return tuple(check(known) for check in _CHECKS)


def _stages(known: Known) -> Item:
    every = [task for task in known.board.tasks() if not task.task.standing and not is_notes(task.task)]
    tasks = [task for task in every if task.state is not TaskState.SKIPPED]
    lost = [task.id for task in tasks if task.state in (TaskState.FAILED, TaskState.CANCELLED)]
    still = [task.id for task in tasks if task.state not in ENDED]
    source = f"board of {known.board.run.id or 'no run'}"
    if lost:
        return Item("stages", "fail", f"not done: {', '.join(lost)}", source)
    if still or not tasks:
        said = f"still open: {', '.join(still)}" if still else "nothing was done yet"
        return Item("stages", "unknown", said, source)
    before = known.settings.before(known.environment)
    done = f"{len(tasks)} tasks are done"
    return _passed(known, before, done) if before else Item("stages", "pass", done, source)


def _passed(known: Known, before: str, done: str) -> Item:
    """Whether the environment before this one has had the commit."""
    there = next((one for one in known.deployments if one.environment == before), None)
    if there is None:
        return Item(
            "stages", "unknown", f"{done}; {known.commit[:12]} was never in {before}", "deployments on the board"
        )
    state: State = {"done": "pass", "rolled_back": "fail"}.get(there.state, "unknown")  # type: ignore[assignment]
    return Item("stages", state, f"{done}; in {before} it is {there.state}", f"deployment {there.id}")


def _authentication(known: Known) -> Item:
    missing = [name for name in known.settings.environments[known.environment].secrets if name not in known.secrets]
    if missing:
        where = f"[deploy.environments.{known.environment}] secrets"
        return Item("authentication", "fail", f"without a value: {', '.join(missing)}", where)
    return _shown(known, "authentication")


def _tests(known: Known) -> Item:
    tested = next((one for one in known.deployments if one.tests), None)
    if tested is None:
        return Item(
            "tests", "unknown", "nothing was tested against a release of this commit", "deployments on the board"
        )
    red = [one.command for one in tested.tests if not one.passed]
    source = f"deployment {tested.id}, against {tested.address or 'Green'}"
    if red:
        return Item("tests", "fail", f"{len(red)} of {len(tested.tests)} failed: {', '.join(red)}", source)
    if tested.waived:
        return Item("tests", "unknown", f"a person went on without {', '.join(tested.waived)} tests", source)
    return Item("tests", "pass", f"{len(tested.tests)} of {len(tested.tests)} passed", source)


def _security(known: Known) -> Item:
    wrong = [one for one in known.board.all(IssueDoc) if one.state == "open" and SECURITY in one.category.casefold()]
    if wrong:
        return Item("security", "fail", f"open: {', '.join(one.key for one in wrong)}", "`callboard issues --backlog`")
    return _answered(known, "security", "security")


def _performance(known: Known) -> Item:
    edge = _edge(known, lambda edge: any(fact.startswith("latency:") for fact in edge.facts))
    if edge is None:
        return _answered(known, "performance", "performance")
    deployment, found = edge
    fact = next(fact for fact in found.facts if fact.startswith("latency:"))
    outcome = found.event.rpartition(": ")[2]
    state: State = "pass" if outcome == "passed" else "fail" if outcome == "failed" else "unknown"
    return Item("performance", state, fact, f"deployment {deployment.id}, {found.event}")


def _answered(known: Known, name: str, question: str) -> Item:
    """What the reviewers of the deployed code answered."""
    reviewed = next((one for one in known.deployments if one.reviews), None)
    if reviewed is None:
        return Item(name, "unknown", "nobody has reviewed this commit as it runs", "deployments on the board")
    said = {who: one.answers[question].answer for who, one in reviewed.reviews.items() if question in one.answers}
    source = f"review {reviewed.review}"
    bad = [who for who, answer in said.items() if answer in ("fixes", "major_flaws")]
    if bad:
        return Item(name, "fail", f"{', '.join(bad)} found fault", source)
    silent = [who for who in reviewed.reviews if said.get(who, "unanswered") == "unanswered"]
    if silent:
        return Item(name, "unknown", f"not answered by {', '.join(silent)}", source)
    return Item(name, "pass", f"found good by {', '.join(said)}", source)


def _rollback_plan(known: Known) -> Item:
    plan = known.settings.rollback_plan
    if not plan:
        return Item("rollback plan", "fail", "none is named", "[deploy] rollback_plan")
    if plan not in known.files:
        return Item("rollback plan", "fail", f"{plan} is not there, or empty", f"commit {known.commit[:12]}")
    edge = _edge(known, lambda edge: edge.event.startswith("rehearse: "))
    if edge is None:
        return Item("rollback plan", "unknown", f"{plan} is there, and was not rehearsed", "deployments on the board")
    deployment, found = edge
    state: State = "pass" if found.event == "rehearse: passed" else "fail"
    return Item(
        "rollback plan", state, f"{plan}; {'; '.join(found.facts)}", f"deployment {deployment.id}, {found.event}"
    )


def _edge(known: Known, fits: Callable[[Edge], bool]) -> tuple[DeploymentDoc, Edge] | None:
    """The newest such edge of this commit's deployments in this environment."""
    here = (one for one in known.deployments if one.environment == known.environment)
    return next(((one, edge) for one in here for edge in reversed(one.history) if fits(edge)), None)


def _monitoring(known: Known) -> Item:
    return _shown(known, "monitoring")


def _documentation(known: Known) -> Item:
    wanted = known.settings.ready.documentation
    if not wanted:
        return Item("documentation", "unknown", "no file is named", "[deploy.ready] documentation")
    missing = [path for path in wanted if path not in known.files]
    if missing:
        return Item(
            "documentation", "fail", f"not there, or empty: {', '.join(missing)}", f"commit {known.commit[:12]}"
        )
    return Item("documentation", "pass", f"there: {', '.join(wanted)}", f"commit {known.commit[:12]}")


def _telemetry(known: Known) -> Item:
    return _shown(known, "telemetry")


def _shown(known: Known, name: str) -> Item:
    """By commands that were run now."""
    ran, source = known.ran.get(name, ()), f"[deploy.ready] {name}"
    if not ran:
        return Item(name, "unknown", "no command shows it", source)
    red = [f"`{one.command}` exited {one.exit_code}" for one in ran if not one.passed]
    if red:
        return Item(name, "fail", "; ".join(red), source)
    return Item(name, "pass", "; ".join(f"`{one.command}` exited 0" for one in ran), source)


_CHECKS: tuple[Callable[[Known], Item], ...] = (
    _stages,
    _authentication,
    _tests,
    _security,
    _performance,
    _rollback_plan,
    _monitoring,
    _documentation,
    _telemetry,
)
