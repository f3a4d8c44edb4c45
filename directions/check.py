"""What is wrong with directions that could be read: stale, incomplete, or at odds with one another and the roster."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter

from callboard.bus.task import TaskSpec
from callboard.directions.demands import ANY, unmeetable
from callboard.directions.document import Direction, Problem

STALE_AFTER = timedelta(days=30)
"""A direction that nobody has looked at for longer is stale: two sprints."""


def check_directions(
    directions: Sequence[Direction],
    *,
    today: date,
    agents: Collection[str] | None = None,
    others: Sequence[Direction] = (),
    tools: Mapping[str, Collection[str]] | None = None,
) -> tuple[tuple[Problem, ...], ...]:
    """The problems of each direction, by line: those of reading it, and those that show when it is held against the rest.

    Args:
        agents: The roster's names; None = unknown, then nobody counts as missing.
        others: Directions that are not checked, but in which a `Depends` may find its task.
        tools: Agent -> its tools and MCP servers, as demands.unmeetable takes them; None = unknown, then no demand
            counts as one that cannot be met.
    """
    at_odds = conflicts(directions, agents=agents, others=others)
    return tuple(
        tuple(
            sorted(
                {
                    *direction.problems,
                    *_style_problems(direction, today, agents),
                    *_tool_problems(direction, tools or {}),
                    *own,
                }
            )
        )
        for direction, own in zip(directions, at_odds, strict=True)
    )


def conflicts(
    directions: Sequence[Direction], *, agents: Collection[str] | None = None, others: Sequence[Direction] = ()
) -> tuple[tuple[Problem, ...], ...]:
    """What keeps tasks of each direction from being done as written, by line: shared keys, dependencies on nothing, circles."""
    owners: dict[str, TaskSpec] = {}
    for task in (task for direction in (*directions, *others) for task in direction.tasks):
        owners.setdefault(task.key, task)
    known = frozenset(direction.agent for direction in (*directions, *others))
    cycles = _cycles(owners)
    found = []
    for direction in directions:
        own = set[Problem]()
        for task in direction.tasks:
            own |= {*_dependency_problems(task, owners, known, agents)}
            if owners[task.key] is not task:
                own.add(
                    _problem(
                        task,
                        f"the key {task.key} is also that of {_place(owners[task.key])}; only one of them can be done",
                    )
                )
            if task.key in cycles:
                own.add(_problem(task, f"these depend on one another, so none can start: {cycles[task.key]}"))
        found.append(tuple(sorted(own)))
    return tuple(found)


def _style_problems(direction: Direction, today: date, agents: Collection[str] | None) -> Iterator[Problem]:
    yield from _file_problems(direction, today, agents)
    yield from _branch_problems(direction)
    for task in direction.tasks:
        yield from _task_problems(task, today)


def _problem(task: TaskSpec, message: str) -> Problem:
    return Problem(task.source.line, message)


def _place(task: TaskSpec) -> str:
    return f"{task.source.file}:{task.source.line}"


def _file_problems(direction: Direction, today: date, agents: Collection[str] | None) -> Iterator[Problem]:
    line = direction.lines.get("last_reviewed", 1)
    reviewed = direction.last_reviewed
    if reviewed is None:
        if "last_reviewed" not in direction.front_matter:
            yield Problem(line, "the front matter has no last_reviewed; understood as never reviewed")
    elif reviewed > today:
        yield Problem(line, f"last_reviewed {reviewed} is in the future")
    elif today - reviewed > STALE_AFTER:
        yield Problem(
            line,
            f"last_reviewed {reviewed} is {(today - reviewed).days} days ago; a direction older than {STALE_AFTER.days} is stale",
        )
    if agents is not None and direction.agent not in agents:
        yield Problem(1, f"no agent is called {direction.agent}; the roster has {', '.join(sorted(agents))}")


def _branch_problems(direction: Direction) -> Iterator[Problem]:
    own, said = f"{direction.agent}/work", direction.git.branch
    if said and said != own:
        yield Problem(
            direction.lines.get("branch", 1),
            f"the branch {said} is not the agent's own; it commits to {own} whatever stands here",
        )


def _tool_problems(direction: Direction, tools: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    agent = direction.agent
    if agent not in tools:
        return
    for line, demand in unmeetable(direction, tools[agent]):
        named = "a tool of an MCP server" if demand == ANY else f"the tool or MCP server {demand}"
        yield Problem(
            line,
            f"{named} is demanded here, and {agent} has none: what it hands in will be sent back. Let it use one in "
            "callboard.toml ([mcp.NAME]; a tool is named as server__tool), or take the demand out",
        )


def _task_problems(task: TaskSpec, today: date) -> Iterator[Problem]:
    missing = [name for name, value in (("Evidence", task.evidence), ("Serves", task.serves)) if not value]
    if missing:
        yield _problem(task, f"{task.title!r} has no {' and no '.join(missing)}")
    if task.until and task.until < today:
        yield _problem(task, f"{task.title!r} was to end on {task.until}")


def _dependency_problems(
    task: TaskSpec, owners: Mapping[str, TaskSpec], known: Collection[str], agents: Collection[str] | None
) -> Iterator[Problem]:
    for key in task.depends_on:
        agent = key.partition("/")[0]
        if key in owners:
            continue
        if agents is not None and agent not in agents:
            yield _problem(task, f"{task.title!r} depends on {key}, and no agent is called {agent}")
        elif agent in known:
            yield _problem(task, f"{task.title!r} depends on {key}, which the direction of {agent} does not have")
        elif agents is not None:
            yield _problem(task, f"{task.title!r} depends on {key}, and {agent} has no direction file here")


def _cycles(tasks: Mapping[str, TaskSpec]) -> dict[str, str]:
    """Key -> the circle it is part of, as a sentence."""
    edges = {key: set(task.depends_on) & tasks.keys() for key, task in tasks.items()}
    found: dict[str, str] = {}
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            for key in circle:
                found.setdefault(key, " -> ".join(circle))
                edges[key] -= set(circle)
        else:
            return found
