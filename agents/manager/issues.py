"""The issue tracker: what was seen to be wrong and did not stop a landing is kept, counted and taken over by later runs.

Nothing is lost that a person has not closed: what this run does not see again is open in the backlog still.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from callboard.agents.manager import carrying, tiers
from callboard.agents.manager.decision import Decision
from callboard.bus.board import TaskDoc
from callboard.bus.categories import is_high_risk
from callboard.bus.issues import (
    MOST_EVIDENCE,
    IssueDoc,
    IssueSource,
    Report,
    Severity,
    Sighting,
    is_key,
    issue_key,
)
from callboard.bus.messages import JOURNAL, BacklogCarried, CommandHandled, IssueClosed, IssueReported
from callboard.bus.task import CommandResult, Finding

MOST_OPEN = 1_000
"""Issues that are kept open; what comes beyond is only logged. A model that reports without end fills no board."""
MOST_AT_ONCE = 20
"""Issues that one hand-in may report."""
MOST_TITLE = 200
"""Characters of a title."""

_LINT = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+)(?::\d+)?:?\s*(?P<said>\S.*)")
"""As compilers and linters write it: `file:line:column: what`."""


def record(decision: Decision, report: Report, source: IssueSource, task: TaskDoc | None = None, via: str = "") -> str:
    """Note that an issue was seen, for the first time or again.

    Returns:
        Its key; "" when there are too many.
    """
    key = report.key if is_key(report.key) else issue_key(report.category or source, report.key or report.title)
    known = decision.board.get(f"issue:{key}", IssueDoc)
    if known.state == "closed" or not known.version:
        if len(tiers.open_issues(decision.board)) >= MOST_OPEN:
            decision.log(
                "progress", f"{MOST_OPEN} issues are open, so one is not kept", [_line(key, report)], task=task
            )
            return ""
        known = _opened(decision, known, key, report)
        decision.log("progress", f"issue {key}", [_line(key, report), f"seen by {source}"], task=task)
    given: Severity = "major" if task is not None and is_high_risk(task.task.category) else report.severity
    sighting = Sighting(
        task=task.id if task else "",
        source=source,
        severity=given,
        evidence=report.evidence[:MOST_EVIDENCE],
        at=decision.now,
        via=via,
        task_category=report.task_category,
    )
    changed = {
        "severity": "major" if "major" in (known.severity, given) else "minor",
        "count": known.count + 1,
        "last_run": decision.board.run.id,
        "last_at": decision.now,
        "sightings": _with(known.sightings, sighting),
    }
    decision.put(f"issue:{key}", known.model_copy(update=changed))
    return key


def _opened(decision: Decision, known: IssueDoc, key: str, report: Report) -> IssueDoc:
    """A new one; one that was closed and is seen again begins anew."""
    return IssueDoc(
        version=known.version,
        key=key,
        title=" ".join(report.title.split())[:MOST_TITLE] or key,
        category=report.category[:MOST_TITLE],
        severity=report.severity,
        first_run=decision.board.run.id,
        first_at=decision.now,
        tiers_before=len(decision.board.tracker.tiers_ended),
    )


def _with(sightings: tuple[Sighting, ...], new: Sighting) -> tuple[Sighting, ...]:
    """One sighting for each task and source; another of the same counts."""
    same = next((one for one in sightings if (one.task, one.source) == (new.task, new.source)), None)
    if same is None:
        return (*sightings, new)
    evidence = tuple(dict.fromkeys((*same.evidence, *new.evidence)))[-MOST_EVIDENCE:]
    grave: Severity = "major" if "major" in (same.severity, new.severity) else "minor"
    again = new.model_copy(update={"count": same.count + 1, "evidence": evidence, "severity": grave})
    return tuple(again if one is same else one for one in sightings)


def _line(key: str, report: Report) -> str:
    seen = f" ({', '.join(report.evidence[:3])})" if report.evidence else ""
    return f"{report.severity} `{key}`: {' '.join(report.title.split())[:MOST_TITLE]}{seen}"


# --- who reports -----------------------------------------------------------------------------------


def accepted_with(decision: Decision, task: TaskDoc, findings: Iterable[Finding]) -> None:
    """Findings that did not stop an approval stay as issues."""
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        # what a model says of the same fault differs each time; the rule it names and the text it quotes do not
        about = f"{finding.file} {finding.requirement or finding.quote or finding.scenario}"
        title = finding.scenario or finding.requirement or finding.quote or "a finding without words"
        key = issue_key("review", about)
        evidence = (place,) if finding.file else ()
        report = Report(key=key, title=title, severity=finding.severity, category="review", evidence=evidence)
        record(decision, report, "review", task)


def flaked(decision: Decision, task: TaskDoc, commands: Iterable[CommandResult]) -> None:
    """Commands of a gate that failed and passed on the same tree."""
    for result in commands:
        title = f"`{result.command}` failed and passed on the same tree"
        report = Report(key=issue_key("flake", result.command), title=title, category="flake")
        record(decision, report.model_copy(update={"evidence": (f"gate of {task.id}",)}), "gate", task)


def linted(decision: Decision, task: TaskDoc, commands: Iterable[CommandResult], files: Collection[str]) -> None:
    """What commands that stop nothing said of the files that the task changed; of one that says nothing of files, that it
    failed."""
    for result in commands:
        if result.passed:
            continue
        said = [found for line in result.tail.splitlines() if (found := _LINT.match(line.strip()))]
        if not said:
            title = f"`{result.command}` exited {result.exit_code}"
            key = issue_key("lint", result.command)
            report = Report(key=key, title=title, category="lint", evidence=(f"gate of {task.id}",))
            record(decision, report, "lint", task)
        own = [found for found in said if found["file"].removeprefix("./") in files]
        for found in own[:MOST_AT_ONCE]:
            key = issue_key("lint", f"{found['file']} {found['said']}")
            place = f"{found['file']}:{found['line']}"
            report = Report(key=key, title=found["said"], category="lint", evidence=(place,))
            record(decision, report, "lint", task)


def reported(decision: Decision, task: TaskDoc, reports: Iterable[Report]) -> None:
    """What a driver suggests beside its work. Its keys are its own, so they never meet another source's."""
    for report in tuple(reports)[:MOST_AT_ONCE]:
        about = f"{report.category} {report.key or report.title}"
        record(decision, report.model_copy(update={"key": issue_key("driver", about)}), "driver", task)


