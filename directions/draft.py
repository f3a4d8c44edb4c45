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


class TaskDraft(BaseModel):
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
    def _from_low_to_high(self) -> TaskDraft:
        if self.min_minutes > self.max_minutes:
            raise ValueError("min_minutes is larger than max_minutes")
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """What the drafts were asked for."""

    agents: Collection[str]
    """Whose files they may go into."""
    minutes: tuple[int, int] = (5, 8 * 60)
    """An estimate lies within it."""
    category: str = ""
    """Of a roadmap; written into each task."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Direction files as they would be with the drafts in them."""

    texts: Mapping[str, str]
    """Agent -> the whole file; only the ones that change."""
    problems: tuple[str, ...]
    """What is wrong with the drafts, as whoever wrote them is told; with any, nothing is to be proposed."""


def propose(
    drafts: Sequence[TaskDraft], files: Mapping[str, tuple[str, str]], asked: Asked, *, today: date
) -> Proposal:
    """Put drafts into their files, and look whether that gives good directions.

    Args:
        files: Agent -> path (for messages) and text of its direction file, of all agents that have one.
    """
    problems = [*_of_each(drafts, files, asked)]
    texts: dict[str, str] = {}
    if not problems:
        for agent in dict.fromkeys(draft.agent for draft in drafts):
            path, text = files.get(agent, (f"{agent}.md", ""))
            tasks = [spec_of(draft, asked) for draft in drafts if draft.agent == agent]
            try:
                texts[agent] = insert_tasks(text, tasks, agent=agent, path=path)
            except ConfigError as error:
                problems.append(str(error))
    if not problems:
        problems += _new_problems(files, texts, today)
    return Proposal(texts, tuple(problems))


def spec_of(draft: TaskDraft, asked: Asked) -> TaskSpec:
    return TaskSpec(
        key=f"{draft.agent}/{slug(draft.title)}",
        title=" ".join(draft.title.split()),
        agent=draft.agent,
        what=draft.what.strip(),
        evidence=draft.evidence.strip(),
        serves=" ".join(draft.serves.split()),
        priority=draft.priority,
        estimate_minutes=(draft.min_minutes, draft.max_minutes),
        paths=tuple(path_pattern(path.strip()) for path in draft.paths),
        checks=tuple(check.strip() for check in draft.checks),
        depends_on=tuple(_key(draft.agent, name) for name in draft.depends_on),
        category=category_name(asked.category),
    )


def _key(agent: str, name: str) -> str:
    owner, slash, key = name.strip(" `").partition("/")
    return f"{owner}/{key}" if slash and slug(owner) == owner and slug(key) == key else f"{agent}/{slug(name)}"


def _of_each(drafts: Sequence[TaskDraft], files: Mapping[str, tuple[str, str]], asked: Asked) -> Iterator[str]:
    known = {
        agent: {slug(task.title) for task in parse_direction(text, agent=agent).tasks}
        for agent, (_, text) in files.items()
    }
    low, high = asked.minutes
    for draft in drafts:
        own = slug(draft.title)
        if draft.agent not in asked.agents:
            yield f"{draft.title!r} is for {draft.agent}; tasks can be given to {', '.join(sorted(asked.agents))}"
        if not own:
            yield f"{draft.title!r} has no letter or digit"
        if own in known.setdefault(draft.agent, set()):
            yield f"{draft.agent} has a task called {draft.title!r} already; leave it out or call it something else"
        known[draft.agent].add(own)
        if not low <= draft.min_minutes <= draft.max_minutes <= high:
            yield f"{draft.title!r} is to take {draft.min_minutes}-{draft.max_minutes} minutes; it should take {low} to {high}"
        for path in draft.paths:
            if path.startswith(("/", "~")) or ".." in path.split("/"):
                yield f"{draft.title!r} names the path {path!r}, which is not inside the repository"


def _new_problems(files: Mapping[str, tuple[str, str]], texts: Mapping[str, str], today: date) -> list[str]:
    """Problems that the files have with the drafts and had not without them; what people wrote is not the drafts' fault."""
    before = {agent: parse_direction(text, agent=agent, path=path) for agent, (path, text) in files.items()}
    after = before | {
        agent: parse_direction(text, agent=agent, path=files.get(agent, (f"{agent}.md", ""))[0])
        for agent, text in texts.items()
    }
    old = {problem.message for own in check_directions(list(before.values()), today=today) for problem in own}
    new = (problem.message for own in check_directions(list(after.values()), today=today) for problem in own)
    return [message for message in dict.fromkeys(new) if message not in old]
