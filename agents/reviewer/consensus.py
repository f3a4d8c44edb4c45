"""What the reviewers' verdicts add up to: pure, and the only place that decides it.

Approved = all reviewers answered by the deadline (an abstention is no answer), a majority approves (two of three), and
no major finding with a verified quote is open. A finding that names a file and a quote that is not there is dropped: it
stays in the record with `verified` False, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callboard.bus.board import Verdict
from callboard.bus.task import Finding

TRIO = 3
"""Fewer reviewers than this approve nothing."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody has not answered yet, and may."""


@dataclass(frozen=True, slots=True)
class Approved:
    """Findings may stand all the same: minor ones, and majors that no quote proves."""


@dataclass(frozen=True, slots=True)
class Rejected:
    findings: tuple[Finding, ...]
    """What stands, verified majors first."""
    summary: str
    """One line per reason, for the driver's next attempt."""


@dataclass(frozen=True, slots=True)
class NoQuorum:
    missing: tuple[str, ...]
    """Reviewers that gave no answer in time, or abstained."""
    summary: str
    """Why, reviewer by reviewer, for a person."""


Judgement = Waiting | Approved | Rejected | NoQuorum


def vetoes(finding: Finding) -> bool:
    """True if no vote can overrule this finding: a major whose quote stands where it says."""
    return finding.severity == "major" and finding.verified


def dropped(finding: Finding) -> bool:
    """True if a finding cannot be true: it names a file and a quote, and the quote is not there."""
    return bool(finding.file and finding.quote) and not finding.verified


def judge(verdicts: Mapping[str, Verdict], reviewers: Sequence[str], deadline_passed: bool) -> Judgement:
    """Compute the outcome of a review.

    Args:
        verdicts: By reviewer; only verdicts on this review, this commit and these requirements, that came before the
            deadline. Names that are no reviewers of this review are ignored.
        reviewers: Who was asked.
        deadline_passed: True once no further verdict will be taken.
    """
    asked = tuple(dict.fromkeys(reviewers))
    heard = {name: verdicts[name] for name in asked if name in verdicts}
    if len(heard) < len(asked) and not deadline_passed:
        return Waiting()
    answers = {name: verdict for name, verdict in heard.items() if verdict.vote != "abstained"}
    findings = standing(answers)
    approvals = sum(verdict.vote == "approved" for verdict in answers.values())
    refusals = len(answers) - approvals
    if any(vetoes(finding) for finding in findings) or (refusals and not _majority(len(asked) - refusals, len(asked))):
        return Rejected(findings, _reasons(answers, findings))
    missing = tuple(name for name in asked if name not in answers)
    if missing or len(asked) < TRIO:
        return NoQuorum(missing, _no_quorum(asked, heard, missing))
    if _majority(approvals, len(asked)):
        return Approved()
    return Rejected(findings, _reasons(answers, findings))


def _majority(votes: int, of: int) -> bool:
    return votes * 2 > of


def standing(answers: Mapping[str, Verdict]) -> tuple[Finding, ...]:
    """What was found and may be true, verified majors first."""
    found = [finding for verdict in answers.values() for finding in verdict.findings if not dropped(finding)]
    return tuple(sorted(found, key=lambda finding: (not vetoes(finding), finding.severity != "major")))


def _reasons(answers: Mapping[str, Verdict], findings: Sequence[Finding]) -> str:
    against = [name for name, verdict in answers.items() if verdict.vote == "needs_revision"]
    lines = [
        f"{len(against)} of {len(answers)} reviewers ask for changes" + (f" ({', '.join(against)})" if against else "")
    ]
    lines += [_line(finding) for finding in findings]
    lines += [f"{name}: {answers[name].notes}" for name in against if answers[name].notes]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    said = finding.scenario or finding.quote or finding.requirement or "no scenario given"
    return f"{finding.severity}" + (f" {place}" if place else "") + f": {said}"


def _no_quorum(asked: Sequence[str], heard: Mapping[str, Verdict], missing: Sequence[str]) -> str:
    if len(asked) < TRIO:
        return f"{len(asked)} reviewers were asked; it takes {TRIO}"
    reasons = (
        f"{name} abstained: {heard[name].notes}" if name in heard else f"{name} did not answer" for name in missing
    )
    return "; ".join(reasons)
