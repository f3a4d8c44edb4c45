"""Makes a repository of what lies in a folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_output import Person, signature


def create_repository(path: Path, message: str, author: Person, at: datetime, *, branch: str = "main") -> Repository:
    """Start a repository in `path` and commit every file there that its `.gitignore` does not name; checked out."""
    repository = Repository(path)
    repository.run("init", "--quiet", f"--initial-branch={branch}")
    repository.run("add", "--all")
    repository.run("commit", "--quiet", f"--message={message}", env=signature(author, at))
    return repository
