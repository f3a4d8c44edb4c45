"""The history of what agents log, on branches of the user's repository; no checkout, index or HEAD is touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from callboard.agents.workspace.git import Person, Repository


class BranchHistory:
    """Commits files to branches, with the agent as their author; what the scribe asks for as `History`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def commit(self, branch: str, files: Mapping[str, bytes], message: str, author: str, at: datetime) -> None:
        """Add or replace files on a branch, which may be new; nothing happens when they are there like that already.

        Raises:
            WorkspaceError: The branch could not be written, such as while somebody else moves it.
        """
        self._repository.commit_files(branch, files, message, Person(author, f"{author}@localhost"), at)

    def trailer(self, branch: str, name: str) -> str:
        """A trailer of the branch's last commit; "" when there is no such trailer or branch."""
        tip = self._repository.resolve(branch)
        if tip is None:
            return ""
        lines = self._repository.run("cat-file", "commit", tip).text.splitlines()
        found = [line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: ")]
        return found[-1] if found else ""
