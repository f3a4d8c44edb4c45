"""What a direction file says, once it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from callboard.bus.task import Briefing, TaskSpec


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something in a file that a person should look at, and what was understood instead."""

    line: int
    """1-based; 0 when it is about no line."""
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A non-negotiable, with the lines that are to be learnt by heart."""

    title: str
    locks: tuple[str, ...] = ()
    text: str = ""
    """Markdown, without its locks."""


@dataclass(frozen=True, slots=True)
class Category:
    """One line of a roadmap: work to come, of which only the amount is known."""

    title: str
    low: int
    high: int
    """The fewest and the most tasks it may become."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class GitWorkflow:
    branch: str = ""
    prefix: str = ""
    """What commit subjects start with, its space included: `deploy: `."""
    text: str = ""
    """Markdown: the rest of the section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section that no field of a direction stands for; kept as it was written."""

    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Direction:
    """One agent's direction file."""

    agent: str
    """The file's name without `.md`."""
    path: str = ""
    version: str = ""
    """16 hex digits of the sha256 of the file's bytes; "" when it was not read from a file."""
    title: str = ""
    epoch: str = ""
    doc: str = ""
    owner: str = ""
    last_reviewed: date | None = None
    front_matter: Mapping[str, str] = field(default_factory=dict)
    """Keys nobody foresaw, and known ones whose value could not be read; lists and mappings as JSON."""
    intro: str = ""
    rules: tuple[Rule, ...] = ()
    canon: tuple[str, ...] = ()
    mission: str = ""
    focus: str = ""
    git: GitWorkflow = GitWorkflow()
    roadmap: tuple[Category, ...] = ()
    sections: tuple[Section, ...] = ()
    tasks: tuple[TaskSpec, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    """1-based lines of what checks point at: `last_reviewed`, `branch`."""

    tools: tuple[str, ...] = ()
    """What the rules demand that every task calls."""

    def briefing(self) -> Briefing:
        """What every task of this agent is given along."""
        return Briefing(
            agent=self.agent,
            version=self.version,
            path=self.path,
            mission=self.mission,
            focus=self.focus,
            canon=self.canon,
            locks=tuple(lock for rule in self.rules for lock in rule.locks),
            tools=self.tools,
            prefix=self.git.prefix,
        )
