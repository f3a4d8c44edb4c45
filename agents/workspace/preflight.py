"""What must be true of a repository before a roster starts in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_names import is_branch_name
from callboard.agents.workspace.git_output import SUBMODULE_MODE, TreeEntry
from callboard.agents.workspace.git_runner import GitPlace, run_git
from callboard.bus.errors import GitError

OLDEST_GIT = (2, 38)
"""The first with `merge-tree --write-tree`, which merges without a checkout."""

_CONVERTED = re.compile(r"filter=(lfs|git-crypt)\b")


def problems(path: Path, *, agents: Sequence[str], integration: str, target: str) -> tuple[str, ...]:
    """Why no roster can start here, each as one sentence or two with the way out; empty = it can.

    Args:
        path: A folder in the user's checkout.
        agents: Names of the roster; each gets branches `<agent>/work` and `<agent>/log`.
        integration: The integration branch's short name.
        target: The short name of the branch that promotion moves.
    """
    return git_problems(path) or tuple(_repository_problems(Repository(path), agents, integration, target))


def git_problems(path: Path) -> tuple[str, ...]:
    """Why git cannot be used in a folder at all; the rest cannot be asked then."""
    try:
        version = run_git(GitPlace(path), ("version",)).text
    except GitError as error:
        return (str(error),)
    if (old := too_old(version)) is not None:
        return (old,)
    inside = Repository(path).run("rev-parse", "--is-inside-work-tree", accept=(0, 128))
    if "not a git repository" in inside.stderr:
        return (f"{path} is not in a git repository; run `git init`, commit something, and try again",)
    if inside.exit_code != 0:
        said = inside.stderr.strip().splitlines()[-1]
        return (f"git cannot read the repository of {path} ({said}); `git status` there must work first",)
    if inside.text != "true":
        return (f"{path} is a bare repository, which has no checkout; launch in a clone of it",)
    if Repository(path).resolve("HEAD") is None:
        return ("the repository has no commit yet; commit something (`git commit`) and try again",)
    return ()


def too_old(version: str) -> str | None:
    """What is wrong with this answer of `git version`; None when it is new enough."""
    found = re.search(r"(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) >= OLDEST_GIT:
        return None
    oldest = ".".join(map(str, OLDEST_GIT))
    return f"{version.strip() or 'git'} is too old; install git {oldest} or newer"


def _repository_problems(repository: Repository, agents: Sequence[str], integration: str, target: str) -> Iterator[str]:
    base = repository.resolve(f"refs/heads/{target}") if is_branch_name(target) else None
    if base is None:
        yield f"there is no branch {target}; create it, or set `[project] target` to the branch that promotion moves"
    yield from _content_problems(repository, base or repository.resolve("HEAD") or "")
    yield from promisor_problems(repository)
    ours = [*(f"{agent}/{kind}" for agent in agents for kind in ("work", "log")), integration]
    branches = [ref.removeprefix("refs/heads/") for ref in repository.refs("refs/heads")]
    yield from name_problems(branches, ours)
    yield from checkout_problems(repository.checked_out(), ours[:-1], "an agent's branch")


def _content_problems(repository: Repository, commit: str) -> Iterator[str]:
    entries = repository.entries(commit)
    if modules := submodules(entries):
        yield (
            f"the repository has submodules ({_some(modules)}), which agents' clones cannot hold; "
            "launch in a repository without them"
        )
    for path in sorted(entries):
        if path.rpartition("/")[2] == ".gitattributes":
            found = _CONVERTED.search((repository.read(commit, path) or b"").decode("utf-8", "replace"))
            if found:
                yield (
                    f"{path} sends files through {found[1]}, so clones would hold pointers instead of contents; "
                    "launch in a repository whose files are all in git itself"
                )


def submodules(entries: Mapping[str, TreeEntry]) -> list[str]:
    """The paths of a commit that are submodules."""
    return sorted(path for path, entry in entries.items() if entry.mode == SUBMODULE_MODE)


def promisor_problems(repository: Repository) -> Iterator[str]:
    """A partial clone fetches objects when they are first read; ours are not allowed to."""
    args = ("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$")
    if repository.run(*args, accept=(0, 1)).text:
        yield "the repository is a partial clone, which lacks objects; fetch them (`git fetch --refetch --no-filter`)"


def name_problems(branches: Iterable[str], ours: Iterable[str]) -> Iterator[str]:
    """Branches that make it impossible to create one of ours: git cannot have both `a` and `a/b`."""
    existing = sorted(branches)
    said = set()
    for name in ours:
        for other in existing:
            if (name.startswith(f"{other}/") or other.startswith(f"{name}/")) and other not in said:
                said.add(other)
                yield (
                    f"branch {other} makes {name} impossible; rename it (`git branch -m {other} <new name>`) "
                    "or rename the agent"
                )


def checkout_problems(checked_out: Mapping[str, Path], ours: Iterable[str], what: str) -> Iterator[str]:
    """Branches that we move must not be checked out: the checkout would no longer fit its branch."""
    for name in ours:
        if (folder := checked_out.get(name)) is not None:
            yield f"{name}, {what}, is checked out in {folder}; check out another branch there and launch again"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
