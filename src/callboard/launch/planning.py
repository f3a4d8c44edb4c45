"""Makes a plan: asks the manager's brain, keeps what it has drafted so far, and leaves it to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from callboard.agents.brains.purse import Purse
from callboard.agents.manager.planning import (
    BATCH,
    Files,
    Part,
    ask,
    category_part,
    goal_part,
    missing_tasks,
)
from callboard.agents.settings import MANAGER
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace
from callboard.bus.clock import utc_now
from callboard.bus.errors import BudgetSpent, ConfigError, RosterError
from callboard.bus.whole_files import write_whole
from callboard.directions.parse import parse_direction, read_direction
from callboard.launch.exclude import exclude_ours
from callboard.launch.plans import Plan, Plans, Proposed, texts_with

Told = Callable[[str], object]
"""Takes a line about what has come of it so far."""
Question = tuple[str, Callable[[Files], Part]]
"""What it is called, and what is asked given the files as they are by then."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Which categories of a roadmap are expanded, and how far."""

    file: Path
    category: str = ""
    """"" = all."""
    count: int | None = None
    """Tasks that each has afterwards; None = its lowest number."""


def plans(workspace: Workspace) -> Plans:
    return Plans(workspace.layout.home / "plans")


def direction_files(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """Of all drivers, as they are now.

    Raises:
        ConfigError: One cannot be read.
    """
    folder = workspace.settings.paths.directions
    return {agent.name: _file(workspace.root, f"{folder}/{agent.name}.md") for agent in workspace.settings.drivers}


def _file(root: Path, shown: str) -> tuple[str, str]:
    path = root / shown
    if not path.exists():
        return shown, ""
    read_direction(path, shown=shown)
    try:
        return shown, path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8; save it so, then plan again", path=shown) from error


async def plan_goal(workspace: Workspace, goal: str, told: Told) -> Plan:
    files = direction_files(workspace)
    if not files:
        raise RosterError("the roster has no driver that tasks could be given to")
    return await _plan(workspace, goal, [("the goal", partial(goal_part, goal, agents=[*files]))], told)


async def plan_roadmap(workspace: Workspace, expansion: Expansion, told: Told) -> Plan:
    """
    Raises:
        RosterError, ConfigError: There is nothing to expand; the message says what there is.
    """
    files = direction_files(workspace)
    agent = expansion.file.stem
    if agent not in files:
        raise RosterError(f"{expansion.file}: no driver is called {agent}; there are {', '.join(files) or 'none'}")
    questions = list(_questions(expansion, agent, files))
    if not questions:
        raise RosterError(
            f"{files[agent][0]}: every category has its tasks already; --count says how many it is to have"
        )
    about = " ".join(filter(None, [files[agent][0], expansion.category, str(expansion.count or "")]))
    return await _plan(workspace, about, questions, told)


def _questions(expansion: Expansion, agent: str, files: Files) -> Iterator[Question]:
    path, text = files[agent]
    direction = parse_direction(text, agent=agent, path=path)
    wanted = expansion.category.casefold()
    chosen = [category for category in direction.roadmap if wanted in ("", category.title.casefold())]
    if not chosen:
        titles = ", ".join(repr(category.title) for category in direction.roadmap)
        what = f"has no category {expansion.category!r}" if wanted else "has no roadmap"
        raise ConfigError(
            f"{what}; "
            + (f"it has {titles}" if titles else "that is a list of items such as `Core features (10-20 tasks)`"),
            path=path,
        )
    for category in chosen:
        if expansion.count is not None and not category.low <= expansion.count <= category.high:
            raise ConfigError(
                f"{category.title!r} is to have {category.low} to {category.high} tasks, not {expansion.count}",
                path=path,
            )
        left = missing_tasks(direction, category, expansion.count)
        for done in range(0, left, BATCH):
            count = min(BATCH, left - done)
            name = f"{category.title} ({done + 1}-{done + count} of {left})"
            yield name, partial(category_part, category, agent, count)


async def _plan(workspace: Workspace, about: str, questions: list[Question], told: Told) -> Plan:
    """What a plan that was broken off has already is neither asked nor paid again."""
    store, lock = plans(workspace), ProcessLock(workspace.layout.lock("plan"))
    await acquire(lock)
    exclude_ours(workspace)
    try:
        plan = store.begin(about, utc_now())

        def keep(purse: Purse) -> None:
            nonlocal plan
            plan = store.save(plan.model_copy(update={"spent": purse.spent, "held": dict(purse.held)}))

        limits = workspace.settings.budget.limits
        purse = Purse(f"plan {plan.name}", limits.task, workspace.prices, plan.spent, dict(plan.held), keep)
        seat, brain = workspace.planner(purse)
        await asyncio.to_thread(workspace.clone(MANAGER).prepare, _base(workspace))
        for number, (name, part_of) in enumerate(questions, 1):
            if number <= len(plan.proposed):
                continue
            today = utc_now().date()
            files = texts_with(plan.proposed, direction_files(workspace), [*direction_files(workspace)], today=today)
            told(f"{name} ...")
            part = part_of(files)
            try:
                drafted = await ask(brain, seat, part, files, name=plan.name, number=number, today=today)
            except BudgetSpent as error:
                raise RosterError(
                    f"{error}; what was drafted so far is kept: raise [budget.task] in callboard.toml and plan the same again"
                ) from error
            got = Proposed(
                category=part.asked.category, minutes=part.asked.minutes, tasks=drafted.tasks, notes=drafted.notes
            )
            plan = store.save(plan.model_copy(update={"proposed": (*plan.proposed, got)}))
        return store.save(plan.model_copy(update={"state": "proposed"}))
    finally:
        lock.release()


def _base(workspace: Workspace) -> str:
    base = workspace.repository.resolve(f"refs/heads/{workspace.settings.project.target}")
    if base is None:
        raise RosterError(f"there is no branch {workspace.settings.project.target!r} to plan on; make a first commit")
    return base


def files_after(workspace: Workspace, plan: Plan) -> tuple[Files, Files]:
    """The direction files as they are, and with the plan in them.

    Raises:
        ConfigError: The plan does not fit them any more.
    """
    files = direction_files(workspace)
    return files, texts_with(plan.proposed, files, [*files], today=utc_now().date())


def apply(workspace: Workspace, plan: Plan) -> list[str]:
    """Write a plan into the direction files, where a roster that runs finds it at once.

    Returns:
        The files that were changed.

    Raises:
        RosterError: It was written before, or is not finished.
        ConfigError: It does not fit the files any more.
    """
    if plan.state != "proposed":
        why = (
            "was applied before" if plan.state == "applied" else "is not finished: plan the same again, and it goes on"
        )
        raise RosterError(f"{plan.name} {why}")
    before, after = files_after(workspace, plan)
    changed = [agent for agent in after if after[agent] != before[agent]]
    for agent in changed:
        path, text = after[agent]
        (workspace.root / path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(workspace.root / path, text)
    plans(workspace).save(plan.model_copy(update={"state": "applied"}))
    return [after[agent][0] for agent in changed]