def heard(decision: Decision, body: IssueReported | IssueClosed | BacklogCarried) -> None:
    match body:
        case IssueReported():
            person_reported(decision, body)
        case IssueClosed():
            person_closed(decision, body)
        case BacklogCarried():
            carrying.carried(decision, body)


# --- people ----------------------------------------------------------------------------------------


def person_reported(decision: Decision, body: IssueReported) -> None:
    task = decision.board.task(body.task)
    if body.task and not task.version:
        _reply(decision, False, f"no task {body.task!r} on the board; `callboard status --all` lists them")
        return
    if body.report.key and not is_key(body.report.key):
        way_out = "use small letters, digits, `_`, `-` and `.`, at most 80"
        _reply(decision, False, f"{body.report.key!r} cannot be an issue's key: {way_out}")
        return
    key = record(decision, body.report, "person", task if body.task else None)
    if not key:
        _reply(decision, False, f"{MOST_OPEN} issues are open; close some first: `callboard issues close KEY`")
        return
    issue = decision.board.get(f"issue:{key}", IssueDoc)
    _reply(
        decision,
        True,
        f"issue {key} is kept, {issue.severity}, seen {issue.count} times"
        if issue.count > 1
        else f"issue {key} is kept, {issue.severity}",
    )


def person_closed(decision: Decision, body: IssueClosed) -> None:
    issue = decision.board.get(f"issue:{body.key}", IssueDoc)
    if not issue.version:
        _reply(decision, False, f"no issue {body.key!r}; `callboard issues --backlog` lists them")
    elif issue.state == "closed":
        _reply(decision, False, f"{issue.key} is closed already: {issue.closed_because}")
    else:
        close(decision, issue, body.reason or "closed by a person")
        _reply(decision, True, f"{issue.key} is closed; seen again, it is open again")


def close(decision: Decision, issue: IssueDoc, because: str) -> None:
    decision.put(f"issue:{issue.key}", issue.model_copy(update={"state": "closed", "closed_because": because}))
    decision.log("resolved", f"issue {issue.key}", [because])


def _reply(decision: Decision, ok: bool, text: str) -> None:
    decision.send(JOURNAL, CommandHandled(command=decision.cause.id, ok=ok, text=text))


# --- time ------------------------------------------------------------------------------------------


def settle(decision: Decision) -> None:
    """Issues grow older with each tier that comes to its end for the first time."""
    tracker = decision.board.tracker
    ended = [one.name for one in tiers.tiers(decision.board) if one.has_ended and one.name not in tracker.tiers_ended]
    if ended:
        decision.put("tracker", tracker.model_copy(update={"tiers_ended": (*tracker.tiers_ended, *ended)}))
