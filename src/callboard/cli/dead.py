"""`callboard dead`: messages that nobody could handle, kept until a person decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from callboard.cli.options import Json
from callboard.cli.output import print_json, say
from callboard.cli.output import show as show_table
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.bus.bus import Bus
    from callboard.bus.dead_letters import DeadLetter

T = TypeVar("T")
Id = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id.")]

dead = typer.Typer(no_args_is_help=True, help="Messages that nobody could handle: list, show, retry, drop.")


@dead.command("list")
def list_(json: Json = False) -> None:
    """Every dead letter, oldest first."""
    from callboard.cli.lists import dead_letters_table

    letters = _on_bus(lambda bus: bus.dead())
    if json:
        print_json(letters)
    elif not letters:
        say("no dead letters")
    else:
        show_table(dead_letters_table(letters))
        say("`callboard dead show ID` shows one whole; retry sends it again, drop deletes it")


@dead.command()
def show(id: Id, json: Json = False) -> None:
    """One dead letter, whole."""
    letter = _find(id, _on_bus(lambda bus: bus.dead()))
    if json:
        print_json(letter)
        return
    say(f"dead letter {letter.id}, buried {letter.at:%Y-%m-%d %H:%M:%SZ} from the inbox of {letter.inbox}")
    say(f"reason: {letter.reason}, after {letter.failures} failures")
    say(f"error: {letter.error or 'none'}")
    say(letter.envelope.model_dump_json(indent=2) if letter.envelope else f"unreadable: {letter.raw}")


@dead.command()
def retry(id: Id, json: Json = False) -> None:
    """Send a dead letter again, to the same inbox, its failures forgotten."""
    _on_bus(lambda bus: bus.dead_retry(id))
    _done(id, "is in its inbox again", json=json)


@dead.command()
def drop(id: Id, json: Json = False) -> None:
    """Delete a dead letter; the journal keeps what it was."""
    _on_bus(lambda bus: bus.dead_drop(id))
    _done(id, "is deleted; the journal keeps what it was", json=json)


def _done(id: str, said: str, *, json: bool) -> None:
    if json:
        print_json({"ok": True, "id": id})
    else:
        say(f"dead letter {id} {said}")


def _find(id: str, letters: list[DeadLetter]) -> DeadLetter:
    from callboard.bus.dead_letters import no_such_letter

    found = next((letter for letter in letters if letter.id == id), None)
    if found is None:
        raise no_such_letter(id, (letter.id for letter in letters))
    return found


def _on_bus(act: Callable[[Bus], Awaitable[T]]) -> T:
    from callboard.launch.joining import current_run, open_bus

    workspace = open_workspace()

    async def work() -> T:
        async with open_bus(workspace, current_run(workspace)) as bus:
            return await act(bus)

    return wait_for(work())
