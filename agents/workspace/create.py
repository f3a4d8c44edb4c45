"""Makes a repository: of what lies in a folder, or of one commit of another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_output import Person, signature
from callboard.agents.workspace.git_runner import UPLOAD_PACK


def create_repository(path: Path, message: str, author: Person, at: datetime, *, branch: str = "main") -> Repository:
    """Start a repository in `path` and commit every file there that its `.gitignore` does not name; checked out."""
    repository = Repository(path)
    repository.run("init", "--quiet", f"--initial-branch={branch}")
    repository.run("add", "--all")
    repository.run("commit", "--quiet", f"--message={message}", env=signature(author, at))
    return repository


def copy_repository(source: Path, ref: str, path: Path, *, branch: str) -> Repository:
    """Start a repository in an empty folder that knows one commit of another and its history; checked out."""
    repository = Repository(path)
    repository.run("init", "--quiet", f"--initial-branch={branch}")
    repository.run("fetch", "--quiet", f"--upload-pack={UPLOAD_PACK}", "--end-of-options", str(source), ref)
    repository.run("reset", "--quiet", "--hard", "FETCH_HEAD")
    return repository
