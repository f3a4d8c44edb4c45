"""A repository that keeps git processes for what is asked again and again: the hand `land` has one.

Every answer is what a process of its own would say, and where none comes that is asked instead.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_names import checked_sha, is_sha
from callboard.agents.workspace.git_output import (
    Person,
    TreeChange,
    commit_object,
    read_batch,
    read_many_changes,
)
from callboard.agents.workspace.git_reader import COMPARED
from callboard.agents.workspace.git_talk import EndOf, GitTalk, TalkEnded, line_end


class LastingRepository(Repository):
    """See Repository. `close` ends its processes; so does the end of ours."""

    def __init__(self, path: Path, *, git_dir: Path | None = None) -> None:
        super().__init__(path, git_dir=git_dir)
        self._lookups = GitTalk(self.place, ("cat-file", "--batch-command"))
        self._comparisons = GitTalk(self.place, ("diff-tree", "--stdin", *COMPARED))
        self._writes = GitTalk(self.place, ("hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths"))

    @classmethod
    def of(cls, repository: Repository) -> LastingRepository:
        return cls(repository.place.path, git_dir=repository.place.git_dir)

    def close(self) -> None:
        for talk in (self._lookups, self._comparisons, self._writes):
            talk.close()

    def ask(self, talk: GitTalk, request: bytes, end_of: EndOf) -> bytes:
        """One request to one of its processes."""
        return talk.ask(request, end_of)

    def trees_of(self, commits: Sequence[str]) -> tuple[str, ...]:
        found = [self._object(f"{checked_sha(commit)}^{{tree}}") for commit in dict.fromkeys(commits)]
        known = dict(zip(dict.fromkeys(commits), found, strict=True))
        trees = tuple(tree for commit in commits if (tree := known[commit]) is not None)
        return trees if len(trees) == len(commits) else super().trees_of(commits)

    def changes_between(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[TreeChange, ...], ...]:
        try:
            return tuple(self._compared(old, new) for old, new in pairs)
        except TalkEnded:
            return super().changes_between(pairs)

    def _compared(self, old: str, new: str) -> tuple[TreeChange, ...]:
        # git gives a line that names no objects back, once all before it is said; no path can guess this one
        mark = f"end {secrets.token_hex(16)}\n".encode()
        asked = f"{checked_sha(old)} {checked_sha(new)}\n".encode()
        said = self.ask(self._comparisons, asked + mark, lambda said: len(said) if said.endswith(mark) else 0)
        [changes] = read_many_changes(said.removesuffix(mark), [(old, new)])
        return changes

    def read_blobs(self, shas: Iterable[str]) -> dict[str, bytes]:
        asked = tuple(dict.fromkeys(shas))
        try:
            return dict(found for sha in asked for found in self._blob(sha))
        except TalkEnded:
            return super().read_blobs(asked)

    def _blob(self, sha: str) -> list[tuple[str, bytes]]:
        return list(read_batch(self.ask(self._lookups, f"contents {checked_sha(sha)}\n".encode(), _contents_end)))

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> str:
        checked = [checked_sha(parent) for parent in parents]
        content = commit_object(checked_sha(tree), checked, message, author, at)
        with tempfile.NamedTemporaryFile(prefix="callboard-commit-") as file:
            file.write(content)
            file.flush()
            try:
                written = self.ask(self._writes, f"{file.name}\n".encode(), line_end).decode().strip()
            except TalkEnded:
                written = ""
        return written if is_sha(written) else super().commit_tree(tree, parents, message, author, at)

    def _object(self, expression: str) -> str | None:
        try:
            asked = f"info {expression}\n".encode("utf-8", "surrogateescape")
            said = self.ask(self._lookups, asked, line_end).decode("utf-8", "replace")
        except TalkEnded:
            return super()._object(expression)
        name = said.partition(" ")[0]
        return name if is_sha(name) and not said.endswith(" missing\n") else None


def _contents_end(said: bytes) -> int:
    """Of `cat-file`'s answer to `contents`: a line with the size, so many bytes, a newline; or a line that says no."""
    end = line_end(said)
    size = said[:end].split()[-1:]
    if not end or not size[0].isdigit():
        return end
    whole = end + int(size[0]) + 1
    return whole if len(said) >= whole else 0
