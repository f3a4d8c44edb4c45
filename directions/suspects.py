"""What people may have meant as a task, or as the end of something, and Markdown does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from callboard.bus.task import TaskSpec
from callboard.directions.blocks import Block, Kind, is_comment
from callboard.directions.fields import match_field
from callboard.directions.outline import Group, Topic, clean_title
from callboard.directions.tasks import Report

_NO_SPACE = re.compile(r"\s*#{1,6}task\s*#?\d", re.IGNORECASE)
_NESTED = re.compile(r"[\s>*+.)\d-]*#{1,6}\s*task\s*#?\d", re.IGNORECASE)
_BOLD = re.compile(r"\s*\*\*task\s*#?\d", re.IGNORECASE)


def report_suspects(
    lines: Sequence[str], blocks: Sequence[Block], groups: Sequence[Group], tasks: Sequence[TaskSpec], report: Report
) -> None:
    """Report what looks like a mistake although it could be read."""
    for block in blocks:
        _report_block(lines, block, report)
    for before, group in pairwise(groups):
        if before.topic is Topic.TASK and group.topic is Topic.OTHER and group.level > before.level:
            report(
                group.line, f"the heading {group.title[:60]!r} ended the task above; understood as a section of its own"
            )
        if group.topic is Topic.OTHER and re.match(r"task\b", clean_title(group.title), re.IGNORECASE):
            report(group.line, f"the heading {group.title[:60]!r} has no number after Task; understood as a section")
    if not tasks:
        _report_no_tasks(lines, blocks, groups, report)


def _report_block(lines: Sequence[str], block: Block, report: Report) -> None:
    if not block.closed:
        report(block.start + 1, "nothing closes what starts here; understood as going on to the end of the file")
    for n in range(block.start, block.end):
        line = lines[n]
        match block.kind:
            case Kind.PARAGRAPH:
                looks = _NO_SPACE.match(line) or (_BOLD.match(line) and match_field(line) is None)
            case Kind.LIST | Kind.QUOTE:
                looks = _NESTED.match(line)
            case Kind.HTML if not is_comment(lines, block):
                looks = _NESTED.match(line)
            case _:
                looks = None
        if looks:
            report(n + 1, f"{line.strip()[:60]!r} looks like a task and is no heading of this file; understood as text")


def _report_no_tasks(lines: Sequence[str], blocks: Sequence[Block], groups: Sequence[Group], report: Report) -> None:
    heading = next((group for group in groups if group.topic is Topic.TASKS), None)
    if heading and any(not is_comment(lines, block) for block in heading.blocks):
        report(
            heading.line,
            "no task was read under this heading: it takes `### Task N - title` headings or one numbered list",
        )
    elif not blocks:
        report(1, "the file is empty; understood as no tasks")
