"""`callboard recover`: work that was parked, refused or sent back is kept, and comes back as a branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import print_json, say, show
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.agents.workspace.kept import KeptRef


@dataclass(frozen=True, slots=True)
class KeptWork:
    """A kept commit, as `--json` gives it."""

    name: str
    """What `callboard recover` takes."""
    ref: str
    source: str
    """The repository it is in: `.`, or a vault's path from the workspace's root."""
    agent: str
    commit: str
    at: datetime
    subject: str
    on_branch: bool
    command: str
    """The git command that brings it back."""


@dataclass(frozen=True, slots=True)
class Recoverable:
    kept: tuple[KeptWork, ...]
    set_aside: tuple[str, ...]
    """Git directories in which brains had branches of their own. Nobody has read them: look into them with care."""


def recover(
    ref: Annotated[
        str, typer.Argument(metavar="NAME", help="What to bring back: a name from the list, or a commit.")
    ] = "",
    branch: Annotated[str, typer.Option(help="The branch to make of it.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what a branch contains already.")] = False,
    json: Json = False,
) -> None:
    """List work that is kept on no branch, or bring it back.

    Parked, refused and sent-back work is kept under a ref.
    With a name from the list and --branch it becomes a branch.
    """
    from callboard.agents.workspace.kept import bring_back, find_kept, kept_refs, set_aside

    workspace = open_workspace()
    refs = kept_refs(workspace.layout, workspace.repository)
    if not ref and branch:
        raise typer.BadParameter("name what to bring back too: `callboard recover NAME --branch BRANCH`")
    if not ref:
        wanted = [kept_work(kept, workspace.root) for kept in refs if everything or not kept.on_branch]
        aside = [str(path.relative_to(workspace.root)) for path in set_aside(workspace.layout)]
        _list(Recoverable(kept=tuple(wanted), set_aside=tuple(aside)), hidden=len(refs) - len(wanted), json=json)
        return
    found = find_kept(ref, refs)
    if branch:
        bring_back(workspace.repository, found, branch)
    _one(kept_work(found, workspace.root), branch, json=json)


def kept_work(kept: KeptRef, root: Path) -> KeptWork:
    source = "." if kept.source is None else str(kept.source.relative_to(root))
    branch = "recovered/" + kept.name.replace("/", "-")
    command = f"git branch {branch} {kept.commit}"
    if kept.source is not None:
        command = f"git fetch {source} {kept.ref}:refs/heads/{branch}"
    return KeptWork(
        name=kept.name,
        ref=kept.ref,
        source=source,
        agent=kept.agent,
        commit=kept.commit,
        at=kept.at,
        subject=kept.subject,
        on_branch=kept.on_branch,
        command=command,
    )


def _list(found: Recoverable, *, hidden: int, json: bool) -> None:
    from callboard.cli.lists import kept_table

    if json:
        print_json(found)
        return
    if found.kept:
        show(kept_table(found.kept))
        say(f"bring one back: `callboard recover {found.kept[0].name} --branch NAME`, or `{found.kept[0].command}`")
    else:
        say("nothing is kept that is on no branch")
    if hidden:
        say(f"{hidden} more on a branch already: `callboard recover --all`")
    for path in found.set_aside:
        say(f"{path}: a git directory with branches that a brain made; nobody has read it, look into it with care")


def _one(work: KeptWork, branch: str, *, json: bool) -> None:
    if json:
        print_json({"kept": work, "branch": branch or None})
    elif branch:
        say(f"branch {branch} is at {work.commit[:12]}: {work.subject}")
    else:
        say(f"{work.commit} by {work.agent}, {work.at:%Y-%m-%d %H:%M:%SZ}: {work.subject}")
        say(f"bring it back: `callboard recover {work.name} --branch NAME`, or `{work.command}`")
