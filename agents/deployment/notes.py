"""The notes of a deployment that was finished: what was deployed where, what each edge rests on, tests, and what was met. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from callboard.bus.deployments import DeploymentDoc, Edge
from callboard.bus.task import TaskSpec

FIELD, TEXT = "Notes", "Text"
"""Fields of the task that lands the notes: the file, and what stands in it."""
MOST = 40_000
"""Characters of a page; what is longer is cut at its end, the way."""


def page(doc: DeploymentDoc, run: str) -> str:
    """The notes of a deployment that is done, as a file."""
    text = "\n".join((f"# {doc.release} in {doc.environment}: done", "", *notes(doc, run))) + "\n"
    return text if len(text) <= MOST else text[:MOST].rpartition("\n")[0] + "\n- ...\n"


def is_notes(spec: TaskSpec) -> bool:
    """Whether a task is one of the manager's own, that lands notes and changes nothing that runs."""
    return spec.source.kind == "deployment" and FIELD in spec.fields


def notes(doc: DeploymentDoc, run: str, finish: Iterable[str] | None = None) -> tuple[str, ...]:
    """Lines of Markdown after the title.

    Args:
        finish: What `finish` came to, of a document as it is on the board while that is done.
    """
    way = [line for edge in doc.history for line in _edge(edge)]
    return (
        f"- commit: `{doc.commit}`",
        f"- environment: {doc.environment}",
        f"- release: {doc.release}" + (f", in the place of {doc.blue}" if doc.blue else ", the first one there"),
        f"- deployment: {doc.id} of run {run}, asked for by {doc.by or 'a person'}",
        *_section("Tests", _tests(doc)),
        *_section("Issues met", _issues(doc.history)),
        *(_section("Checklist", _checklist(doc)) if doc.checklist else ()),
        *_section("The way", way if finish is None else [*way, *_finish(finish)]),
    )


def _tests(doc: DeploymentDoc) -> list[str]:
    if not doc.tests:
        return ["- none: the release was tested when it was new"]
    passed = sum(one.passed for one in doc.tests)
    waived = [f"- a person went on without: {', '.join(doc.waived)}"] if doc.waived else []
    ran = [f"- `{one_line(one.command)}` -> {one.exit_code} in {one.duration_s:.1f} s" for one in doc.tests]
    return [f"- {passed} of {len(doc.tests)} passed", *waived, *ran]


def _issues(history: Iterable[Edge]) -> list[str]:
    """What led to a fix or was not passed, each with what became of it."""
    lines: list[str] = []
    for edge in history:
        if edge.to == "fixing" and edge.source != "fixing":
            lines.append(f"- {edge.event}: {_last(edge)}")
        elif edge.source == "fixing" and edge.to != "fixing":
            lines.append(f"  - {edge.event}: {', '.join(map(one_line, edge.facts))}")
        elif " says: " in edge.event:
            lines.append(f"- {one_line(edge.event)}, in {edge.source}")
    return lines or ["- none"]


def _checklist(doc: DeploymentDoc) -> list[str]:
    by = {one.item: one.by or "a person" for one in doc.let_pass}
    return [
        one_line(
            f"- {item.state}: {item.name}: {item.fact}" + (f"; {by[item.name]} let it pass" if item.name in by else "")
        )
        for item in doc.checklist
    ]


def _edge(edge: Edge) -> list[str]:
    led = f"{edge.source} -> {edge.to}" if edge.source != edge.to else edge.source
    at = f"{edge.at:%Y-%m-%d %H:%M:%SZ} " if edge.at else ""
    return [f"- {at}{led}: {one_line(edge.event)}", *(f"  - {one_line(fact)}" for fact in edge.facts)]


def _finish(facts: Iterable[str]) -> list[str]:
    return ["- baking -> done: finish: passed", *(f"  - {one_line(fact)}" for fact in facts)]


def _last(edge: Edge) -> str:
    return one_line(edge.facts[-1]) if edge.facts else "no reason given"


def one_line(text: str) -> str:
    """Words that were not written by this program cannot pass for headings of the page."""
    return " ".join(text.split())


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]
