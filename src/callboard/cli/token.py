"""`callboard token`: who may ask the HTTP API, and for what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note, print_json, say, show
from callboard.cli.session import open_workspace
from callboard.launch.rows import by_field

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.web.tokens import Token, Tokens

token = typer.Typer(no_args_is_help=True, help="Who may ask the HTTP API, and for what: create, list, revoke.")


@token.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; what they do stands under this name.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, answer, operate or agent; as many as you like. Only read, unless said."),
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="How long it is good; 0 = until it is revoked.")] = 0,
    json: Json = False,
) -> None:
    """Make a token. It is shown once, and kept only as a hash."""
    from callboard.bus.errors import ConfigError
    from callboard.cli.plain import one_line

    shown = one_line(name).strip()[:100]
    if not shown:
        raise ConfigError("give a name: what they do stands under it", key="NAME")
    text, made = _tokens().create(shown, _scopes(scope or ["read"]), lasts=timedelta(days=days) if days else None)
    if json:
        print_json({"token": text, **by_field(_row(made))})
        return
    say(text)
    note(f"{made.name} may {', '.join(made.scopes)}; it is not shown again. `callboard token revoke {made.id}` ends it")


@token.command("list")
def list_(json: Json = False) -> None:
    """Every token; the oldest first."""
    from callboard.bus.clock import utc_now
    from callboard.cli.lists import plain_table
    from callboard.cli.plain import one_line

    found = _tokens().all()
    if json:
        print_json([_row(one) for one in found])
    elif not found:
        say("no token; `callboard token create NAME --scope read` makes one")
    else:
        table = plain_table("id", "made", "good until", "scopes", "name")
        for one in found:
            until = f"{one.expires_at:%Y-%m-%d %H:%MZ}" if one.expires_at else "it is revoked"
            style = "" if one.is_good(utc_now()) else "dim"
            table.add_row(
                one.id,
                f"{one.created_at:%Y-%m-%d %H:%MZ}",
                until,
                ", ".join(one.scopes),
                one_line(one.name),
                style=style,
            )
        show(table)


@token.command()
def login(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Under which name what is done there stands.")] = "",
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where the dashboard is served; that of the launch, unless said.")
    ] = "",
    json: Json = False,
) -> None:
    """Print a link that logs a browser in to the dashboard, once and within ten minutes."""
    from callboard.cli.person import who
    from callboard.web.tokens import login_link

    workspace = open_workspace()
    shown = who(workspace, name)
    link = login_link(_tokens(), shown, address.rstrip("/") or _served_at(workspace))
    if json:
        print_json({"link": link})
    else:
        say(link)
        note("it logs in once, within ten minutes")


def _served_at(workspace: Workspace) -> str:
    """By the launch that runs here, else where `callboard serve` is unless told otherwise."""
    from callboard.web.beside import address_file

    with suppress(OSError):
        return address_file(workspace).read_text()
    return f"http://127.0.0.1:{workspace.settings.web.port}"


@token.command()
def revoke(id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], json: Json = False) -> None:
    """Refuse a token from now on."""
    gone = _tokens().revoke(id)
    if json:
        print_json({"ok": True, "id": gone.id})
    else:
        say(f"token {gone.id} of {gone.name} is refused from now on")


def _tokens() -> Tokens:
    from callboard.web.tokens import Tokens

    return Tokens(open_workspace().layout.tokens)


def _scopes(given: list[str]) -> list[str]:
    from callboard.bus.errors import ConfigError
    from callboard.web.tokens import SCOPES

    named = [word.strip() for words in given for word in words.split(",")]
    if unknown := [word for word in named if word not in SCOPES]:
        raise ConfigError(f"there is no scope {unknown[0]!r}; there are: {', '.join(SCOPES)}", key="--scope")
    return named


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as `--json` prints it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None


def _row(one: Token) -> TokenRow:
    return TokenRow(one.id, one.name, one.scopes, one.created_at, one.expires_at)
