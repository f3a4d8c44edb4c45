"""Proposed tasks that wait for a person: `.callboard/plans/<name>.json`, written before and after each question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from callboard.agents.brains.budget import CallEstimate
from callboard.agents.manager.planning import Files
from callboard.bus.caps import Spent
from callboard.bus.errors import ConfigError, RosterError
from callboard.bus.whole_files import write_whole
from callboard.directions.proposal import Asked, ProposedTask, fit

_NAME = re.compile(r"p-([1-9]\d{0,6})\.json")


class Proposed(BaseModel):
    """What one question came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str = ""
    minutes: tuple[int, int] = (5, 480)
    tasks: tuple[ProposedTask, ...]
    notes: str = ""


class Plan(BaseModel):
    """One plan, as far as it has come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """`p-1`, `p-2`, ..."""
    about: str
    """The goal, or the file whose roadmap is expanded."""
    at: datetime
    state: Literal["unfinished", "proposed", "applied"] = "unfinished"
    proposed: tuple[Proposed, ...] = ()
    spent: Spent = Spent()
    held: dict[str, CallEstimate] = {}
    """By reservation: calls that are under way, or were when planning was killed."""

    @property
    def tasks(self) -> tuple[ProposedTask, ...]:
        return tuple(task for drafts in self.proposed for task in drafts.tasks)


class Plans:
    """Those of one workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Plan]:
        """Oldest first."""
        return [self.find(name) for name in self._names()]

    def find(self, name: str) -> Plan:
        """
        Raises:
            RosterError: There is none of that name.
            ConfigError: Its file cannot be read.
        """
        path = self._folder / f"{name}.json"
        if not _NAME.fullmatch(path.name) or not path.is_file():
            known = ", ".join(self._names())
            raise RosterError(
                f"there is no plan {name!r}; " + (f"there are {known}" if known else "none was made here")
            )
        try:
            return Plan.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"cannot be read as a plan; remove it and plan again ({error})", path=str(path)
            ) from error

    def begin(self, about: str, at: datetime) -> Plan:
        """The plan of the same that was broken off, or a new one."""
        unfinished = next((plan for plan in self.all() if plan.state == "unfinished" and plan.about == about), None)
        if unfinished is not None:
            return unfinished
        number = max((int(name[2:]) for name in self._names()), default=0) + 1
        return self.save(Plan(name=f"p-{number}", about=about, at=at))

    def save(self, plan: Plan) -> Plan:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / f"{plan.name}.json", plan.model_dump_json(indent=1))
        return plan

    def _names(self) -> list[str]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.glob("*.json"))
        return [f"p-{n}" for n in sorted(int(match[1]) for match in found if match)]


def texts_with(drafts: Sequence[Proposed], files: Files, agents: Sequence[str], *, today: date) -> Files:
    """The files with all drafts in them.

    Raises:
        ConfigError: The files have changed so that a draft does not go into them any more.
    """
    after = dict(files)
    for part in drafts:
        found = fit(part.tasks, after, Asked(agents, part.minutes, part.category), today=today)
        if found.problems:
            raise ConfigError("the directions have changed since the plan was made: " + "; ".join(found.problems[:5]))
        for agent, text in found.texts.items():
            after[agent] = (after[agent][0], text)
    return after


def diff(before: Files, after: Files) -> str:
    """Unified, file by file; "" when nothing changes."""
    parts = [
        line
        for agent, (path, text) in after.items()
        for line in unified_diff(
            before.get(agent, ("", ""))[1].splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
    ]
    return "".join(parts)
