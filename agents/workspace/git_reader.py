"""What can be asked of a repository; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from callboard.agents.workspace.git_names import checked_path, checked_sha, full_ref, is_branch_name, is_sha
from callboard.agents.workspace.git_output import (
    LINK_MODE,
    Commit,
    TreeChange,
    TreeEntry,
    commit_format,
    read_batch,
    read_changes,
    read_commits,
    read_entries,
    read_many_changes,
    read_worktree_branches,
)
from callboard.agents.workspace.git_runner import GitOutput, GitPlace, run_git
from callboard.bus.errors import WorkspaceError

COMPARED = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
"""How trees are compared, path by path."""
BLOB_MODES = frozenset({"100644", "100755", LINK_MODE})


class GitReader:
    """Questions to one repository; see Repository."""

    def __init__(self, place: GitPlace) -> None:
        self.place = place
        self._common: Path | None = None

    def run(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)
    ) -> GitOutput:
        """Run one git command here; for the workspace's own files only."""
        return run_git(self.place, args, stdin=stdin, env=env, accept=accept)

    def resolve(self, rev: str) -> str | None:
        """The commit of a full object name, `HEAD`, a full ref or a branch's short name; None when there is none."""
        if rev != "HEAD" and not is_sha(rev):
            rev = full_ref(rev)
        return self._object(f"{rev}^{{commit}}")

    def tree_of(self, commit: str) -> str:
        """The tree of a commit or tree."""
        tree = self._object(f"{checked_sha(commit)}^{{tree}}")
        if tree is None:
            raise WorkspaceError(f"{commit} is not in {self.place.git_dir or self.place.path}")
        return tree

    def trees_of(self, commits: Sequence[str]) -> tuple[str, ...]:
        """The tree of each commit or tree, in one look.

        Raises:
            GitError: One is not there.
        """
        asked = [f"{checked_sha(commit)}^{{tree}}" for commit in commits]
        return tuple(self.run("rev-parse", *asked).text.split("\n")) if asked else ()

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`; a commit contains itself."""
        args = ("merge-base", "--is-ancestor", checked_sha(ancestor), checked_sha(descendant))
        return self.run(*args, accept=(0, 1)).exit_code == 0

    def changes(self, old: str, new: str) -> tuple[TreeChange, ...]:
        """Every path that differs between two commits or trees, by path."""
        return tuple(read_changes(self.run("diff-tree", *COMPARED, checked_sha(old), checked_sha(new)).records))

    def changes_between(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[TreeChange, ...], ...]:
        """The same for many pairs of trees, in one look; the two of a pair are not the same."""
        if not pairs:
            return ()
        asked = "".join(f"{checked_sha(old)} {checked_sha(new)}\n" for old, new in pairs).encode()
        output = self.run("diff-tree", "--stdin", *COMPARED, stdin=asked).stdout
        return tuple(read_many_changes(output, pairs))

    def diff(self, old: str, new: str) -> bytes:
        """What differs between two commits, for reading: never applied, and no program of a configuration is run for it."""
        args = ("diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index")
        return self.run(*args, checked_sha(old), checked_sha(new)).stdout

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's bytes in a commit; None when there is no file of that name. A link gives its target."""
        found = self.run("ls-tree", "--full-tree", "-z", checked_sha(commit), "--", checked_path(path)).records
        blob = next((entry.sha for _, entry in read_entries(found) if entry.mode in BLOB_MODES), None)
        return None if blob is None else self.run("cat-file", "blob", blob).stdout

    def read_paths(self, tree: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Path -> its file's bytes in a commit or tree; a path that is no file there is absent."""
        if not paths:
            return {}
        args = ("ls-tree", "--full-tree", "-r", "-z", checked_sha(tree), "--", *map(checked_path, paths))
        blobs = {path: entry.sha for path, entry in read_entries(self.run(*args).records) if entry.mode in BLOB_MODES}
        contents = self.read_blobs(blobs.values())
        return {path: contents[sha] for path, sha in blobs.items()}

    def read_blobs(self, shas: Iterable[str]) -> dict[str, bytes]:
        """Blob -> its bytes, all at once in memory; what the repository lacks is absent."""
        asked = "".join(f"{checked_sha(sha)}\n" for sha in dict.fromkeys(shas)).encode()
        return dict(read_batch(self.run("cat-file", "--batch", stdin=asked).stdout)) if asked else {}

    def holds(self, commit: str, line: str) -> bool:
        """Whether some file of a commit has this in one of its lines. The text is in no command line."""
        if "\n" in line:
            return False
        args = ("grep", "--quiet", "--text", "--no-textconv", "--fixed-strings", "-f", "-", checked_sha(commit))
        return self.run(*args, stdin=f"{line}\n".encode("utf-8", "surrogateescape"), accept=(0, 1)).exit_code == 0

    def sizes(self, shas: Iterable[str]) -> dict[str, int]:
        """Object name -> its size in bytes; what the repository lacks is absent (a submodule's commit)."""
        asked = "".join(f"{checked_sha(sha)}\n" for sha in dict.fromkeys(shas)).encode()
        if not asked:
            return {}
        lines = self.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).text.splitlines()
        found = (line.split(" ") for line in lines)
        return {sha: int(size) for sha, size in found if size != "missing"}

    def entries(self, commit: str) -> dict[str, TreeEntry]:
        """Every path of a commit or tree, folders apart."""
        return dict(read_entries(self.run("ls-tree", "--full-tree", "-r", "-z", checked_sha(commit)).records))

    def commits(
        self, tip: str, *, since: str | None = None, first_parent: bool = False, trailers: Sequence[str] = ()
    ) -> tuple[Commit, ...]:
        """Commits that `tip` contains and `since` does not, newest first, with the trailers of these names."""
        args = ["rev-list", "--topo-order", "--no-commit-header", f"--format=tformat:{commit_format(trailers)}"]
        args += ["--first-parent"] if first_parent else []
        args += [checked_sha(tip)] + ([f"^{checked_sha(since)}"] if since else [])
        return tuple(read_commits(self.run(*args).text, trailers))

    def log_first_parent(self, tip: str, since: str | None = None) -> tuple[Commit, ...]:
        """The first-parent line from `tip` back to, without, `since`; newest first."""
        return self.commits(tip, since=since, first_parent=True)

    def trailers(self, tip: str, names: Sequence[str], since: str | None = None) -> tuple[Commit, ...]:
        """Every commit up to `tip`, side chains too, that has one of these trailers; newest first."""
        return tuple(c for c in self.commits(tip, since=since, trailers=names) if c.trailers)

    def refs(self, prefix: str) -> dict[str, str]:
        """Full ref name -> object name, for every ref at or below `prefix` (`refs`, `refs/callboard/<run>`)."""
        if prefix != "refs" and not is_branch_name(prefix.removeprefix("refs/")):
            raise WorkspaceError(f"{prefix!r} is not a ref name that can be used")
        args = ("for-each-ref", "--format=%(refname)%00%(objectname)", prefix)
        lines = self.run(*args).text.splitlines()
        return {name: sha for name, _, sha in (line.partition("\0") for line in lines)}

    def checked_out(self) -> dict[str, Path]:
        """Short branch name -> the checkout it is checked out in, over all worktrees."""
        branches = read_worktree_branches(self.run("worktree", "list", "--porcelain", "-z").records)
        return {name: Path(folder) for name, folder in branches.items()}

    def where_checked_out(self, branch: str) -> Path | None:
        """The checkout that a branch is checked out in. Looks into the files HEAD first (gitrepository-layout(5)): git is
        asked only where one names the branch, or is none that can be read so."""
        self._common = self._common or Path(self.place.path, self.run("rev-parse", "--git-common-dir").text)
        heads = [self._common / "HEAD", *self._common.glob("worktrees/*/HEAD")]
        if all(_is_elsewhere(head, branch) for head in heads):
            return None
        return self.checked_out().get(branch)

    def git_path(self, name: str) -> Path:
        """Where a part of the git directory lies (`objects`, `info/exclude`), also in a linked worktree."""
        return Path(self.place.path, self.run("rev-parse", "--git-path", name).text)

    def object_format(self) -> str:
        """`sha1` or `sha256`."""
        return self.run("rev-parse", "--show-object-format").text

    def uncommitted(self, *, untracked: bool = True) -> tuple[str, ...]:
        """Paths of the checkout that differ from its HEAD, without touching its index."""
        mode = "--untracked-files=all" if untracked else "--untracked-files=no"
        records = iter(self.run("status", "--porcelain=v1", "-z", "--no-renames", mode).records)
        return tuple(record[3:] for record in records)

    def is_dirty(self) -> bool:
        """Whether tracked files of the checkout differ from its HEAD."""
        return bool(self.uncommitted(untracked=False))

    def _object(self, expression: str) -> str | None:
        args = ("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
        return self.run(*args, accept=(0, 1)).text or None


def _is_elsewhere(head: Path, branch: str) -> bool:
    """Whether a HEAD file says for sure that its checkout is on something else; reftables keep a word of their own in it."""
    if head.is_symlink():
        return False
    try:
        said = head.read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return False
    ref = said.removeprefix("ref: ")
    return is_sha(said) or (
        ref.startswith("refs/heads/") and ref not in (f"refs/heads/{branch}", "refs/heads/.invalid")
    )
