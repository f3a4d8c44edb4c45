"""Tasks that a program proposes, before a person has looked at them: what they must say, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from callboard.bus.categories import category_name
from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.check import check_directions
from callboard.directions.insert import insert_tasks
from callboard.directions.parse import parse_direction
from callboard.directions.values import path_pattern, slug

Line = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Minutes = Annotated[int, Field(ge=5, le=8 * 60)]
"""More than a day's work is more than one task."""


class ProposedTask(BaseModel):
    """One proposed task. Everything that makes it checkable has to be said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: Annotated[Line, Field(description="Whose direction file it goes into.")]
    title: Line
    what: Annotated[Text, Field(description="What is to be done.")]
    evidence: Annotated[Text, Field(description="What shows that it is done.")]
    serves: Annotated[Line, Field(description="Whom or what it is good for.")]
    priority: Annotated[int, Field(ge=0, le=5, description="0 first, 5 last.")]
    min_minutes: Minutes
    max_minutes: Minutes
    paths: Annotated[
        tuple[Line, ...],
        Field(min_length=1, max_length=30, description="Files or globs that it may touch, from the top."),
    ]
    checks: Annotated[
        tuple[Line, ...], Field(min_length=1, max_length=10, description="Commands that exit 0 only when it is done.")
    ]
    depends_on: Annotated[
        tuple[Line, ...],
        Field(max_length=20, description="Titles of tasks of the same agent, or agent/key, that must be done first."),
    ] = ()

    @model_validator(mode="after")
    def _from_low_to_high(self) -> ProposedTask:
        if self.min_minutes > self.max_minutes:
            raise ValueError("min_minutes is larger than max_minutes")
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """What the tasks were asked for."""

    agents: Collection[str]
    """Whose files they may go into."""
    minutes: tuple[int, int] = (5, 8 * 60)
    """An estimate lies within it."""
    category: str = ""
    """Of a roadmap; written into each task."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Direction files as they would be with the tasks in them."""

    texts: Mapping[str, str]
    """Agent -> the whole file; only the ones that change."""
    problems: tuple[str, ...]
    """What is wrong with the tasks, as whoever wrote them is told; with any, nothing is to be proposed."""


def fit(tasks: Sequence[ProposedTask], files: Mapping[str, tuple[str, str]], asked: Asked, *, today: date) -> Fit:
    """Put tasks into their files, and look whether that gives good directions.

    Args:
        files: Agent -> path (for messages) and text of its direction file ("" = it has none yet); of all that `asked` names.
    """
    problems = [*_of_each(tasks, files, asked)]
    texts: dict[str, str] = {}
    if not problems:
        for agent in dict.fromkeys(task.agent for task in tasks):
            path, text = files[agent]
            own = [spec_of(task, asked) for task in tasks if task.agent == agent]
            try:
                texts[agent] = insert_tasks(text, own, agent=agent, path=path)
            except ConfigError as error:
                problems.append(str(error))
    if not problems:
        problems += _new_problems(files, texts, today)
    return Fit(texts, tuple(problems))


def spec_of(task: ProposedTask, asked: Asked) -> TaskSpec:
    return TaskSpec(
        key=f"{task.agent}/{slug(task.title)}",
        title=" ".join(task.title.split()),
        agent=task.agent,
        what=task.what.strip(),
        evidence=task.evidence.strip(),
        serves=" ".join(task.serves.split()),
        priority=task.priority,
        estimate_minutes=(task.min_minutes, task.max_minutes),
        paths=tuple(path_pattern(path.strip()) for path in task.paths),
        checks=tuple(check.strip() for check in task.checks),
        depends_on=tuple(_key(task.agent, name) for name in task.depends_on),
        category=category_name(asked.category),
    )


def _key(agent: str, name: str) -> str:
    owner, slash, key = name.strip(" `").partition("/")
    return f"{owner}/{key}" if slash and slug(owner) == owner and slug(key) == key else f"{agent}/{slug(name)}"


def _of_each(tasks: Sequence[ProposedTask], files: Mapping[str, tuple[str, str]], asked: Asked) -> Iterator[str]:
    known = {
        agent: {task.key.partition("/")[2] for task in parse_direction(text, agent=agent).tasks}
        for agent, (_, text) in files.items()
    }
    low, high = asked.minutes
    keys = {f"{agent}/{own}" for agent, slugs in known.items() for own in slugs}
    keys |= {f"{task.agent}/{slug(task.title)}" for task in tasks}
    for task in tasks:
        own = slug(task.title)
        if task.agent not in asked.agents:
            yield f"{task.title!r} is for {task.agent}; tasks can be given to {', '.join(sorted(asked.agents))}"
        if not own:
            yield f"{task.title!r} has no letter or digit"
        if own in known.setdefault(task.agent, set()):
            yield f"{task.agent} has a task called {task.title!r} already; leave it out or call it something else"
        known[task.agent].add(own)
        if not low <= task.min_minutes <= task.max_minutes <= high:
            yield f"{task.title!r} is to take {task.min_minutes}-{task.max_minutes} minutes; it should take {low} to {high}"
        for name in task.depends_on:
            if _key(task.agent, name) not in keys:
                yield f"{task.title!r} depends on {name!r}, which is no task; name a title or agent/key that is there"
        for path in task.paths:
            if path.startswith(("/", "~")) or ".." in path.split("/"):
                yield f"{task.title!r} names the path {path!r}, which is not inside the repository"


def _new_problems(files: Mapping[str, tuple[str, str]], texts: Mapping[str, str], today: date) -> list[str]:
    """Problems that the files have with the tasks and had not without them; what people wrote is not the tasks' fault."""
    before = {agent: parse_direction(text, agent=agent, path=path) for agent, (path, text) in files.items()}
    after = before | {agent: parse_direction(text, agent=agent, path=files[agent][0]) for agent, text in texts.items()}
    old = {problem.message for own in check_directions(list(before.values()), today=today) for problem in own}
    new = (problem.message for own in check_directions(list(after.values()), today=today) for problem in own)
    return [message for message in dict.fromkeys(new) if message not in old]
