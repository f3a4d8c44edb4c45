"""What the demo says at its end: to scripts as one JSON object, to people as a page; pure."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.demo.evidence import Check, Evidence
from callboard.demo.wishes import deployments

PLAINLY = (
    "Plainly: what the models said was recorded beforehand. Everything else was real: processes, messages, clones, "
    "gates, merges, releases, requests. What agents and gates ran was held by the sandbox: {sandbox}."
)
FAULT = "What is marked with ! should have happened and did not. The folder is kept; .callboard/logs may tell why."
INDENT = 12


@dataclass(frozen=True, slots=True)
class Report:
    """`callboard demo --json` prints exactly this."""

    ok: bool
    """Whether everything that the demo promises to show has happened."""
    workspace: str
    integration_branch: str
    tasks: dict[str, int]
    """State -> how many tasks ended in it."""
    merged: tuple[str, ...]
    """The commits that landed, oldest first."""
    promoted: bool
    gate_failures: int
    review_rejections: int
    intake_refusals: int
    blockers: int
    deployments: dict[str, str]
    """Deployment -> how it ended; none where `not_deployed` says why."""
    not_deployed: str
    requests: int
    """That the service got while it was deployed."""
    failed_requests: int
    branches: dict[str, tuple[str, ...]]
    """Agent -> its branches."""
    feedback: dict[str, str]
    """Agent -> its feedback log."""
    seconds: float


def report(evidence: Evidence, checks: Sequence[Check], workspace: Path, seconds: float) -> Report:
    board, story, traces = evidence.board, evidence.story, evidence.traces
    states = Counter(task.state.value for task in board.tasks())
    return Report(
        ok=all(check.holds for check in checks),
        workspace=str(workspace),
        integration_branch=board.run.integration,
        tasks=dict(states),
        merged=tuple(landing.commit for landing in traces.line),
        promoted=bool(story.promoted) and traces.target == story.promoted,
        gate_failures=len(story.gate_failures),
        review_rejections=len(story.rejections),
        intake_refusals=len(story.refusals),
        blockers=len(story.blockers),
        deployments={doc.id: doc.state for doc in deployments(board)},
        not_deployed=evidence.served.why_not,
        requests=evidence.served.visits.sent,
        failed_requests=evidence.served.visits.failed,
        branches=dict(traces.branches),
        feedback={agent: str(log.path) for agent, log in traces.logs.items()},
        seconds=round(seconds, 1),
    )


def page(checks: Sequence[Check], seconds: float, width: int, sandbox: str) -> Iterator[str]:
    """What happened, line by line, in at most `width` columns.

    Args:
        sandbox: What was enforced.
    """
    yield f"What happened, in {seconds:.0f} s"
    yield ""
    for check in checks:
        first = f"  {check.name:<{INDENT - 2}}" if check.holds else f"! {check.name:<{INDENT - 2}}"
        yield from _wrap(check.said, width, first=first)
    if not all(check.holds for check in checks):
        yield ""
        yield from _wrap(FAULT, width)
    yield ""
    yield from _wrap(PLAINLY.format(sandbox=sandbox), width)


def further(workspace: Path, kept: bool, scripts: str, width: int) -> Iterator[str]:
    """What to read and to try.

    Args:
        kept: Whether the workspace is still there.
        scripts: The folder of the `callboard` script where a shell does not find it; "" where it does.
    """
    if not kept:
        yield from _wrap(
            "Its folder was temporary and is gone: `callboard demo --keep` leaves one to look around in.", width
        )
        return
    yield "Read"
    yield f"  cd {shlex.quote(str(workspace))}"
    yield from _table(
        ("feedback/driver-1.md", "what a driver did, and what came back"),
        ("feedback/manager.md", "every decision, with its reason"),
        ("directions/driver-1.md", "the tasks, as people wrote them"),
        ("callboard.toml", "the roster and its gate"),
    )
    yield "Try"
    if scripts:
        yield f'  PATH="{scripts}:$PATH"'
    yield from _table(
        ("git log --graph --oneline", "the product, merge by merge"),
        ("python3 -m app --port 8080", "what they have built"),
        ("callboard status", "the board"),
        ("callboard feedback senior", "who found the bug"),
        ("callboard transcript T-2", "what the models said of it"),
        ("callboard deployments", "what was deployed, and why one went back"),
        ("callboard costs", "what they took when they were recorded"),
        ("callboard serve", "all of it in a browser"),
        ("callboard init", "in a repository of yours"),
    )


def _table(*rows: tuple[str, str]) -> Iterator[str]:
    width = max(len(first) for first, _ in rows)
    for first, second in rows:
        yield f"  {first:<{width}}  {second}"


def _wrap(text: str, width: int, *, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * (INDENT if first else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
