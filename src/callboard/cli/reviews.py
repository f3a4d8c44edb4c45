"""`callboard reviews`: what reviewers found, what became of it, and how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.output import listed, plural, print_json, say, show
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.board import Board
    from callboard.launch.review_rows import ReviewRow, Stats

reviews = typer.Typer(no_args_is_help=True, help="What reviewers found, what became of it, and how well they agree.")


@reviews.callback()
def _group() -> None:
    """What reviewers found, what became of it, and how well they agree."""


@reviews.command("stats")
def stats_(json: Json = False) -> None:
    """How the newest run's reviews ended, and how often the three of the trio agree.

    Kappa is Cohen's: 1 = two seats vote as one, 0 = as chance would have it.
    """
    from callboard.bus.board import ReviewDoc
    from callboard.launch.review_rows import stats

    board = wait_for(_board(open_workspace()))
    found = stats(board.run.id, board.all(ReviewDoc))
    if json:
        print_json(found)
    else:
        _show_stats(found)


@reviews.command("show")
def show_(task: Annotated[str, typer.Argument(metavar="TASK", help="Such as T-7.")], json: Json = False) -> None:
    """Every review of a task: votes, findings with their quotes, what was dropped and why, dissent."""
    from callboard.bus.board import ReviewDoc
    from callboard.launch.review_rows import review_row

    board = wait_for(_board(open_workspace()))
    if not board.task(task).version:
        raise ConfigError(f"no task {task!r} on the board; `callboard status` lists them")
    found = [review_row(it) for it in board.all(ReviewDoc) if it.task == task]
    found.sort(key=lambda row: (row.attempt, int(row.review.rpartition(".")[2])))
    if json:
        print_json(found)
        return
    for row in found:
        _show_review(row)
    if not found:
        state = board.task(task).state
        say(f"no review of {task} has ended its first round; the task is {state}")


async def _board(workspace: Workspace) -> Board:
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return await bus.board()


def _show_stats(found: Stats) -> None:
    from callboard.cli.lists import plain_table

    if not found.reviews:
        say(f"no review of run {found.run} has come to an outcome yet")
        return
    ends = listed(f"{count} {name}" for name, count in found.outcomes.items())
    say(f"{plural(found.reviews, 'review')} of run {found.run}: {ends}")
    say(
        f"{found.unanimous} unanimous, {found.second_rounds} with a second round, {found.asked_a_person} asked a person"
    )
    headings = (
        "verdicts",
        "approved",
        "abstained",
        "findings",
        "majors",
        "dropped",
        "proven",
        "dissents",
        "as it ended",
    )
    seats = plain_table("seat", *headings)
    for row in found.seats:
        numbers = (row.verdicts, row.approvals, row.abstentions, row.findings, row.majors, row.dropped, row.shown)
        seats.add_row(row.seat, *map(str, (*numbers, row.dissents)), _percent(row.agreed))
    pairs = plain_table("blind votes of", "on the same", "agree", "kappa")
    for pair in found.pairs:
        kappa = "-" if pair.kappa is None else f"{pair.kappa:.2f}"
        pairs.add_row(" and ".join(pair.seats), str(pair.reviews), _percent(pair.agreement), kappa)
    show(seats, pairs)


def _show_review(row: ReviewRow) -> None:
    ended = row.outcome or "open"
    say(f"{row.review}, attempt {row.attempt}, commit {row.commit[:12] or 'none'}: {ended}")
    for word in row.words:
        second = f", then {word.second}" if word.second else ""
        dissent = " (dissent)" if word.is_dissent else ""
        say(f"  {word.seat} {word.reviewer}: {word.blind}{second}{dissent}" + (f": {word.notes}" if word.notes else ""))
    for it in row.findings:
        place = f" at {it.place}" if it.place else ""
        against = f" against {it.requirement}" if it.requirement else ""
        say(f"  {it.became}: {it.severity} of {it.seat}{place}{against}: {it.scenario or 'no scenario given'}")
        for name, text in (("quote", it.quote), ("command", it.command), ("why", it.why)):
            if text:
                say(f"    {name}: {' '.join(text.split())}")
    for name, text in (("synthesis", row.synthesis), ("asked a person", row.stop)):
        if text:
            say(f"  {name}: {text}")
    for why in row.refused:
        say(f"  not counted: {why}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
