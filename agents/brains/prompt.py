"""What a brain that reads words is told: the role, the task or the review, what was learnt. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from callboard.agents.brains.brain import Inquiry, Job, ReviewJob
from callboard.agents.reviewer.requirements import listed, requirements_of
from callboard.bus.messages import ReviewRequest
from callboard.bus.task import Briefing, CommandResult, Note, TaskSpec
from callboard.directions.demands import ANY

_NAMED = ("what", "use", "evidence")
"""Fields that have a line of their own."""

DONE_LINE = """\
When you are finished, end your last answer with one line that is a JSON object and nothing else, without a code fence:
{"status": "done", "notes": "what you changed and why, for the reviewers"}
{"status": "blocked", "notes": "", "blocker": {"what": "...", "tried": "...", "needs": "...", "severity": "major"}}
{"status": "asked", "question": {"text": "one question only a person can answer", "options": ["...", "..."], \
"default": "the option you would take if nobody answers; leave it out if there is none"}}
{"status": "failed", "notes": "why you give up"}
What else you saw to be wrong and left, as it is not your task, goes along with `done`, at most 20 of them:
{"status": "done", "notes": "...", "issues": [{"title": "what is wrong, and where", "severity": "minor", \
"category": "what kind of change mends it", "evidence": ["what shows it"]}]}
Use the one that is true. Nobody can answer you while you work; `blocked` and `asked` keep your work and bring the task
back with the answer. Do not commit: what you leave in the current folder is taken from there."""
"""How a brain with text alone ends a task; docs/brains.md has the format."""

VERDICT_LINE = """\
When you are finished, end your last answer with one line that is a JSON object and nothing else, without a code fence:
{"vote": "approved", "notes": "...", "findings": [{"severity": "minor", "requirement": "...", "file": "app/x.py", \
"line": 12, "quote": "the text that begins on that line, word for word", "scenario": "what goes wrong, and when", \
"command": "what shows it"}]}
`vote` is approved, needs_revision or abstained; `severity` is minor or major; without findings give an empty array.
Nobody can answer you while you work."""
"""How a brain with text alone ends a review."""


def task_prompt(job: Job) -> str:
    """One attempt at one task, without how to end it."""
    return _sections(
        job.seat.prompt,
        f"# Your task: {job.task} {job.spec.title}\n\nAttempt {job.attempt}, in the current folder.\n\n"
        + requirements(job.spec),
        briefing(job.briefing),
        notes(job.notes),
    )


def review_prompt(job: ReviewJob, *, max_diff: int = 100_000) -> str:
    """One thing to judge, without how to end it.

    Args:
        max_diff: Characters of the diff that are shown; the checkout has the rest.
    """
    request = job.request
    handed_in = f"commit {request.commit} on {request.base}" if request.commit else "no code was changed"
    return _sections(
        job.seat.prompt,
        f"# What you judge: {job.task} {request.spec.title}\n\nAttempt {job.attempt} by {request.agent}: {handed_in}. "
        "The current folder is a checkout of it.\n\n## What was asked\n\n" + requirements(request.spec),
        against(request),
        _commands(request.commands),
        f"## What its author says\n\n{request.notes}" if request.notes else "",
        _diff(job.diff, max_diff),
    )


def inquiry_prompt(inquiry: Inquiry) -> str:
    """One question, without how to answer it."""
    return _sections(inquiry.seat.prompt, inquiry.text)


def answer_line(inquiry: Inquiry) -> str:
    """How a brain with text alone answers."""
    schema = json.dumps(inquiry.shape.model_json_schema(), ensure_ascii=False)
    return (
        "When you are finished, end your last answer with one line that is a JSON object and nothing else, without a code "
        f"fence, of this schema:\n{schema}\nNobody can answer you while you work; what you change is thrown away."
    )


def requirements(spec: TaskSpec) -> str:
    """What a task asks for, as people wrote it."""
    named = {name.capitalize(): getattr(spec, name) for name in _NAMED}
    others = {name: text for name, text in spec.fields.items() if name.lower() not in _NAMED}
    lines = [f"{name}: {text}" for name, text in {**named, **others}.items() if text]
    if spec.paths:
        lines.append(f"Only these paths may change: {', '.join(spec.paths)}")
    if spec.checks:
        lines.append("These must exit 0 afterwards:\n" + _list(f"`{check}`" for check in spec.checks))
    lines += _must_call(spec.tools)
    return "\n".join(lines) or spec.title


def against(request: ReviewRequest) -> str:
    """What a finding can name as its requirement, for a reviewer."""
    known = request.requirements or requirements_of(request.spec)
    shown = (it.model_copy(update={"text": f"{it.text[:120]} ..." if len(it.text) > 120 else it.text}) for it in known)
    return "## What a finding is against\n\nIts `requirement` is one of these ids:\n" + listed(shown)


def briefing(it: Briefing) -> str:
    """What holds for all tasks of one agent; "" when its direction file says nothing."""
    parts = [f"Mission: {it.mission}" if it.mission else "", f"Focus: {it.focus}" if it.focus else ""]
    parts += [f"The north star, which all you do has to serve: {star}" for star in north_stars(it.canon)]
    parts.append("Rules:\n" + _list(it.locks) if it.locks else "")
    parts.append("Documents that count as true:\n" + _list(it.canon) if it.canon else "")
    parts += _must_call(it.tools)
    said = "\n".join(filter(None, parts))
    return f"# What holds for every task of yours\n\n{said}" if said else ""


def north_stars(canon: Iterable[str]) -> list[str]:
    """What a canon names as its north star, such as `North Star: docs/vision.md`."""
    named = (text.partition(":") for text in canon)
    return [text.strip() for name, _, text in named if name.strip(" *").casefold() == "north star" and text.strip()]


def _must_call(tools: Sequence[str]) -> list[str]:
    names = ["a tool of an MCP server" if name == ANY else name for name in tools]
    told = (
        f"What is handed in is sent back unless these were called with success in the same attempt: {', '.join(names)}"
    )
    return [told] if names else []


def notes(learnt: Sequence[Note]) -> str:
    """What earlier attempts taught, oldest first; "" for a first attempt."""
    if not learnt:
        return ""
    said = "\n\n".join(f"From {note.source}:\n{note.text}" for note in learnt)
    return f"# What was learnt so far\n\nAll of it is to be heeded; the newest stands last.\n\n{said}"


def _commands(results: Iterable[CommandResult]) -> str:
    lines = [f"`{result.command}` -> {result.exit_code}\n{result.tail}".rstrip() for result in results]
    return "## What was run\n\n" + "\n\n".join(lines) if lines else ""


def _diff(diff: str, limit: int) -> str:
    if not diff:
        return ""
    cut = f"\n[cut: {len(diff) - limit} more characters; look at the files]" if len(diff) > limit else ""
    return f"## The change\n\n{diff[:limit]}{cut}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _sections(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"
