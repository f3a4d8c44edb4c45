"""Facts for feedback entries, as the sentences people read. Facts are built from results, never from what a brain says.

Every function returns single lines of inline Markdown, ready for `FeedbackLogged.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from callboard.bus.problems import Advice
from callboard.bus.reviews import Synthesis
from callboard.bus.task import CommandResult, Finding

SHOWN = 20
"""How many files or items a fact names before it counts the rest; the commit has them all."""


def command_fact(result: CommandResult) -> str:
    """`pytest -q` -> 0 in 1.3 s (sha256 9c1f64...)"""
    stopped = " (stopped at its time limit)" if result.exit_code == 124 else ""
    return f"{_code(result.command)} -> {result.exit_code}{stopped} in {result.duration_s:.1f} s (sha256 {result.digest[:6]}...)"


def commit_fact(sha: str | None, branch: str, files: Sequence[str]) -> str:
    """commit `3f2a1bc` on `driver-1/work`, 2 files: `app/main.py`, `tests/test_health.py`"""
    if sha is None:
        return "no commit: nothing was changed"
    return f"commit {_code(sha[:7])} on {_code(branch)}, {_count(files, 'file')}{_listed(': ', files)}"


def time_fact(at: datetime) -> str:
    """2026-03-02 12:00:00Z"""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def finding_fact(finding: Finding) -> str:
    """major finding at `app/main.py:12` against what is asked: empty input crashes; quote `data[0]` (verified)"""
    place = finding.file + (f":{finding.line}" if finding.line else "")
    parts = [
        f"{finding.severity} finding",
        f" at {_code(place)}" if place else "",
        f" against {finding.requirement}" if finding.requirement else "",
        f": {finding.scenario}" if finding.scenario else "",
        f"; quote {_code(finding.quote)} ({'verified' if finding.verified else 'not verified'})"
        if finding.quote
        else "",
        f"; command {_code(finding.command)}" + (f": {finding.ran}" if finding.ran else "") if finding.command else "",
        f"; dropped: {finding.dropped}" if finding.dropped else "",
    ]
    return _one_line("".join(parts))


def synthesis_facts(made: Synthesis) -> tuple[str, ...]:
    """to change: check the length (F-1, F-2)"""
    return _lines(
        *(f"to change: {item.text} ({', '.join(item.findings)})" for item in made.items),
        *(f"out of scope: {it.finding}: {it.reason}" for it in made.dismissed),
        *(f"not counted: {why}" for why in made.refused),
    )


def advice_facts(advice: Advice, *, chooses: bool = False) -> tuple[str, ...]:
    """rests on `team-blue` at docs/accounts.md:3

    Args:
        chooses: It was shown proposals.
    """
    word = {"answer": "answers", "cannot_say": "cannot say", "abstained": "gave no answer"}[advice.says]
    if advice.says == "answer" and (chooses or advice.choice):
        word = f"chooses proposal {advice.choice}" if advice.choice else "chooses none of the proposals"
    sure = ", and is sure" if advice.says == "answer" and advice.is_sure else ""
    return _lines(
        word + sure,
        *((f"because: {advice.reasons}",) if advice.reasons else ()),
        *(
            f"rests on {_code(it.quote)} at {it.file}:{it.line}{'' if it.verified else ' (not found there)'}"
            for it in advice.references
        ),
    )


def startup_facts(
    *, rules: Sequence[str], direction_version: str, canon: Sequence[str], branch: str, open_work: Sequence[str]
) -> tuple[str, ...]:
    """The four steps of a startup, in order: rules, direction version, canon, state of branch and open work.

    Args:
        rules: The memory locks it works under.
        direction_version: `Briefing.version`; "" for an agent without a direction file.
        canon: What its direction names as canon.
        branch: Its branch and where that stands, such as `driver-1/work` or `driver-1/work at 3f2a1bc`.
        open_work: Ids or titles of what it has begun and not ended.
    """
    return _lines(
        f"1. rules: {_items(rules, 'none given')}",
        f"2. direction: {'version ' + _code(direction_version) if direction_version else 'no direction file'}",
        f"3. canon: {_items(canon, 'none named')}",
        f"4. branch: {branch}; open work: {_items(open_work, 'none')}",
    )


def shutdown_facts(
    *,
    done: Sequence[str],
    evidence: Sequence[str],
    blockers: Sequence[str],
    uncommitted: Sequence[str],
    questions: Sequence[str],
    branch: str,
    next_up: str,
) -> tuple[str, ...]:
    """The seven steps of a shutdown, in order.

    Args:
        done: Tasks ended since the startup.
        evidence: What was handed in, such as commits.
        blockers: Open blockers.
        uncommitted: Paths with work that is in no commit.
        questions: Open questions.
        branch: Its branch and where that stands.
        next_up: What it would do next; "" when nothing waits.
    """
    return _lines(
        f"1. done: {_items(done, 'nothing')}",
        f"2. evidence: {_items(evidence, 'none')}",
        f"3. blockers: {_items(blockers, 'none')}",
        f"4. uncommitted work: {_items([*map(_code, uncommitted)], 'none')}",
        f"5. questions: {_items(questions, 'none')}",
        f"6. branch: {branch or 'none'}",
        f"7. next: {next_up or 'nothing waits'}",
    )


def _lines(*facts: str) -> tuple[str, ...]:
    return tuple(map(_one_line, facts))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).strip()


def _code(text: str) -> str:
    """A code span that holds any text, also one with backticks."""
    line = _one_line(text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def _count(items: Sequence[str], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _listed(before: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    return before + ", ".join(map(_code, items[:SHOWN])) + _rest(items)


def _items(items: Sequence[str], none: str) -> str:
    return "; ".join(items[:SHOWN]) + _rest(items) if items else none


def _rest(items: Sequence[str]) -> str:
    return f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
