"""Commands about what waits for people: questions, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import ConfigError
from callboard.cli.options import Json
from callboard.cli.output import print_json, say, show
from callboard.cli.person import As
from callboard.cli.session import open_workspace, tell_manager, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.board import Board


def questions(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are answered or closed.")] = False,
    json: Json = False,
) -> None:
    """What waits for people: questions of agents, approvals, caps that are reached."""
    from callboard.bus.questions import QuestionDoc
    from callboard.cli.advice import answering
    from callboard.cli.lists import questions_table
    from callboard.launch.summarise import question

    workspace = open_workspace()
    board = wait_for(_board(workspace))
    rows = [question(doc) for doc in board.all(QuestionDoc) if everything or doc.state == "open"]
    if json:
        print_json(rows)
    elif not rows:
        say("no open question")
    else:
        show(questions_table(rows))
        for row in rows:
            if row.state == "open":
                say(f"{row.id}: {answering(row)}")


async def _board(workspace: Workspace) -> Board:
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return await bus.board()


def answer(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Its id, such as q-1.")],
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="Your answer; where options are given, one of them.")
    ] = None,
    takes_default: Annotated[bool, typer.Option("--default", help="Take its default.")] = False,
    as_: As = "",
    json: Json = False,
) -> None:
    """Answer a question; the task that waits for it goes on.

    `callboard questions` says who may answer which.
    """
    from callboard.bus.messages import CommandGiven

    if takes_default is (text is not None):
        raise ConfigError("give either your answer or --default", key="TEXT")
    command = CommandGiven(command="answer", question=question, text=text or "", takes_default=takes_default)
    tell_manager(open_workspace(), command, json=json, by=as_)
