"""What reviews of known changes come to: precision, recall, F1, false alarms. Pure.

A change is *stopped* where it is sent back: by a single reviewer's needs_revision, or by the trio's fixes, major_flaws or
blocked. Without an answer (an abstention, no quorum) it is neither stopped nor passed: a bug in it counts as missed, and a
clean one as no alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.review.changes import Case

from callboard.bus.task import Finding

DISTANCE = 2
"""Lines between a finding and the bug: a def line above it, or the line below, is the same place."""
LEAST_QUOTE = 8
"""Characters of a line that a quote must have to be taken for it."""

Says = Literal["stop", "pass", "none"]


@dataclass(frozen=True, slots=True)
class Word:
    """What came of one change."""

    case: Case
    says: Says
    findings: tuple[Finding, ...] = ()
    """What stands; of the trio, what it left open."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts; each ratio is None where nothing could have counted."""

    buggy: int
    clean: int
    caught: int
    """Buggy ones that were stopped."""
    located: int
    """Of those, the ones with a finding that hits the bug."""
    alarms: int
    """Clean ones that were stopped."""
    unanswered: int
    hits: int
    """Findings that hit a bug."""
    findings: int
    """Findings that stand, of all changes."""

    @property
    def precision(self) -> float | None:
        """Of what was stopped, how much had a bug."""
        return _ratio(self.caught, self.caught + self.alarms)

    @property
    def recall(self) -> float | None:
        return _ratio(self.caught, self.buggy)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.caught, self.buggy + self.caught + self.alarms)

    @property
    def false_alarms(self) -> float | None:
        return _ratio(self.alarms, self.clean)

    @property
    def located_recall(self) -> float | None:
        """How many bugs were stopped for the right reason."""
        return _ratio(self.located, self.buggy)

    @property
    def finding_precision(self) -> float | None:
        return _ratio(self.hits, self.findings)

    def as_json(self) -> dict[str, float | None]:
        counts = ("buggy", "clean", "caught", "located", "alarms", "unanswered", "hits", "findings")
        ratios = ("precision", "recall", "f1", "false_alarms", "located_recall", "finding_precision")
        named: dict[str, float | None] = {name: getattr(self, name) for name in (*counts, *ratios)}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in named.items()}


def score(words: Iterable[Word]) -> Score:
    given = tuple(words)
    caught = [word for word in given if word.case.is_buggy and word.says == "stop"]
    return Score(
        buggy=sum(word.case.is_buggy for word in given),
        clean=sum(not word.case.is_buggy for word in given),
        caught=len(caught),
        located=sum(any(is_hit(finding, word.case) for finding in word.findings) for word in caught),
        alarms=sum(not word.case.is_buggy and word.says == "stop" for word in given),
        unanswered=sum(word.says == "none" for word in given),
        hits=sum(is_hit(finding, word.case) for word in given for finding in word.findings),
        findings=sum(len(word.findings) for word in given),
    )


def by_class(words: Sequence[Word]) -> dict[str, Score]:
    """Class of bugs -> its score, by name."""
    classes = sorted({word.case.bug_class for word in words})
    return {name: score(word for word in words if word.case.bug_class == name) for name in classes}


def is_hit(finding: Finding, case: Case) -> bool:
    """Whether a finding is about the bug: in its file, within DISTANCE lines of it, or quoting one of its lines."""
    return any(
        finding.file in ("", path) and (_is_near(finding, path, lines) or _quotes(finding, _texts(case, path, lines)))
        for path, lines in case.bug.items()
    )


def _is_near(finding: Finding, path: str, bug: frozenset[int]) -> bool:
    if finding.file != path or finding.line < 1:
        return False
    last = finding.line + finding.quote.strip("\n").count("\n")
    return any(finding.line - DISTANCE <= line <= last + DISTANCE for line in bug)


def _quotes(finding: Finding, bug: Sequence[str]) -> bool:
    quoted = [text for line in finding.quote.split("\n") if len(text := line.strip()) >= LEAST_QUOTE]
    return any(text in line for text in quoted for line in bug)


def _texts(case: Case, path: str, lines: frozenset[int]) -> list[str]:
    shown = case.after[path].split("\n")
    return [shown[line - 1].strip() for line in sorted(lines)]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
