"""Work that is kept under a ref and is on no branch.

| where                 | ref                                         | what |
|-----------------------|---------------------------------------------|------|
| the user's repository | refs/callboard/<run>/wip/<task>/<attempt>   | parked: what an agent had when it could not go on |
| the user's repository | refs/callboard/<run>/tasks/<task>/<attempt> | handed in, and taken in by the gate |
| an agent's vault      | refs/wip/..., refs/handin/...               | the same before it was fetched, and what was refused |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from callboard.agents.workspace.clone import HANDIN, WIP
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_names import is_branch_name
from callboard.agents.workspace.layout import Layout
from callboard.bus.errors import WorkspaceError

PINS = "refs/callboard"
_PIN = re.compile(rf"{PINS}/[^/]+/(?:wip|tasks)/.+")
_FORMAT = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(authorname)%00%(contents:subject)"


@dataclass(frozen=True, slots=True)
class KeptRef:
    """One ref that keeps a commit."""

    ref: str
    source: Path | None
    """The vault it is in; None = the user's repository."""
    agent: str
    commit: str
    at: datetime
    subject: str
    on_branch: bool
    """Whether a branch contains it that is not just what an agent last handed in."""

    @property
    def name(self) -> str:
        """The ref without what all of them begin with: `run-1/wip/T-3/1`, or `driver-1/handin/T-3/1` in a vault."""
        if self.source is None:
            return self.ref.removeprefix(f"{PINS}/")
        return f"{self.source.stem}/{self.ref.removeprefix('refs/')}"


def kept_refs(layout: Layout, repository: Repository) -> list[KeptRef]:
    """Everything that is kept, the newest first. A commit that several refs keep is there once: in the repository."""
    found = [ref for ref in _refs(repository, None, PINS) if _PIN.fullmatch(ref.ref)]
    agents = []
    for path in sorted((layout.home / "vaults").glob("*.git")):
        agents.append(path.stem)
        found += _refs(Repository(path, git_dir=path), path, WIP, HANDIN)
    once = {ref.commit: ref for ref in reversed(found)}
    lost = unbranched(repository, once, agents)
    judged = [replace(ref, on_branch=ref.commit not in lost) for ref in once.values()]
    return sorted(judged, key=lambda ref: (ref.at, ref.name), reverse=True)


def unbranched(repository: Repository, commits: Iterable[str], agents: Sequence[str]) -> set[str]:
    """Those of the commits that no branch of the repository contains, the agents' work branches apart."""
    wanted = set(commits)
    present = set(repository.sizes(wanted)) if wanted else set()
    if not present:
        return wanted
    apart = [f"--exclude={agent}/work" for agent in agents]
    stdin = "".join(f"{sha}\n" for sha in present).encode()
    outside = repository.run("rev-list", "--stdin", "--not", *apart, "--branches", stdin=stdin).text.split()
    return (wanted - present) | (present & set(outside))


def set_aside(layout: Layout) -> list[Path]:
    """Git directories in which brains had branches of their own, moved out of their clones; nobody has read them."""
    return sorted((layout.home / "kept").glob("*/*.git"))


def find_kept(name: str, refs: Sequence[KeptRef]) -> KeptRef:
    """The one that a name, a full ref, or the beginning of a commit id (7 digits or more) means.

    Raises:
        WorkspaceError: There is none, or more than one.
    """
    exact = [ref for ref in refs if name in (ref.name, ref.ref)]
    matching = exact or [ref for ref in refs if len(name) >= 7 and ref.commit.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise WorkspaceError(f"{name!r} names {len(matching)} kept works: {', '.join(ref.name for ref in matching)}")
    raise WorkspaceError(f"nothing is kept as {name!r}; `callboard recover` lists what is")


def bring_back(repository: Repository, kept: KeptRef, branch: str) -> None:
    """Make a branch at the kept commit. Nothing is checked out; the same again is fine.

    Raises:
        WorkspaceError: The branch exists on another commit, or cannot have this name.
    """
    if not is_branch_name(branch):
        raise WorkspaceError(f"{branch!r} cannot name a branch; use letters, digits, `.`, `_`, `-` and `/`")
    target = f"refs/heads/{branch}"
    existing = repository.resolve(target)
    if existing not in (None, kept.commit):
        raise WorkspaceError(f"branch {branch} exists already, at {existing[:12]}; choose another name")
    if existing is None and kept.source is None:
        repository.update_ref(target, kept.commit, None)
    elif existing is None and kept.source is not None:
        repository.fetch_commit(kept.source, kept.ref, kept.commit, target)


def _refs(where: Repository, source: Path | None, *prefixes: str) -> list[KeptRef]:
    lines = where.run("for-each-ref", f"--format={_FORMAT}", *prefixes).text.splitlines()
    rows = (line.split("\0") for line in lines)
    return [
        KeptRef(ref, source, author, sha, datetime.fromtimestamp(int(at), UTC), subject, False)
        for ref, sha, at, author, subject in rows
        if at  # what is no commit has no date, and is none of ours
    ]
