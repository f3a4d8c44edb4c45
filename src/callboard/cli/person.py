"""What a person is called who gives a command: `--as`, else CALLBOARD_PERSON, else git's user.name, else the login name.

Nothing proves it: it says in the logs who did what, and keeps people from answering by mistake what others should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.plain import one_line

if TYPE_CHECKING:
    from callboard.agents.workspace.git import Repository
    from callboard.app import Workspace

VARIABLE = "CALLBOARD_PERSON"
LONGEST = 100
"""Characters."""
As = Annotated[
    str, typer.Option("--as", metavar="NAME", help=f"Who you are; else ${VARIABLE}, git's user.name, your login name.")
]


def who(workspace: Workspace, given: str = "") -> str:
    """What whoever gives a command in a workspace is called; "" where nothing says.

    Args:
        given: What --as says.
    """
    return person_name(given, workspace.repository, workspace.environ)


def person_name(given: str, repository: Repository, environ: Mapping[str, str]) -> str:
    """The first of them that is there; "" when none is."""
    found = (one_line(name).strip()[:LONGEST] for name in _names(given, repository, environ))
    return next(filter(None, found), "")


def _names(given: str, repository: Repository, environ: Mapping[str, str]) -> Iterator[str]:
    yield given
    yield environ.get(VARIABLE, "")
    yield _git_name(repository, environ)
    yield environ.get("USER") or environ.get("LOGNAME") or ""


def _git_name(repository: Repository, environ: Mapping[str, str]) -> str:
    """Of the repository, else the person's own; of those files one value is read, and nothing they say is done."""
    home = Path(environ.get("HOME") or "/nonexistent")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [path for path in (home / ".gitconfig", config / "git" / "config") if path.is_file()]
    for env in ({}, *({"GIT_CONFIG_GLOBAL": str(path)} for path in files)):
        # 1: it is not set; 128 and others: a file that git cannot read is no reason to refuse an answer
        found = repository.run("config", "--get", "user.name", env=env, accept=range(256))
        if found.exit_code == 0 and found.text.strip():
            return found.text
    return ""
