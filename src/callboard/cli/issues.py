"""`callboard issues`: what was seen to be wrong and did not stop a landing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.output import listed, plural, print_json, say, show
from callboard.cli.session import open_workspace, tell_manager, wait_for

if TYPE_CHECKING:
    from callboard.bus.board import Board
    from callboard.launch.issue_rows import IssueRow, Issues, TierRow

issues = typer.Typer(
    help="What is wrong and did not stop a landing: of this run, or the whole backlog; show, add, close."
)

Key = Annotated[str, typer.Argument(metavar="KEY", help="The issue, as `callboard issues` lists it.")]


@issues.callback(invoke_without_command=True)
def _list(
    context: typer.Context,
    backlog: Annotated[bool, typer.Option("--backlog", help="All that is open, also what earlier runs left.")] = False,
    closed: Annotated[bool, typer.Option("--all", help="Also what was closed in this run.")] = False,
    json: Json = False,
) -> None:
    """The issues that were seen in this run, and how many its tiers may have."""
    if context.invoked_subcommand is not None:
        return
    from callboard.launch.issue_rows import issues as read

    found = read(_board(), backlog=backlog, closed=closed)
    if json:
        print_json(found)
    else:
        _tell(found, backlog=backlog)


@issues.command("show")
def show_one(key: Key, json: Json = False) -> None:
    """One issue with everything that is known of it."""
    from callboard.bus.issues import IssueDoc
    from callboard.launch.issue_rows import row

    board = _board()
    issue = board.get(f"issue:{key}", IssueDoc)
    if not issue.version:
        raise ConfigError(f"no issue {key!r}; {_near(board, key)}", key="KEY")
    found = row(board, issue)
    if json:
        print_json(found)
        return
    for line in _described(found):
        say(line)


@issues.command()
def add(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is wrong, in a line.")],
    key: Annotated[str, typer.Option(help="Its key, where it has one; else made of category and title.")] = "",
    major: Annotated[bool, typer.Option("--major", help="Not a small thing.")] = False,
    category: Annotated[str, typer.Option(help="What kind of thing, such as test_failure.")] = "",
    task: Annotated[str, typer.Option(metavar="TASK", help="The task that it is about, such as T-3.")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(help="Where it can be seen, such as app/main.py:12; as many as you like.")
    ] = None,
    json: Json = False,
) -> None:
    """Keep an issue. The same key again counts once more."""
    from callboard.bus.issues import Report
    from callboard.bus.messages import IssueReported

    if not title.strip() or "\n" in title.strip():
        raise ConfigError("a title is one line that is not empty; put the rest into --evidence", key="TITLE")
    report = Report(
        key=key,
        title=title.strip(),
        severity="major" if major else "minor",
        category=category,
        evidence=tuple(evidence or ()),
    )
    tell_manager(open_workspace(), IssueReported(report=report, task=task), json=json)


@issues.command()
def close(
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; it stands in the logs.")] = "",
    json: Json = False,
) -> None:
    """Say that an issue is mended, or will not be. Seen again, it is open again."""
    from callboard.bus.messages import IssueClosed

    tell_manager(open_workspace(), IssueClosed(key=key, reason=reason), json=json)


def _board() -> Board:
    from callboard.launch.joining import current_run, open_bus

    workspace = open_workspace()

    async def read() -> Board:
        async with open_bus(workspace, current_run(workspace)) as bus:
            return await bus.board()

    return wait_for(read())


def _near(board: Board, key: str) -> str:
    from difflib import get_close_matches

    from callboard.bus.issues import IssueDoc

    near = get_close_matches(key, [issue.key for issue in board.all(IssueDoc)], n=1)
    return f"did you mean {near[0]}?" if near else "`callboard issues --backlog` lists them"


def _tell(found: Issues, *, backlog: bool) -> None:
    from callboard.cli.issue_table import issues_table

    if found.issues:
        show(issues_table(found.issues))
    else:
        say(
            "no open issue" if backlog else "no open issue was seen in this run; `callboard issues --backlog` shows all"
        )
    say(f"run {found.run}: {found.minors} of {found.minors_cap} minor, {found.majors} major")
    for tier in found.tiers:
        say(_tier(tier))


def _tier(tier: TierRow) -> str:
    majors = f"{tier.majors} major" if tier.majors_cap is None else f"{tier.majors} of {tier.majors_cap} major"
    state = "clean" if tier.cleanliness == "clean" else "not clean: " + "; ".join(tier.problems)
    return f"tier {tier.name}: {tier.minors} of {tier.minors_cap} minor, {majors}, {tier.gate_runs} of {plural(tier.gate_runs_cap, 'gate run')}; {state}"


def _described(issue: IssueRow) -> list[str]:
    older = f", counts as {issue.severity} by its age" if issue.severity != issue.given else ""
    ages = f"{plural(issue.age_runs, 'run')} and {plural(issue.age_tiers, 'tier')} old"
    said = [
        f"{issue.key}  {issue.state}" + (f": {issue.closed_because}" if issue.closed_because else ""),
        f"  {issue.title}",
        f"  {issue.given}{older}; {ages}; seen {issue.count} times, first in {issue.first_run}, last in {issue.last_run}",
    ]
    if issue.clean_up:
        said.append(f"  {issue.clean_up} cleans it up")
    for one in issue.sightings:
        about = one.task or "no task"
        said.append(f"  {about}, by {one.source}, {one.count} times: {listed(one.evidence, 'nothing to look at')}")
    return said
