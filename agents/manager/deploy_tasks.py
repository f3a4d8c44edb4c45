"""Tasks that a deployment makes: to fix what it failed with, and to work on what it was rolled back for."""

from __future__ import annotations

from datetime import timedelta

from callboard.agents.deployment.events import OpenFix
from callboard.agents.manager import backlog, dispatch, setbacks
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import normalised, problem_id
from callboard.bus.board import HELD_BY_AGENT, AgentDoc, BlockerDoc, Board, ProblemDoc, TaskDoc, TrackDoc
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.problems import Rung
from callboard.bus.task import OwnCaps, Source, TaskSpec


def is_late(decision: Decision, doc: DeploymentDoc) -> bool:
    """Whether the time for fixing is over."""
    settings, since = decision.policy.deploy, doc.fixing_since
    minutes = settings.fix_minutes if settings else 0
    return since is not None and decision.now - since > timedelta(minutes=minutes)


def open_fix(decision: Decision, doc: DeploymentDoc, todo: OpenFix) -> DeploymentDoc:
    """A task goes through the whole line; of a problem that came back, somebody is asked first."""
    task = backlog.add_task(decision, _fix(decision, doc, todo))
    decision.log("task", f"made to fix {doc.id}", [doc.problem], task=task)
    if todo.rung > 1:
        _climb(decision, task, doc, todo.rung)
    return doc.model_copy(update={"task": task.id, "fixing_since": doc.fixing_since or decision.now})


def open_next(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    """What has to go back to development does so as a task of a driver."""
    driver = _driver(decision)
    if doc.next != "development" or not driver:
        return doc
    title = f"Make {doc.commit[:7]} fit for {doc.environment}"
    what = f"Deployment {doc.id} of commit {doc.commit} to {doc.environment} was rolled back: {doc.reason}"
    task = backlog.add_task(decision, _spec(doc, f"{driver}/{doc.id}-development", driver, title, what))
    return doc.model_copy(update={"task": task.id})


def diff_of(board: Board, task: TaskDoc) -> str:
    """Digest of the change that it was done with; "" = it changed nothing."""
    return board.get(f"track:{task.id}", TrackDoc).handed if task.landed else ""


def _fix(decision: Decision, doc: DeploymentDoc, todo: OpenFix) -> TaskSpec:
    settings = decision.policy.deploy
    assert settings is not None
    driver = _driver(decision)
    is_own = todo.is_configuration or not driver
    agent = decision.policy.deployer if is_own else driver
    where = "the way it is run" if is_own else "the code"
    title = f"Fix {doc.id} in {where}, {doc.fixes}"
    what = (
        f"Commit {doc.commit} does not come up in {doc.environment}: {doc.problem}\nMend that in {where}, and nothing else. "
        "If the blame lies elsewhere, say so as a blocker."
    )
    spec = _spec(doc, f"{agent}/{doc.id}-fix-{doc.fixes}", agent, title, what)
    paths = settings.infrastructure if is_own and driver else ()
    return spec.model_copy(update={"paths": paths, "budget": OwnCaps(tokens=settings.fix_tokens)})


def _spec(doc: DeploymentDoc, key: str, agent: str, title: str, what: str) -> TaskSpec:
    return TaskSpec(key=key, title=title, what=what, priority=0, agent=agent, source=Source(kind="deployment"))


def _driver(decision: Decision) -> str:
    """The driver with the least in hand, by name where that is equal."""
    busy = {task.agent for task in decision.board.tasks() if task.state in HELD_BY_AGENT}
    names = [one.name for one in decision.board.all(AgentDoc) if one.role == dispatch.DRIVER and one.state != "down"]
    return min(names, key=lambda name: (name in busy, name), default="")


def _climb(decision: Decision, task: TaskDoc, doc: DeploymentDoc, rung: int) -> None:
    """It waits for the next one who has not been asked about this very failure."""
    what, needs = f"{doc.id} failed the same way {rung} times: {doc.problem}", "a way that was not tried yet"
    setbacks.block(decision, task, what=what, tried=f"{doc.fixes - 1} fixes", needs=needs, cause="stuck")
    blocker = decision.board.task(task.id).blocker
    passed = Rung(name="canon", state="passed", why="no document says why it does not come up", at=decision.now)
    rungs = {
        "canon": passed,
        **{rung.name: rung for rung in _climbed(decision.board, doc, what) if rung.name != "person"},
    }
    id = problem_id(task.id, what, needs)
    known = ProblemDoc(id=id, task=task.id, blocker=blocker, rungs=tuple(rungs.values()))
    decision.put(f"problem:{id}", known)


def _climbed(board: Board, doc: DeploymentDoc, what: str) -> list[Rung]:
    """What was climbed for earlier fixes of this very failure: each rung is once for it, over all its tasks."""
    fixes = {task.id for task in board.tasks() if f"/{doc.id}-fix-" in task.task.key}
    return [
        rung
        for problem in board.all(ProblemDoc)
        if problem.task in fixes
        and normalised(board.get(f"blocker:{problem.blocker}", BlockerDoc).what) == normalised(what)
        for rung in problem.rungs
    ]
