"""What a person can do next, read off a status; pure."""

from __future__ import annotations

import shlex

from callboard.bus.states import ENDED
from callboard.cli.output import plural
from callboard.cli.plain import one_line, stated
from callboard.launch.lost import ways_on
from callboard.launch.summary import QuestionRow, RunRow, Status

LISTED = 3
"""Questions that are spelled out; the rest are a number."""


def next_steps(status: Status) -> list[str]:
    """Sentences with the commands in them, most urgent first; empty while agents are at it."""
    run = status.run
    if run is None:
        return ["no run yet: write tasks into the direction files, then `callboard launch`"]
    return [
        *status.full,
        *_no_task(run),
        *_questions(status),
        *_dead_letters(run),
        *_pause(run),
        *_lost(status, run),
        *_promotion(run),
        *_launch(run),
    ]


def _no_task(run: RunRow) -> list[str]:
    is_unread = run.outlook == "moving"
    if run.running or is_unread or run.task_counts or run.state not in ("created", "running"):
        return []
    return [
        "the direction files hold no task: write some, as `### Task 1 - Its title` or a numbered list under a heading Tasks; "
        "`callboard directions check` says what is read in them, `callboard assign` gives one without a file"
    ]


def _questions(status: Status) -> list[str]:
    asked = [
        f"{row.id} ({row.task or 'the run'}) {'is overdue' if row.overdue else 'waits for ' + _whom(row)}: {answering(row)}"
        for row in status.questions
    ]
    left = len(asked) - LISTED
    return [*asked[:LISTED], f"{left} more: `callboard questions`"] if left > 0 else asked


def _whom(row: QuestionRow) -> str:
    return " or ".join(map(one_line, row.may_answer)) or "you"


def answering(row: QuestionRow) -> str:
    """The commands that answer it, as they are to be typed."""
    wants = [shlex.quote(option) for option in row.options[:LISTED]] if row.options else ['"..."']
    more = f" (or one of {len(row.options) - LISTED} more options)" if len(row.options) > LISTED else ""
    default = f"; `callboard answer {row.id} --default` takes {one_line(row.default)!r}" if row.default else ""
    if row.default and row.deadline and not row.overdue:
        default += f", which counts by itself from {row.deadline:%m-%d %H:%MZ} on"
    return one_line(" or ".join(f"`callboard answer {row.id} {want}`" for want in wants)) + more + default


def _dead_letters(run: RunRow) -> list[str]:
    if not run.dead_letters:
        return []
    them, it = ("messages", "them") if run.dead_letters > 1 else ("message", "it")
    goes_on = "" if run.running or run.outlook == "ended" else ", then `callboard launch` goes on"
    return [
        f"{run.dead_letters} {them} could not be handled, and what waits for {it} stands still: `callboard dead list` says why, "
        f"`callboard dead retry ID` sends {it} again{goes_on}"
    ]


def _pause(run: RunRow) -> list[str]:
    if run.state != "paused" or run.reason == "budget":
        return []
    if run.waits:
        is_asked = run.reason in ("question", "approval")
        lost = " (an agent is down, or missing): `callboard launch` tries again" if run.reason == "environment" else ""
        return [] if is_asked else [f"{run.detail}{lost}"]
    goes_on = "" if run.running else ", then `callboard launch` goes on"
    return [f"the run is paused ({run.detail or run.reason or 'no reason given'}): `callboard resume`{goes_on}"]


def _lost(status: Status, run: RunRow) -> list[str]:
    return [one_line(way) for way in ways_on(run, status.tasks)]


def _promotion(run: RunRow) -> list[str]:
    if run.state != "succeeded" or run.head in (run.base, run.promoted):
        return []
    if run.pull_request:
        return [f"{run.pull_request} waits to be merged; then `callboard promote` takes note of it"]
    return [f"everything has landed on {run.integration}: `callboard promote` moves {run.target} to it"]


def _launch(run: RunRow) -> list[str]:
    if run.running or run.outlook != "moving" or run.dead_letters:
        return []
    return ["nothing runs here now: `callboard launch` goes on where it stopped"]


def ending(status: Status) -> list[str]:
    """How a launch ended, in a few lines: what is done, what stays, what only people can do."""
    from callboard.cli.spend_text import spend_text

    run = status.run
    if run is None:
        return []
    landed = sum(merge.state == "landed" for merge in status.merges)
    done, total = run.task_counts.get("done", 0), sum(run.task_counts.values())
    waits = f", with {plural(run.dead_letters, 'dead letter')}" if run.dead_letters else ""
    stopped = f"is stopped{waits}" if run.state in ("created", "running") else stated(run.state, run.reason)
    head = f"run {run.id} {stopped}: {done} of {total} tasks done, {landed} landed on {run.integration}"
    standing = [f"{task.id} {task.title}" for task in status.tasks if task.standing and task.state not in ENDED]
    stays = [f"standing work stays: {', '.join(standing)}"] if standing else []
    spent = [spend_text(status.spend).plain] if status.spend.tokens else []
    return [head, *stays, *spent, *(f"* {step}" for step in next_steps(status))]
