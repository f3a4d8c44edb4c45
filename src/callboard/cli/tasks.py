"""Commands about single tasks, and what becomes of them all: assign, cancel, promote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.session import open_workspace, tell_manager, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.board import Board
    from callboard.bus.task import TaskSpec

_TASK_ID = re.compile(r"T-\d+")


def assign(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The driver that is to do it.")],
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is to be done, in a line.")],
    what: Annotated[str, typer.Option(help="The same at length: everything the agent has to know.")] = "",
    check: Annotated[
        list[str] | None, typer.Option(help="A command that must exit 0 on the result; give as many as you like.")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="A pattern of files it may touch, such as 'app/**'; none = all.")
    ] = None,
    priority: Annotated[int, typer.Option(min=0, max=5, help="0 is first, 5 is last.")] = 2,
    depends: Annotated[
        list[str] | None, typer.Option(help="A task that must be done first: its id (T-3) or its key.")
    ] = None,
    evidence: Annotated[str, typer.Option(help="What has to be shown for it to count as done.")] = "",
    json: Json = False,
) -> None:
    """Give a driver a task of yours, past its direction file."""
    from callboard.bus.messages import CommandGiven

    workspace = open_workspace()
    keys = wait_for(_keys(workspace, depends)) if depends else ()
    spec = written_task(
        agent,
        title,
        what=what,
        checks=check or (),
        paths=path or (),
        priority=priority,
        depends_on=keys,
        evidence=evidence,
    )
    tell_manager(workspace, CommandGiven(command="assign", spec=spec), json=json)


def written_task(
    agent: str,
    title: str,
    *,
    what: str = "",
    checks: Sequence[str] = (),
    paths: Sequence[str] = (),
    priority: int = 2,
    depends_on: Sequence[str] = (),
    evidence: str = "",
) -> TaskSpec:
    """A person's task. Its key is made of its title, as in a direction file.

    Raises:
        ConfigError: The title is empty, or more than a line.
    """
    from callboard.bus.task import Source, TaskSpec
    from callboard.directions.keys import Name

    if not title.strip() or "\n" in title.strip():
        raise ConfigError("a title is one line that is not empty; put the rest into --what", key="TITLE")
    return TaskSpec(
        key=f"{agent}/{Name('', title.strip()).slug}",
        title=title.strip(),
        what=what,
        evidence=evidence,
        priority=priority,
        agent=agent,
        depends_on=tuple(depends_on),
        paths=tuple(paths),
        checks=tuple(checks),
        source=Source(kind="person"),
    )


async def _keys(workspace: Workspace, named: Sequence[str]) -> tuple[str, ...]:
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return resolve_dependencies(await bus.board(), named)


def resolve_dependencies(board: Board, named: Sequence[str]) -> tuple[str, ...]:
    """The keys of tasks that a person named by id or key.

    Raises:
        ConfigError: One of them is not on the board: a task that waits for it would wait for ever.
    """
    keys = [task.task.key for task in board.tasks()]
    found = []
    for name in named:
        key = board.task(name).task.key if _TASK_ID.fullmatch(name) and board.task(name).version else name
        if key not in keys:
            near = get_close_matches(name, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else "`callboard status --all` lists the tasks"
            raise ConfigError(f"no task {name!r} on the board; {hint}", key="--depends")
        found.append(key)
    return tuple(found)


def cancel(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Its id, such as T-3; `run` = the whole run.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the logs.")] = "",
    json: Json = False,
) -> None:
    """Cancel a task, or the whole run.

    What was done of it is kept: `callboard recover` lists it.
    """
    from callboard.bus.messages import CommandGiven

    tell_manager(open_workspace(), CommandGiven(command="cancel", task=task, text=reason), json=json)


def promote(
    check: Annotated[
        bool, typer.Option("--check", help="Only say which conditions are met, and the way out of each that is not.")
    ] = False,
    json: Json = False,
) -> None:
    """Move the target branch to what has landed.

    By fast-forward, which a clean checkout of the branch follows, or by the pull request that callboard.toml asks for.
    Exit code 1: a condition is not met.
    """
    from callboard.bus.messages import CommandGiven

    if check:
        from callboard.cli.eligibility import check_promotion

        raise typer.Exit(check_promotion(open_workspace(), json=json))
    tell_manager(open_workspace(), CommandGiven(command="promote"), json=json)
