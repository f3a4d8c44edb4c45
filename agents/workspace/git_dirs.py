"""Git directories that we make: they borrow the user's objects, run nothing and change no byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from callboard.agents.workspace.files import remove
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.git_runner import GitPlace, run_git

RAW = "* -text -eol -ident -filter -working-tree-encoding\n"
"""For `info/attributes`, which outranks every `.gitattributes`: a file's bytes are the blob's bytes."""


def make_git_dir(path: Path, repository: Repository, *, excluded: Sequence[str] = ()) -> None:
    """Make a bare git directory that borrows the objects of `repository`; it is there whole, or not at all.

    Args:
        excluded: Ignore patterns that hold although no `.gitignore` has them.
    """
    new = _fresh(path)
    _init(new, repository)
    lend_objects(new, [repository])
    write_info(new, excluded)
    new.rename(path)


def mend_git_dir(path: Path, repository: Repository) -> None:
    """Write what git needs and is not there; objects and refs stay."""
    if not all((path / name).exists() for name in ("HEAD", "config", "objects", "refs")):
        _init(path, repository)


def make_dot_git(
    path: Path,
    lenders: Sequence[Repository],
    *,
    commit: str,
    branch: str,
    index: Path,
    identity: Person,
    excluded: Sequence[str] = (),
) -> None:
    """Make a `.git` for others to use: `branch` checked out at `commit`, no remote, nothing of ours in it.

    Args:
        path: Where it is made, outside the folder it is for; what was there is removed.
        lenders: Repositories whose objects it borrows, the user's first.
        index: An index that already describes the folder.
    """
    new = _fresh(path)
    _init(new, lenders[0])
    lend_objects(new, lenders)
    write_info(new, excluded)
    made = Repository(new, git_dir=new)
    made.update_ref(f"refs/heads/{branch}", commit, None)
    (new / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    (new / "index").write_bytes(index.read_bytes())
    for key, value in {
        "core.bare": "false",
        "core.logAllRefUpdates": "true",
        "core.autocrlf": "false",
        "user.name": identity.name,
        "user.email": identity.email,
        "gc.auto": "0",
    }.items():
        made.run("config", "--local", key, value)
    remove(path)
    new.rename(path)


def lend_objects(git_dir: Path, lenders: Sequence[Repository]) -> None:
    """Let a git directory read the objects of others. Nothing is linked or copied, so no write of it reaches them."""
    folders = [lender.git_path("objects").resolve() for lender in lenders]
    _write(git_dir / "objects" / "info" / "alternates", "".join(f"{folder}\n" for folder in folders))
    shallow = lenders[0].git_path("shallow")
    if shallow.is_file():
        _write(git_dir / "shallow", shallow.read_text())


def write_info(git_dir: Path, excluded: Sequence[str]) -> None:
    """Say what is ignored, and that bytes stay as they are."""
    _write(git_dir / "info" / "attributes", RAW)
    _write(git_dir / "info" / "exclude", "".join(f"{pattern}\n" for pattern in excluded))


def clear_locks(git_dir: Path) -> None:
    """Remove the locks that a killed git left; only where nobody else can be at work."""
    for path in [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]:
        path.unlink(missing_ok=True)


def ignore_pattern(path: str) -> str:
    """An ignore pattern for exactly this path, from the top."""
    escaped = "".join(f"\\{c}" if c in "\\*?[]! #" else c for c in path)
    return f"/{escaped}"


def _fresh(path: Path) -> Path:
    new = path.with_name(path.name + ".new")
    remove(new)
    new.parent.mkdir(parents=True, exist_ok=True)
    return new


def _init(path: Path, like: Repository) -> None:
    flags = ("--quiet", "--bare", "--template=", "--initial-branch=none", f"--object-format={like.object_format()}")
    run_git(GitPlace(path.parent), ("init", *flags, "--end-of-options", str(path)))


def _write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
