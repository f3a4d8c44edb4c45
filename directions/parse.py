"""Read a direction file. Every text gives a Direction: what cannot be understood is one of its problems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions import demands
from callboard.directions.blocks import Block, Kind, read_blocks, split_lines
from callboard.directions.document import Category, Direction, GitWorkflow, Problem, Rule, Section
from callboard.directions.fields import match_field, read_entries
from callboard.directions.front_matter import FrontMatter, read_front_matter
from callboard.directions.outline import Group, Topic, clean_title, read_outline, task_heading
from callboard.directions.sections import raw_text, read_canon, read_git, read_roadmap, read_rules
from callboard.directions.suspects import report_suspects
from callboard.directions.task_lists import take_task_lists
from callboard.directions.tasks import Written, build_tasks

MAX_BYTES = 1_000_000
"""A larger file is no direction file: 300 tasks take about 60,000."""

NOTES = "Notes"
"""The title of text that follows a rule and so stands under no heading."""

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Signs that no text needs and that git, terminals or JSON stumble over."""


def read_direction(path: Path, *, shown: str = "") -> Direction:
    """Read the direction file of the agent that the file is named after.

    Args:
        shown: The path as people should see it in problems; by default `path` itself.

    Raises:
        ConfigError: The file cannot be read at all, or is larger than MAX_BYTES.
    """
    shown = shown or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path=shown) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"is larger than {MAX_BYTES:,} bytes, which is no direction file; split it by agent", path=shown
        )
    text, problems = _decode(data)
    return parse_direction(text, agent=path.stem, path=shown, version=sha256(data).hexdigest()[:16], problems=problems)


