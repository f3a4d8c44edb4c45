"""A repository as the rest of the program sees it: objects and refs, never a checkout, an index or a HEAD."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.git_names import (
    checked_path,
    checked_ref,
    checked_sha,
    full_ref,
)
from callboard.agents.workspace.git_output import (
    Commit,
    MergeResult,
    Person,
    TreeChange,
    TreeEntry,
    message_text,
    read_merge,
    signature,
)
from callboard.agents.workspace.git_reader import GitReader
from callboard.agents.workspace.git_runner import UPLOAD_PACK, GitPlace
from callboard.bus.errors import GitError, WorkspaceError

__all__ = ["Commit", "MergeResult", "Person", "Repository", "TreeChange", "TreeEntry"]

CALLBOARD = Person("Callboard", "callboard@localhost")
"""Who moves refs; shows in reflogs only."""

_COMMIT_ROUNDS = 5
"""How often `commit_files` starts again because somebody else moved the branch meanwhile."""


class Repository(GitReader):
    """Objects and refs of one repository.

    Args:
        path: A folder inside the checkout; for a git directory of our own, the folder it tracks.
        git_dir: A git directory of our own; None = the repository that `path` lies in, found by git.

    Every method runs git to its end and raises GitError when it cannot; names that could be read as an option or a
    revision expression raise WorkspaceError before git runs.
    """

    def __init__(self, path: Path, *, git_dir: Path | None = None) -> None:
        super().__init__(GitPlace(path, git_dir))
        self._good_refs: set[str] = set()

    # --- refs --------------------------------------------------------------------------------------

    def update_ref(self, ref: str, new: str, old: str | None) -> bool:
        """Move a ref if it is at `old` (None: if it does not exist); one atomic step.

        Returns:
            False when the ref was not at `old`; nothing was moved then.
        """
        args = ("update-ref", "--no-deref", "-m", "callboard", self._ref(ref), checked_sha(new))
        before = checked_sha(old) if old else ""
        return self._moved(ref, old, (*args, before))

    def delete_ref(self, ref: str, old: str) -> bool:
        """Delete a ref if it is at `old`; False when it was not there."""
        return self._moved(ref, old, ("update-ref", "--no-deref", "-d", self._ref(ref), checked_sha(old)))

    def tag(self, name: str, commit: str) -> None:
        """Write a lightweight tag; the same again is fine.

        Raises:
            WorkspaceError: The tag exists on another commit.
        """
        ref = checked_ref(f"refs/tags/{name}")
        if not self.update_ref(ref, commit, None) and self.resolve(ref) != commit:
            raise WorkspaceError(f"tag {name} exists on another commit than {commit}; delete it or end that run first")

    def tag_all(self, tags: Mapping[str, str]) -> None:
        """Write lightweight tags, in one step where none of them exists yet; the same again is fine.

        Args:
            tags: Name -> commit.

        Raises:
            WorkspaceError: One of them exists on another commit.
        """
        lines = "".join(map(_create, tags.items()))
        try:
            self.run("update-ref", "--no-deref", "--stdin", stdin=lines.encode(), env=signature_of_callboard())
        except GitError:
            for name, commit in tags.items():
                self.tag(name, commit)

    def land(self, ref: str, new: str, old: str, tags: Mapping[str, str]) -> bool:
        """Move a ref that is at `old` and write lightweight tags, all in one transaction; where that does not go, the ref
        first. After a crash in the middle the same can be said again.

        Returns:
            False when the ref was not at `old`; nothing was moved then.

        Raises:
            WorkspaceError: The ref has moved, and a tag exists on another commit.
        """
        lines = [f"update {self._ref(ref)} {checked_sha(new)} {checked_sha(old)}\n", *map(_create, tags.items())]
        args = ("update-ref", "--no-deref", "-m", "callboard", "--stdin")
        try:
            self.run(*args, stdin="".join(lines).encode(), env=signature_of_callboard())
        except GitError:
            if not self.update_ref(ref, new, old):
                return False
            self.tag_all(tags)
        return True

    def fetch_commit(self, source: Path, ref: str, sha: str, into: str) -> None:
        """Bring exactly `sha`, which `ref` of `source` names, into this repository as `into`; the same again is fine.

        Raises:
            WorkspaceError: `ref` is not at `sha` in the source (any more); nothing was brought.
        """
        refspec = f"+{checked_sha(sha)}:{self._ref(into)}"
        found = Repository(source, git_dir=source).resolve(ref)
        if found != sha:
            raise WorkspaceError(f"{ref} in {source} is at {found}, not at {sha}; nothing was fetched")
        flags = [
            *("--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags", "--refmap="),
            *("--no-recurse-submodules", "--no-show-forced-updates", f"--upload-pack={UPLOAD_PACK}"),
        ]
        self.run("fetch", *flags, "--end-of-options", str(source.resolve()), refspec, env=signature_of_callboard())

    def clear_ref_locks(self, prefixes: Sequence[str]) -> tuple[Path, ...]:
        """Remove lock files that a killed git left on refs below these prefixes; only for refs nobody else writes.

        Returns:
            The lock files that were removed.
        """
        top = self.git_path("refs").parent
        stale = [p for prefix in prefixes for p in sorted((top / checked_ref(prefix + "/x")).parent.rglob("*.lock"))]
        for path in stale:
            path.unlink(missing_ok=True)
        return tuple(stale)

    # --- writing objects -----------------------------------------------------------------------------

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        """Merge two commits as objects.

        A file that one side renamed takes the other side's change along, and git has no switch for that: a caller that
        lets in certain paths only compares the result's changes with them. New files stay in their folder.
        """
        args = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
        return read_merge(self.run(*args, checked_sha(ours), checked_sha(theirs), accept=(0, 1)).records)

    def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Person,
        at: datetime,
    ) -> str:
        """Write a commit; the same arguments give the same object."""
        args = ["commit-tree", "--no-gpg-sign", checked_sha(tree)]
        for parent in parents:
            args += ["-p", checked_sha(parent)]
        return self.run(*args, "-F", "-", stdin=message_text(message).encode(), env=signature(author, at)).text

    def write_blob(self, content: bytes) -> str:
        """Write bytes as they are."""
        return self.run("hash-object", "-w", "--stdin", stdin=content).text

    def commit_files(self, branch: str, files: Mapping[str, bytes], message: str, author: Person, at: datetime) -> str:
        """Add or replace files on a branch, which may be new, without any checkout.

        Returns:
            The branch's commit: a new one, or the old one when the files were there like that already.
        """
        ref = full_ref(branch)
        blobs = {checked_path(path): self.write_blob(content) for path, content in files.items()}
        for _ in range(_COMMIT_ROUNDS):
            old = self.resolve(ref)
            tree = self._tree_with(old, blobs)
            if old is not None and tree == self.tree_of(old):
                return old
            new = self.commit_tree(tree, [old] if old else [], message, author, at)
            if self.update_ref(ref, new, old):
                return new
        raise WorkspaceError(f"branch {branch} kept moving while files were committed to it; who else writes to it?")

    def rewritten(self, commit: str) -> str:
        """The tree of a commit as git itself writes it: sorted, each path once, modes of the usual kinds.

        Raises:
            GitError: It holds what git keeps out of every tree of its own.
        """
        with tempfile.TemporaryDirectory(prefix="callboard-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            # not read-tree: it keeps the names of the trees it read, and write-tree gives them back unseen
            entries = self.run("ls-tree", "--full-tree", "-r", "-z", checked_sha(commit)).stdout
            self.run("update-index", "-z", "--index-info", stdin=entries, env=env)
            return self.run("write-tree", "--missing-ok", env=env).text

    # --- the checkout -----------------------------------------------------------------------------------

    def fast_forward(self, commit: str) -> None:
        """Move the checked-out branch, with its checkout, on to a commit that contains it; nobody's change is lost.

        Raises:
            GitError: It is no fast-forward, or a changed file is in the way.
        """
        flags = ("--ff-only", "--quiet", "--no-stat", "--no-autostash", "--no-verify-signatures")
        self.run("merge", *flags, checked_sha(commit), env=signature_of_callboard())

    def _ref(self, ref: str) -> str:
        if ref not in self._good_refs:
            self.run("check-ref-format", checked_ref(ref))
            self._good_refs.add(ref)
        return ref

    def _moved(self, ref: str, old: str | None, args: tuple[str, ...]) -> bool:
        try:
            self.run(*args, env=signature_of_callboard())
        except GitError:
            if self.resolve(ref) != old:
                return False
            raise
        return True

    def _tree_with(self, base: str | None, blobs: Mapping[str, str]) -> str:
        lines = "".join(f"100644 {sha}\t{path}\0" for path, sha in blobs.items())
        with tempfile.TemporaryDirectory(prefix="callboard-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            if base is not None:
                self.run("read-tree", base, env=env)
            self.run("update-index", "-z", "--index-info", stdin=lines.encode(), env=env)
            return self.run("write-tree", env=env).text


def _create(tag: tuple[str, str]) -> str:
    """A line of `update-ref --stdin`: a tag that must not exist yet."""
    name, sha = tag
    return f"create {checked_ref(f'refs/tags/{name}')} {checked_sha(sha)}\n"


def signature_of_callboard() -> dict[str, str]:
    """Who moves refs. Dates are git's own: they show in reflogs, in no object."""
    return {
        "GIT_AUTHOR_NAME": CALLBOARD.name,
        "GIT_AUTHOR_EMAIL": CALLBOARD.email,
        "GIT_COMMITTER_NAME": CALLBOARD.name,
        "GIT_COMMITTER_EMAIL": CALLBOARD.email,
    }
