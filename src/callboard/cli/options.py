"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
JsonLines = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout: one document, or one per line to follow.")
]
Env = Annotated[
    str, typer.Option("--env", metavar="NAME", help="An environment of callboard.toml; else the first one there.")
]
