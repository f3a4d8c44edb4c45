"""What becomes of tasks that failed, or that a run left when a person stopped it: the ways on that a person has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.bus.states import ENDED
from callboard.launch.summary import RunRow, TaskRow

DEPLOYMENT = "deployment"
"""The source of tasks that a deployment made."""


def ways_on(run: RunRow, tasks: Sequence[TaskRow]) -> list[str]:
    """Sentences with the commands in them, about those of `tasks` that failed or were left; none while agents are at it.

    They hold what agents and repositories wrote, as it is.
    """
    if run.outlook == "moving":
        return []
    every = [task for task in tasks if task.state == "failed"]
    made = [task for task in every if task.source == DEPLOYMENT]
    # a run that succeeded has none that anybody still needs: a later deployment is done there
    of_deployments = [_made_by_deployment(task) for task in made] if run.state != "succeeded" else []
    return [*_stopped(run, tasks), *_failed([task for task in every if task.source != DEPLOYMENT]), *of_deployments]


def _stopped(run: RunRow, tasks: Sequence[TaskRow]) -> list[str]:
    """A person said of the run's own cap that it is not raised."""
    left = [task.id for task in tasks if task.state not in ENDED]
    if (run.state, run.reason) != ("failed", "budget_exhausted") or not left:
        return []
    was, it = ("was", "it") if len(left) == 1 else ("were", "them")
    return [f"{', '.join(left)} {was} left: raise [budget] in callboard.toml, and `callboard launch` goes on with {it}"]


def _failed(failed: list[TaskRow]) -> list[str]:
    """Tasks of directions and people."""
    if not failed:
        return []
    names = ", ".join(task.id for task in failed)
    again = " ".join(f"--again {task.key}" for task in failed)
    text, one = ("its text", failed[0].id) if len(failed) == 1 else ("their texts", "ID")
    return [
        f"{names} failed: change {text}, try the same again with `callboard launch {again}`, or give it up with "
        f"`callboard cancel {one}`"
    ]


def _made_by_deployment(task: TaskRow) -> str:
    """It stands in no direction, so no launch does it again."""
    _, _, own = task.key.rpartition("/")
    deployment, _, what = own.rpartition("-") if own.endswith(("-notes", "-development")) else own.partition("-fix")
    head = f"{task.id} failed, a task of deployment {deployment} ({task.title}): "
    if what == "notes":
        return f"{head}its notes are not in the repository, and stay on the deployment agent's log branch; what it deployed serves"
    shown = f"`callboard deployments {deployment}` says what is wrong"
    return f"{head}{shown}; have it mended, by hand or with `callboard assign`, and `callboard deploy` tries anew"
