"""`callboard serve`: the HTTP API and the dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note, print_json_line, say
from callboard.cli.session import open_workspace


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 in a container.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0 = any that is free. Unless said, what callboard.toml says, else 8000."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="/PATH", help="Where a proxy in front of it has put it, such as /callboard.")
    ] = "",
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="A proxy whose X-Forwarded-For and -Proto are believed; as many as you like."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Serve the dashboard and the HTTP API until Ctrl-C.

    `callboard token create` makes the tokens that it asks for; /docs describes it.
    """
    from callboard.bus.errors import ConfigError
    from callboard.cli.person import who
    from callboard.web.server import Place
    from callboard.web.server import serve as serve_at
    from callboard.web.tokens import Tokens, login_link

    if root_path and (not root_path.startswith("/") or root_path.endswith("/")):
        raise ConfigError("expected a path such as /callboard", key="--root-path")
    workspace = open_workspace()

    def told(address: str) -> None:
        name = who(workspace)
        link = login_link(Tokens(workspace.layout.tokens), name, address)
        if json:
            print_json_line({"address": address, "login": link})
        else:
            say(f"dashboard: {link}")
            say(f"the API is described at {address}/docs")
            note("the link logs in once, within ten minutes; `callboard token login` prints another. Ctrl-C ends it")

    at = workspace.settings.web.port if port is None else port
    serve_at(workspace, Place(host, at, root_path, tuple(proxy or ())), told)
