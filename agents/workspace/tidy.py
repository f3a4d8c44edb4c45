"""What may be removed of a stopped roster: clones, gate slots, scratch, and the refs of runs that are over.

Never anything with work that is kept nowhere else: what a clone holds goes into its vault first, and a run's refs go only
where the target branch contains them. Each agent's lock is held meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.files import remove
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.kept import PINS, unbranched
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.locks import ProcessLock
from callboard.agents.workspace.setup import forget
from callboard.bus.errors import CallboardError


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that can go, or that has to stay."""

    what: str
    """clone, slot, scratch, branch or pins."""
    name: str
    """A path from the workspace's root, a branch, or the prefix of pins."""
    act: Callable[[], None]
    """Removes it; does nothing when it is gone already."""
    size: int = 0
    """Bytes on disk; 0 for branches and pins."""
    count: int = 1
    why_not: str = ""
    """Why it stays, with the way out; "" = it can go."""


def removable_folders(layout: Layout, clone: Callable[[str], AgentClone]) -> Iterator[Removal]:
    """Clones, slots and scratch folders.

    Args:
        clone: Gives an agent's clone.
    """
    for path in _folders(layout.home / "clones"):
        yield _clone(layout, path, clone(path.name))
    for path in _folders(layout.home / "gates"):
        if path.suffix != ".git":
            # the git directory first: it says that the slot is set up
            yield _folder(layout, "slot", path, path.with_name(f"{path.name}.git"), path)
    for path in _folders(layout.home / "scratch"):
        yield _folder(layout, "scratch", path, path)


def removable_refs(repository: Repository, old_runs: Sequence[str], integration: str, target: str) -> Iterator[Removal]:
    """Integration branches and pins of runs that are over.

    Args:
        old_runs: Without the newest, which `launch` may go on with.
        integration: The setting, with `{run}` in it.
    """
    goal = repository.resolve(f"refs/heads/{target}")
    if goal is None:
        return
    checked_out = repository.checked_out()
    for run in old_runs:
        branch = integration.replace("{run}", run)
        tip = repository.resolve(f"refs/heads/{branch}")
        if tip is not None:
            why_not = "" if repository.is_ancestor(tip, goal) else f"{target} does not contain it: promote or merge it"
            if branch in checked_out:
                why_not = f"it is checked out in {checked_out[branch]}"
            yield Removal("branch", branch, _deletion(repository, {f"refs/heads/{branch}": tip}), why_not=why_not)
        yield from _pins(repository, run)


def _pins(repository: Repository, run: str) -> Iterator[Removal]:
    pins = {ref: sha for kind in ("tasks", "wip") for ref, sha in repository.refs(f"{PINS}/{run}/{kind}").items()}
    lost = unbranched(repository, pins.values(), agents=())
    for stays in (False, True):
        some = {ref: sha for ref, sha in pins.items() if (sha in lost) is stays}
        if some:
            why_not = "they are on no branch: `callboard recover` brings them back" if stays else ""
            name = f"{PINS}/{run}"
            yield Removal("pins", name, _deletion(repository, some), count=len(some), why_not=why_not)


def _deletion(repository: Repository, refs: dict[str, str]) -> Callable[[], None]:
    def delete() -> None:
        for ref, sha in refs.items():
            repository.delete_ref(ref, sha)

    return delete


def _folder(layout: Layout, what: str, named: Path, *paths: Path) -> Removal:
    def delete() -> None:
        for path in paths:
            remove(path)

    return Removal(what, str(named.relative_to(layout.root)), delete, sum(map(disk_usage, paths)))


def _clone(layout: Layout, path: Path, clone: AgentClone) -> Removal:
    name = str(path.relative_to(layout.root))

    def delete() -> None:
        lock = ProcessLock(layout.lock(path.name))
        lock.acquire()
        try:
            remove_clone(clone)
        finally:
            lock.release()

    return Removal("clone", name, delete, disk_usage(path), why_not=_why_clone_stays(clone))


def _why_clone_stays(clone: AgentClone) -> str:
    if not clone.checkout.git_dir.is_dir():
        return "its vault is gone, so what it holds cannot be kept; remove the folder yourself"
    try:
        left_out = clone.left_out()
    except CallboardError as error:
        return f"it could not be looked into: {error}"
    return f"no commit can hold {', '.join(left_out[:3])}; move it away first" if left_out else ""


def remove_clone(clone: AgentClone) -> None:
    """Keep what the clone holds in its vault, then remove it. A crash in between loses nothing; it can be repeated."""
    if not clone.path.is_dir():
        return
    start = clone.vault.resolve("HEAD")
    if start is not None:
        clone.prepare(start)
    forget(clone.checkout)
    remove(clone.path)


def disk_usage(path: Path) -> int:
    """Bytes of all files below; links are not followed."""
    total = 0
    for folder, _, files in os.walk(path):
        total += sum(os.lstat(Path(folder, name)).st_size for name in files)
    return total


def _folders(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if path.is_dir()) if top.is_dir() else []
