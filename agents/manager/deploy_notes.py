"""Notes of what is done go into the repository as everything does; they are nothing that would have to be deployed."""

from __future__ import annotations

from callboard.agents.deployment.notes import FIELD, TEXT, is_notes, page
from callboard.agents.manager import backlog
from callboard.agents.manager.decision import Decision
from callboard.bus.board import Board, IntentDoc
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.task import Source, TaskSpec


def open_notes(decision: Decision, doc: DeploymentDoc) -> DeploymentDoc:
    """A task of the deployment agent lands them, where callboard.toml wants them."""
    settings, agent = decision.policy.deploy, decision.policy.deployer
    if settings is None or not settings.notes or not agent:
        return doc
    run = decision.board.run.id
    path = f"{settings.notes}/{doc.environment}-{run}-{doc.id}.md"
    more = (
        f"\nThen bring up to date what in {', '.join(settings.docs)} follows from it; where nothing does, change nothing else."
        if settings.docs
        else ""
    )
    task = backlog.add_task(
        decision,
        TaskSpec(
            key=f"{agent}/{doc.id}-notes",
            title=f"Notes of {doc.id} in {doc.environment}",
            what=f"{doc.id} is done: {path} holds its notes, as the field {TEXT} has them.{more}",
            evidence="The file; it is written by Callboard from the board.",
            agent=agent,
            paths=(path, *settings.docs),
            fields={FIELD: path, TEXT: page(doc, run)},
            source=Source(kind="deployment"),
        ),
    )
    decision.log("task", f"made for the notes of {doc.id}", [f"`{path}`"], task=task)
    return doc.model_copy(update={"notes": task.id})


def to_deploy(board: Board) -> str:
    """The head of the integration branch; where the last landings were notes alone, the one before them."""
    landed = {one.new: one for one in board.all(IntentDoc) if one.state == "finished"}
    head = board.run.head
    while (intent := landed.get(head)) is not None and all(is_notes(board.task(id).task) for id in intent.tasks):
        head = intent.old
    return head
