"""A folder where others work, driven through a git directory that they do not get to see.

The folder's own `.git` is theirs: it is made for them, replaced, and never read by a git of ours. So no filter, hook or
setting written there runs here, and bytes go in and out of commits as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from callboard.agents.workspace.copies import NO_COPIES, Copies, is_copied
from callboard.agents.workspace.files import make_accessible, remove, walk
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.git_dirs import (
    clear_locks,
    ignore_pattern,
    lend_objects,
    make_dot_git,
    make_git_dir,
    mend_git_dir,
    write_info,
)
from callboard.agents.workspace.git_names import checked_sha
from callboard.agents.workspace.git_output import read_changes
from callboard.bus.errors import GitError

_FORBIDDEN_NAMES = (".git", "git~1")
"""A path with one of these, in any case, can be in no tree: git refuses it."""


@dataclass(slots=True)
class Checkout:
    """One such folder.

    Not to be used by two processes at once: the caller holds a lock.
    """

    folder: Path
    git_dir: Path
    repository: Repository
    """Whose objects it borrows: the user's."""
    made: tuple[str, ...] = ()
    """Untracked paths that setup made; never part of a commit."""
    copies: Copies = NO_COPIES
    """Files of the user's checkout that are needed here; never part of a commit."""
    git: Repository = field(init=False)
    """The folder, through our git directory."""

    def __post_init__(self) -> None:
        self.git = Repository(self.folder, git_dir=self.git_dir)

    def ensure(self) -> None:
        """Make what is missing, and mend what a killed process left half done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.git_dir.is_dir():
            make_git_dir(self.git_dir, self.repository, excluded=self._excluded())
            return
        clear_locks(self.git_dir)
        mend_git_dir(self.git_dir, self.repository)
        lend_objects(self.git_dir, [self.repository])
        write_info(self.git_dir, self._excluded())

    def _excluded(self) -> list[str]:
        return [ignore_pattern(path) for path in (*self.made, *self._copied())]

    def _copied(self) -> tuple[str, ...]:
        """What is a copy here, that of an earlier setting too."""
        record = self.git_dir / "callboard-copied"
        earlier = record.read_text().split("\0") if record.exists() else []
        return tuple(dict.fromkeys((*self.copies.paths, *filter(None, earlier))))

    # --- folder -> tree ----------------------------------------------------------------------------

    def snapshot(self, base: str | None) -> str:
        """The folder as a tree: tracked files as they are now, new files unless `base` or the folder ignores them."""
        try:
            return self._snapshot(base, self._stage)
        except GitError:
            # what we may not read, or a torn index, is the usual cause; what git refuses even then is left out
            make_accessible(self.folder)
            remove(self.git_dir / "index")
            return self._snapshot(base, self._stage_what_can_be)

    def _snapshot(self, base: str | None, stage: Callable[[Sequence[str]], None]) -> str:
        if base and not (self.git_dir / "index").exists():
            self.git.run("read-tree", checked_sha(base))
        records = self.git.run("diff-files", "--raw", "--no-abbrev", "-z", "--ignore-submodules=all").records
        changed = {change.path: change.status for change in read_changes(records)}
        gone = [path for path, status in changed.items() if status == "D"]
        if gone:
            # apart from the others: git refuses to update a path whose folder has become a link
            self.git.run("update-index", "--force-remove", "-z", "--stdin", stdin=_joined(gone))
        present = [path for path, status in changed.items() if status != "D"] + self._new_files(base)
        if present:
            stage(present)
        return self.git.run("write-tree").text

    def _stage(self, paths: Sequence[str]) -> None:
        self.git.run("update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=_joined(paths))

    def _stage_what_can_be(self, paths: Sequence[str]) -> None:
        try:
            self._stage(paths)
        except GitError:
            middle = len(paths) // 2
            for half in (paths[:middle], paths[middle:]) if middle else ():
                self._stage_what_can_be(half)

    def _new_files(self, base: str | None) -> list[str]:
        found: list[str] = []
        for path in self.git.run("ls-files", "--others", "--exclude-standard", "-z").records:
            # a folder stands for a repository of its own, which git does not look into
            found += self._files_below(path) if path.endswith("/") else [path]
        copied = self._copied()
        # the folder's own .gitignore stands above ours
        found = [path for path in found if not is_forbidden(path) and not is_copied(copied, path)]
        ignored = self._ignored_by(base, found) if base and found else frozenset()
        return [path for path in found if path not in ignored]

    def _files_below(self, folder: str) -> list[str]:
        return [path for path, is_folder in walk(self.folder, folder) if not is_folder]

    def _ignored_by(self, base: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of these paths the ignore rules of `base` name; asked only when rules differ from the folder's."""
        rules = [path for path in self.git.entries(base) if path.rpartition("/")[2] == ".gitignore"]
        if all(self._is_as_in(base, path) for path in rules):
            return frozenset()
        with tempfile.TemporaryDirectory(prefix="callboard-rules-") as top:
            for path in rules:
                Path(top, path).parent.mkdir(parents=True, exist_ok=True)
                Path(top, path).write_bytes(self.git.read(base, path) or b"")
            there = Repository(Path(top), git_dir=self.git_dir)
            # check-ignore knows no literal paths; after `./` nothing is read as magic
            asked = _joined([f"./{path}" for path in paths])
            args, env = ("check-ignore", "--no-index", "-z", "--stdin"), {"GIT_LITERAL_PATHSPECS": "0"}
            found = there.run(*args, stdin=asked, env=env, accept=(0, 1)).records
            return frozenset(path.removeprefix("./") for path in found)

    def _is_as_in(self, base: str, path: str) -> bool:
        file = self.folder / path
        return file.is_file() and not file.is_symlink() and file.read_bytes() == self.git.read(base, path)

    def left_out(self) -> tuple[str, ...]:
        """Paths that no commit of ours holds: the `.git` of repositories inside the folder, and names git refuses."""
        args = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
        ignored = {path.rstrip("/") for path in self.git.run(*args).records}
        found = [path for path, _ in walk(self.folder, without=ignored) if path != ".git" and is_forbidden(path)]
        return tuple(sorted(path for path in found if not is_forbidden(path.rpartition("/")[0])))

    # --- tree -> folder ----------------------------------------------------------------------------

    def switch(self, commit: str, *, keep_ignored: bool = False, keep: Sequence[str] = ()) -> None:
        """Make the folder hold `commit`; untracked files go, but for ignored ones if so wished, and paths in `keep`."""
        options = [] if keep_ignored else ["-x"]
        options += [part for path in keep for part in ("-e", ignore_pattern(path))]
        try:
            self._switch(commit, options)
        except GitError:
            # in the way is something that git does not dare to remove; everything here may go
            for path in [*self.folder.iterdir(), self.git_dir / "index"]:
                remove(path)
            self._switch(commit, options)
        self._copy()

    def _switch(self, commit: str, clean: Sequence[str]) -> None:
        self.restore(commit)
        self.git.run("clean", "-ff", "-d", "--quiet", *clean)

    def _copy(self) -> None:
        """Bring the copies; those of an earlier setting go. They are on record before the first is there."""
        record, copied = self.git_dir / "callboard-copied", self._copied()
        if copied:
            record.write_text("\0".join(copied))
            self.copies.refresh(self.folder, without=[path for path in copied if path not in self.copies.paths])
            record.write_text("\0".join(self.copies.paths))

    def restore(self, commit: str) -> None:
        """Make tracked files what `commit` says; untracked ones stay."""
        self.git.run("read-tree", "--reset", "-u", checked_sha(commit))

    def untracked(self) -> tuple[str, ...]:
        """Untracked paths, ignored ones too; a wholly untracked folder is one path that ends in `/`."""
        return tuple(self.git.run("ls-files", "--others", "--directory", "--no-empty-directory", "-z").records)

    def expose(self, commit: str, branch: str, identity: Person) -> None:
        """Put a fresh `.git` into the folder, for those who work there."""
        made = self.git_dir.with_name(self.git_dir.name + ".dot")
        make_dot_git(
            made,
            [self.repository, self.git],
            commit=commit,
            branch=branch,
            index=self.git_dir / "index",
            identity=identity,
            excluded=self._excluded(),
        )
        remove(self.folder / ".git")
        made.rename(self.folder / ".git")


def is_forbidden(path: str) -> bool:
    """Whether git refuses a path because a part of it reads as `.git` on some file system."""
    return any(part in _FORBIDDEN_NAMES for part in plain_parts(path))


def plain_parts(path: str) -> tuple[str, ...]:
    """The parts of a path as the most careless file system reads them: without regard to case and to how letters are
    composed; as HFS+ without characters that do not show; as NTFS without dots and blanks at the end, and streams."""
    return tuple(_plain(part) for part in path.replace("\\", "/").split("/"))


def _plain(part: str) -> str:
    shown = "".join(c for c in normalize("NFC", part) if c.isprintable())
    return shown.partition(":")[0].rstrip(". ").casefold()


def _joined(paths: Sequence[str]) -> bytes:
    return "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
