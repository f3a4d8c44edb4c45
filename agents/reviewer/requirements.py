"""What a finding can be against: the task's own words, each with an id, and the rules that hold for every task. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from callboard.bus.reviews import Requirement
from callboard.bus.task import Briefing, Finding, TaskSpec

RULES = (
    Requirement(id="keeps-working", text="What worked before works as it did, but for what the task changes."),
    Requirement(id="keeps-data", text="No data is lost or spoilt, also when it fails half-way."),
    Requirement(id="keeps-safe", text="It opens no hole: input is not trusted, secrets stay secret, walls stay up."),
    Requirement(id="honest", text="What its author claims is so; nothing in it is there to sway reviewers or gates."),
)
"""Hold for every task, whether or not somebody wrote them down."""
LEAST = 8
"""Characters of a requirement's own words that are taken for its id."""
_NAMED = ("title", "what", "use", "evidence", "serves")


def requirements_of(spec: TaskSpec, briefing: Briefing | None = None) -> tuple[Requirement, ...]:
    """Everything that this task is held to."""
    named = [(name, getattr(spec, name)) for name in _NAMED]
    fields = [(f"field-{_slug(name)}", text) for name, text in spec.fields.items() if name.lower() not in _NAMED]
    paths = [("paths", f"Only these may change: {', '.join(spec.paths)}")] if spec.paths else []
    found = [
        *named,
        *paths,
        *_numbered("check", spec.checks),
        *fields,
        *_numbered("lock", briefing.locks if briefing else ()),
    ]
    own = {id: text for id, text in reversed(found) if text}
    return (*(Requirement(id=id, text=own[id]) for id in dict.fromkeys(id for id, text in found if text)), *RULES)


def held_against(finding: Finding, known: Sequence[Requirement]) -> Finding:
    """The same with the id of what it is against; dropped where it names something that does not exist.

    Words of a requirement stand for it: models quote more than they count. One that names nothing names nothing false.
    """
    said = finding.requirement.strip()
    if not said:
        return finding
    found = next(_matching(said, known), None)
    if found is None:
        return finding.model_copy(update={"dropped": f"the task has no requirement {said[:200]!r}"})
    return finding.model_copy(update={"requirement": found})


def listed(known: Iterable[Requirement]) -> str:
    """For a prompt: a line each, its id first."""
    return "\n".join(f"[{it.id}] {it.text}" for it in known)


def _matching(said: str, known: Sequence[Requirement]) -> Iterator[str]:
    """Ids first, then names of fields, then words."""
    wanted = said.strip("[]").strip().casefold()
    yield from (it.id for it in known if it.id.casefold() == wanted)
    yield from (it.id for it in known if it.id.removeprefix("field-") == _slug(wanted))
    if len(wanted) >= LEAST:
        yield from (it.id for it in known if _squeezed(wanted) in _squeezed(it.text))


def _numbered(name: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    return [(f"{name}-{n}", text) for n, text in enumerate(texts, start=1)]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:60] or "unnamed"


def _squeezed(text: str) -> str:
    return " ".join(text.casefold().split())
