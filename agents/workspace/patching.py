"""What is handed in as a patch: put on a tree through an index of our own, in a vault that no brain reaches.

Nothing of it is checked out. What comes out is a commit, and intake judges its tree like any other: a patch's text says
little about what it does (docs/decisions/0043).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.clone import HANDIN
from callboard.agents.workspace.files import make_accessible
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.git_dirs import lend_objects, make_git_dir, mend_git_dir
from callboard.agents.workspace.git_names import checked_sha
from callboard.agents.workspace.layout import Layout
from callboard.bus.errors import GitError, IntakeRefused

PATCHES = "refs/patches"
RULE = "patch"
UNREADABLE = "unreadable patch"
MOST_SAID = 200
"""Characters of what git says about a patch that does not fit."""


@dataclass(frozen=True, slots=True)
class PatchVault:
    """The vault of a seat in which nobody works: patches and the commits made of them."""

    layout: Layout
    repository: Repository
    seat: str

    @property
    def vault(self) -> Repository:
        """The vault itself; nothing is ever checked out beside it."""
        return Repository(self.layout.clone(self.seat), git_dir=self.layout.vault(self.seat))

    def ensure(self) -> None:
        folder, git_dir = self.layout.clone(self.seat), self.layout.vault(self.seat)
        folder.mkdir(parents=True, exist_ok=True)
        make_accessible(folder)
        if not git_dir.is_dir():
            git_dir.parent.mkdir(parents=True, exist_ok=True)
            make_git_dir(git_dir, self.repository)
        mend_git_dir(git_dir, self.repository)
        lend_objects(git_dir, [self.repository])

    def keep(self, run: str, patch: bytes) -> str:
        """Store a patch as it was sent; the same again is the same.

        Returns:
            Its blob, which `refs/patches/<run>/<blob>` of the vault names.
        """
        blob = self.vault.write_blob(patch)
        ref = f"{PATCHES}/{run}/{blob}"
        if ref not in self.vault.refs(f"{PATCHES}/{run}"):
            self.vault.update_ref(ref, blob, None)
        return blob

    def commit(self, base: str, patch: bytes, message: str, author: Person, at: datetime, *, run: str) -> str:
        """Put a patch on a commit, as one commit on top of it that a ref of the vault names.

        Raises:
            IntakeRefused: It cannot be read, does not fit, or changes nothing.
        """
        tree = self._applied(base, patch)
        if tree == self.vault.tree_of(base):
            raise IntakeRefused(RULE, "", "it changes nothing")
        commit = self.vault.commit_tree(tree, [base], message, author, at)
        self.vault.update_ref(f"{HANDIN}/{run}/{commit}", commit, None)
        return commit

    def _applied(self, base: str, patch: bytes) -> str:
        """The tree that a patch makes of another."""
        vault = self.vault
        try:
            vault.run("apply", "--numstat", "-z", "-", stdin=patch)
        except GitError as error:
            raise IntakeRefused(RULE, "", UNREADABLE) from error
        with tempfile.TemporaryDirectory(dir=self.layout.vault(self.seat), prefix="patch-") as folder:
            env: Mapping[str, str] = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            vault.run("read-tree", checked_sha(base), env=env)
            try:
                vault.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, env=env)
                return vault.run("write-tree", env=env).text
            except GitError as error:
                said = " ".join(error.stderr.split())[:MOST_SAID]
                raise IntakeRefused(RULE, "", f"it does not fit {base[:12]}: {said}") from error
