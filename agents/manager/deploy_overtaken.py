"""Tasks of a deployment that was rolled back, once a later one has brought a commit to the same environment after all. Pure."""

from __future__ import annotations

import re

from callboard.agents.deployment.notes import is_notes
from callboard.bus.board import Board
from callboard.bus.deployments import DeploymentDoc, deployment_field
from callboard.bus.task import TaskSpec

_OWN = re.compile(r"[^/]*/(?P<id>d-\d+)-")


def overtaken(board: Board) -> dict[str, str]:
    """Task -> the deployment that is done where the one that made it was not.

    Nobody needs it any more, so how it ends says nothing about the run.
    """
    made = {task.id: _deployment(board, task.task) for task in board.tasks() if task.task.source.kind == "deployment"}
    found = {id: _later(board, doc) for id, doc in made.items() if doc is not None and doc.state == "rolled_back"}
    return {id: later for id, later in found.items() if later}


def _deployment(board: Board, spec: TaskSpec) -> DeploymentDoc | None:
    named = _OWN.match(spec.key)
    if named is None or is_notes(spec):
        return None
    doc = board.get(deployment_field(named["id"]), DeploymentDoc)
    return doc if doc.version else None


def _later(board: Board, doc: DeploymentDoc) -> str:
    """The first one of its environment after it that is done; an earlier release that came back mends nothing."""
    fits = (
        one
        for one in board.all(DeploymentDoc)
        if (one.kind, one.environment, one.state) == ("deploy", doc.environment, "done") and _number(one) > _number(doc)
    )
    return next((one.id for one in sorted(fits, key=_number)), "")


def _number(doc: DeploymentDoc) -> int:
    return int(doc.id.partition("-")[2])