def _decode(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8; such bytes were read as \ufffd"
        return data.decode("utf-8-sig", errors="replace"), (Problem(line, what),)


def parse_direction(
    text: str, *, agent: str, path: str = "", version: str = "", problems: Sequence[Problem] = ()
) -> Direction:
    """Read the text of a direction file. Never raises.

    Args:
        problems: Found before, while the text was made from bytes.
    """
    found = set(problems)
    reading = _Reading(agent, path or f"{agent}.md", _clean_lines(text, found), found)
    return reading.read(version)


def _clean_lines(text: str, found: set[Problem]) -> list[str]:
    lines = [line if line.strip() else "" for line in split_lines(text.removeprefix("\ufeff"))]
    bad = next((n for n, line in enumerate(lines, 1) if _UNWANTED.search(line)), 0)
    if not bad:
        return lines
    found.add(Problem(bad, "control characters from here on; read as \ufffd"))
    return [_UNWANTED.sub("\ufffd", line) for line in lines]


@dataclass(slots=True)
class _Reading:
    """One file while it is read: what was found so far."""

    agent: str
    path: str
    lines: list[str]
    found: set[Problem]
    title: str = ""
    intro: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    canon: list[str] = field(default_factory=list)
    mission: list[str] = field(default_factory=list)
    focus: list[str] = field(default_factory=list)
    git: GitWorkflow = field(default_factory=GitWorkflow)
    branch_line: int = 0
    roadmap: list[Category] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    tasks: list[Written] = field(default_factory=list)

    def report(self, line: int, message: str) -> None:
        self.found.add(Problem(line, message))

    def read(self, version: str) -> Direction:
        head = read_front_matter(self.lines, self.report)
        body = [""] * head.height + self.lines[head.height :]
        self.lines = body
        blocks = read_blocks(body)
        groups = read_outline(blocks)
        has_headings = any(group.topic is Topic.TASK for group in groups)
        seen: dict[Topic, int] = {}
        for before, group in zip([None, *groups], groups, strict=False):
            self._repeats(group, seen)
            self._take(group, before, has_headings)
        tasks = build_tasks(self.tasks, self.agent, self.path, self.report)
        report_suspects(body, blocks, groups, tasks, self.report)
        return self._direction(head, version, tasks)

    def _direction(self, head: FrontMatter, version: str, tasks: tuple[TaskSpec, ...]) -> Direction:
        values = dict(head.values)
        reviewed = self._day(values, head.lines)
        return Direction(
            agent=self.agent,
            path=self.path,
            version=version,
            title=self.title or self.agent,
            epoch=values.pop("epoch", ""),
            doc=values.pop("doc", ""),
            owner=values.pop("owner", ""),
            last_reviewed=reviewed,
            front_matter=values,
            intro=_joined(self.intro),
            rules=tuple(self.rules),
            canon=tuple(self.canon),
            mission=_joined(self.mission),
            focus=_joined(self.focus),
            git=self.git,
            roadmap=tuple(self.roadmap),
            sections=tuple(self.sections),
            tasks=tasks,
            problems=tuple(sorted(self.found)),
            tools=demands.of_rules(self.rules),
            lines={**head.lines, **({"branch": self.branch_line} if self.branch_line else {})},
        )

    def _day(self, values: dict[str, str], lines: dict[str, int]) -> date | None:
        text = values.get("last_reviewed", "")
        try:
            day = datetime.fromisoformat(text).date() if text else None
        except ValueError:
            self.report(
                lines["last_reviewed"], f"last_reviewed {text[:40]!r} is no day as 2025-10-15; understood as never"
            )
            return None
        values.pop("last_reviewed", None)
        return day

    def _repeats(self, group: Group, seen: dict[Topic, int]) -> None:
        once = (Topic.RULES, Topic.CANON, Topic.MISSION, Topic.FOCUS, Topic.GIT)
        if group.topic in once and seen.setdefault(group.topic, group.line) != group.line:
            self.report(
                group.line,
                f"a section like {group.title!r} is also on line {seen[group.topic]}; understood as more of it",
            )

    def _take(self, group: Group, before: Group | None, has_headings: bool) -> None:
        match group.topic:
            case Topic.INTRO:
                self.intro.append(raw_text(self.lines, group.blocks))
            case Topic.RULES:
                rules, text = read_rules(self.lines, group, self.report)
                self.rules += rules
                self._keep(group.title, text)
            case Topic.CANON:
                self.canon += read_canon(self.lines, group.blocks)
            case Topic.MISSION:
                self.mission.append(raw_text(self.lines, group.blocks))
            case Topic.FOCUS:
                self.focus += [_after_focus(group.title), raw_text(self.lines, group.blocks)]
            case Topic.GIT:
                self._take_git(group)
            case Topic.TASK:
                self._take_task(group)
            case Topic.TASKS if not has_headings:
                written, gone = take_task_lists(self.lines, group, self.report)
                self.tasks += written
                self._take_other(group, gone)
            case _ if (
                before is not None and before.topic is Topic.INTRO and group.level == 1 and group.topic is Topic.OTHER
            ):
                self.title = clean_title(group.title)
                self.intro.append(raw_text(self.lines, group.blocks))
            case _:
                self._take_other(group, set())

    def _keep(self, title: str, text: str) -> None:
        if text:
            self.sections.append(Section(title, text))

    def _take_git(self, group: Group) -> None:
        git, line = read_git(self.lines, group.blocks)
        text = _joined([self.git.text, git.text])
        self.git = GitWorkflow(self.git.branch or git.branch, self.git.prefix or git.prefix, text)
        self.branch_line = self.branch_line or line

    def _take_task(self, group: Group) -> None:
        number, title = task_heading(group.title) or (0, "")
        rule = next((n for n, block in enumerate(group.blocks) if block.kind is Kind.RULE), len(group.blocks))
        own, after = group.blocks[:rule], group.blocks[rule:]
        if not title:
            title = f"Task {number}"
            self.report(group.line, f"the task has no title; understood as {title!r}")
        self.tasks.append(Written(number, " ".join(title.split()), group.line, tuple(read_entries(self.lines, own))))
        for n in (n for block in after for n in range(block.start, block.end)):
            lost = match_field(self.lines[n])
            if lost:
                self.report(
                    n + 1,
                    f"{lost[0]} stands after the rule that ended Task {number}; understood as a note and not as its field",
                )
        self._keep(NOTES, self._without_roadmap(after, set()))

    def _take_other(self, group: Group, gone: set[int]) -> None:
        text = self._without_roadmap(group.blocks, gone)
        if text or (not group.blocks and group.topic is Topic.OTHER and group.title):
            self.sections.append(Section(group.title, text))

    def _without_roadmap(self, blocks: Sequence[Block], gone: set[int]) -> str:
        """Take the roadmap's categories out of a text.

        Args:
            gone: Lines (from 0) that were taken out before.
        """
        left = [block for block in blocks if block.start not in gone]
        categories, listed = read_roadmap(self.lines, left, self.report)
        self.roadmap += categories
        return raw_text(self.lines, blocks, gone | listed)


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text)


def _after_focus(title: str) -> str:
    return re.sub(r"^.*?\bfocus\b[\s\-–—:]*", "", clean_title(title), count=1, flags=re.IGNORECASE)
