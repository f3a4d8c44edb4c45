"""What reviewers hand in, as documents for their log branch: a page for people, and the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from callboard.bus.messages import Envelope, VerdictGiven
from callboard.feedback.facts import finding_fact


@dataclass(frozen=True, slots=True)
class Document:
    """A file on an agent's log branch."""

    path: str
    content: bytes


def verdict_document(envelope: Envelope, verdict: VerdictGiven) -> Document:
    """`reviews/<task>-<attempt>-<review>.md` for one verdict; a repeated verdict gives the same file."""
    name = f"{_name(envelope.task)}-{envelope.attempt}-{_name(verdict.review)}"
    lines = [
        f"# {verdict.vote}: {envelope.task}, attempt {envelope.attempt}",
        "",
        f"- given {envelope.sent_at:%Y-%m-%d %H:%M:%SZ} by {envelope.sender} for review `{verdict.review}`",
        f"- commit: {f'`{verdict.commit}`' if verdict.commit else 'none, nothing was changed'}",
        f"- requirements: `{verdict.requirements_hash}`",
        *_section("Findings", [f"- {finding_fact(finding)}" for finding in verdict.findings]),
        *_section("Notes", _quoted(verdict.notes)),
        *_section("As data", ["```json", verdict.model_dump_json(indent=2), "```"]),
    ]
    return Document(f"reviews/{name}.md", ("\n".join(lines) + "\n").encode("utf-8", "replace"))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return ["", f"## {title}", "", *body] if body else []


def _quoted(text: str) -> list[str]:
    """Words that were not written by this program, so that they cannot pass for headings or data of the page."""
    return [f"> {line}" if line else ">" for line in text.splitlines()]


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:80] or "none"
