"""One deployment, as `callboard deployments ID` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from callboard.agents.deployment.metrics import Metrics
from callboard.cli.deployment_rows import item_lines
from callboard.cli.plain import one_line
from callboard.feedback.facts import time_fact
from callboard.launch.deployment_rows import DeploymentRow, EdgeRow


def lines(row: DeploymentRow) -> list[str]:
    return [*_head(row), *(f"  {line}" for line in metric_lines(row.metrics)), *_checklist(row), *_way(row.history)]


def _head(row: DeploymentRow) -> Iterator[str]:
    what = "brings an earlier release back to" if row.kind == "restore" else "deploys to"
    yield one_line(f"{row.id} {what} {row.environment}: {row.state.replace('_', ' ')}")
    if row.reason:
        yield "  " + one_line(f"because: {row.reason}")
    if row.next:
        yield f"  next: {row.next}" + (f", {row.task} opened" if row.task else "")
    if row.question:
        yield f"  waits for {row.question}: `callboard questions`"
    beside = f", in the place of {row.blue}" if row.blue else ""
    yield "  " + one_line(f"commit {row.commit[:12] or 'not known yet'}, release {row.release or 'none yet'}{beside}")
    if row.notes:
        yield f"  its notes land with {row.notes}"


def metric_lines(found: Metrics) -> Iterator[str]:
    """How well it went; what is not known yet is left out."""
    if found.took_s is not None:
        yield f"took {_span(found.took_s)} from its request to its end"
    yield f"iterations of the fix loop: {found.fix_iterations}"
    if found.review_outcome is not None:
        yield f"reviewers: {found.review_outcome.replace('_', ' ')}"
    if found.requirements is not None:
        yield f"requirements met: {found.requirements_met} of {found.requirements}"
    if found.tests:
        yield f"tests passed: {found.tests_passed} of {found.tests}"
    if found.served_s is not None:
        yield f"has served everything for {_span(found.served_s)}"


def _checklist(row: DeploymentRow) -> list[str]:
    return ["checklist:", *item_lines(row.checklist)] if row.checklist else []


def _way(history: tuple[EdgeRow, ...]) -> Iterator[str]:
    yield "the way:"
    for edge in history:
        led = f"{edge.source} -> {edge.to}" if edge.source != edge.to else edge.source
        at = f"{time_fact(edge.at)} " if edge.at else ""
        yield "  " + one_line(f"{at}{led}: {edge.event}")
        for fact in edge.facts:
            yield "    " + one_line(fact)


def _span(seconds: float) -> str:
    """In the largest two units."""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
