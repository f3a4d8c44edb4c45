"""What reviewers, the deployment agent and the manager hand in, as documents for their log branch: a page for people, mostly with
the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from callboard.bus.messages import (
    Body,
    ConsultAnswered,
    DeploymentNoted,
    Envelope,
    ReviewWord,
    RunSummed,
    SynthesisGiven,
    VerdictGiven,
    VoteGiven,
)
from callboard.feedback.facts import advice_facts, finding_fact, synthesis_facts

HandedIn = VerdictGiven | SynthesisGiven | VoteGiven | ConsultAnswered | DeploymentNoted | RunSummed
"""What becomes a document."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file on an agent's log branch."""

    path: str
    content: bytes


def document_of(envelope: Envelope, body: HandedIn) -> Document:
    """What a message hands in; the same message again gives the same file.

    `reviews/<task>-<attempt>-<review>.md` is a verdict, the same with `-synthesis` or `-vote` a word of the second round,
    `consults/<task>-<attempt>-<consult>.md` what was said to a consult,
    `deployments/<run>-<deployment>-<environment>.md` the notes of a finished deployment,
    `runs/<run>.md` what a run has come to.
    """
    match body:
        case VerdictGiven():
            return _review(envelope, body, body.vote, "", _findings(body))
        case SynthesisGiven(synthesis=made):
            title = "abstained from the synthesis" if made.abstained else "synthesis"
            said = _section("What it comes to", [f"- {fact}" for fact in synthesis_facts(made)])
            return _review(envelope, body, title, "-synthesis", said)
        case VoteGiven():
            return _review(envelope, body, f"{body.vote} in the second round", "-vote", [])
        case ConsultAnswered():
            return _consult(envelope, body)
        case DeploymentNoted():
            return _notes(envelope, body)
        case RunSummed():
            return _run(envelope, body)
    assert_never(body)


def _findings(verdict: VerdictGiven) -> list[str]:
    return _section("Findings", [f"- {finding_fact(finding)}" for finding in verdict.findings])


def _review(envelope: Envelope, word: ReviewWord, title: str, suffix: str, said: list[str]) -> Document:
    about = [
        *_given(envelope, f"for review `{word.review}`"),
        f"- commit: {f'`{word.commit}`' if word.commit else 'none, nothing was changed'}",
        f"- requirements: `{word.requirements_hash}`",
    ]
    name = f"{_name(envelope.task)}-{envelope.attempt}-{_name(word.review)}{suffix}"
    said = [*said, *_section("Notes", _quoted(word.notes))]
    return _page(f"reviews/{name}.md", f"{title}: {_subject(envelope)}", [*about, *said], word)


def _consult(envelope: Envelope, body: ConsultAnswered) -> Document:
    advice = body.advice
    about = _given(envelope, f"to consult `{body.consult}`")
    said = [
        *_section("What it comes to", [f"- {fact}" for fact in advice_facts(advice)]),
        *_section("Answer", _quoted(advice.text)),
    ]
    name = f"{_name(envelope.task)}-{envelope.attempt}-{_name(body.consult)}"
    title = f"{advice.says.replace('_', ' ')}: {_subject(envelope)}"
    return _page(f"consults/{name}.md", title, [*about, *said], body)


def _notes(envelope: Envelope, body: DeploymentNoted) -> Document:
    title = f"# {body.release} in {body.environment}: done"
    lines = (title, "", *_given(envelope, f"at the end of {body.deployment}"), *body.lines)
    text = "\n".join(lines) + "\n"
    # by the deployment: one that brings a release back has the release's name, and its own page
    path = f"deployments/{_name(envelope.run)}-{_name(body.deployment)}-{_name(body.environment)}.md"
    return Document(path, text.encode("utf-8", "replace"))


def _run(envelope: Envelope, body: RunSummed) -> Document:
    """The lines of commit and conditions are read by the workflow that `init --ci github` writes (cli/init_ci.py)."""
    about = [
        *_given(envelope, "for this run"),
        f"- commit: `{body.commit}`",
        f"- branch: `{body.branch}`",
        *_section("What it came to", [f"- {fact}" for fact in body.facts]),
        *_section("Promotion", [f"- {line}" for line in body.conditions]),
    ]
    return _page(f"runs/{_name(envelope.run)}.md", f"Run {envelope.run}: {body.state}", about, body)


def _page(path: str, title: str, lines: Iterable[str], body: Body) -> Document:
    data = ["```json", body.model_dump_json(indent=2), "```"]
    text = "\n".join([f"# {title}", "", *lines, *_section("As data", data)]) + "\n"
    return Document(path, text.encode("utf-8", "replace"))


def _subject(envelope: Envelope) -> str:
    return f"{envelope.task}, attempt {envelope.attempt}"


def _given(envelope: Envelope, to: str) -> list[str]:
    return [f"- given {envelope.sent_at:%Y-%m-%d %H:%M:%SZ} by {envelope.sender} {to}"]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return ["", f"## {title}", "", *body] if body else []


def _quoted(text: str) -> list[str]:
    """Words that were not written by this program, so that they cannot pass for headings or data of the page."""
    return [f"> {line}" if line else ">" for line in text.splitlines()]


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:80] or "none"
