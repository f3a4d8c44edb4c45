"""Branches made without a checkout, for tests that need many of them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

Edit = tuple[str, bytes] | None
"""Mode and contents of a path; None = it is deleted."""
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WHO = {
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@localhost",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@localhost",
}


def plain(content: str) -> tuple[str, bytes]:
    return "100644", content.encode()


def branch_with(root: Path, base: str, edits: Mapping[str, Edit], message: str = "Work") -> str:
    """A commit on top of `base` that makes these edits."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **WHO, "GIT_INDEX_FILE": f"{folder}/index"}

        def git(*args: str, stdin: bytes = b"") -> str:
            done = subprocess.run(["git", *args], cwd=root, env=env, input=stdin, capture_output=True, check=True)
            return done.stdout.decode().strip()

        git("read-tree", base)
        lines = []
        for path, edit in edits.items():
            if edit is None:
                lines.append(f"0 {'0' * 40}\t{path}\0")
            else:
                lines.append(f"{edit[0]} {git('hash-object', '-w', '--stdin', stdin=edit[1])}\t{path}\0")
        git("update-index", "-z", "--index-info", stdin="".join(lines).encode())
        return git("commit-tree", git("write-tree"), "-p", base, "-m", message)


def history(root: Path, commits: int, files: int) -> str:
    """A repository with so many commits on `main`, one edit each, over so many files in folders of a hundred.

    Returns:
        The last commit.
    """
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    parts = [b"blob\nmark :1\ndata 5\nbegin\n"]
    for n in range(commits):
        parts.append(f"commit refs/heads/main\ncommitter t <t@localhost> {1_700_000_000 + n} +0000\ndata 1\nx".encode())
        parts.append(b"\n")
        if n == 0:
            parts += [f"M 100644 :1 {path_of(each)}\n".encode() for each in range(files)]
        text = f"{n}\n".encode() + b"line\n" * 20
        parts += [f"M 100644 inline {path_of(n % files)}\ndata {len(text)}\n".encode(), text, b"\n"]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=b"".join(parts), check=True)
    return subprocess.run(
        ["git", "rev-parse", "main"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def path_of(n: int) -> str:
    return f"d{n // 100:03}/f{n:05}.txt"


def tree_of(root: Path, rev: str) -> dict[str, tuple[str, str]]:
    """Path -> mode and blob, as plain git lists them."""
    out = subprocess.run(["git", "ls-tree", "-r", "-z", rev], cwd=root, capture_output=True, check=True).stdout.decode()
    rows = (record.partition("\t") for record in out.split("\0")[:-1])
    return {path: (head.split()[0], head.split()[2]) for head, _, path in rows}


def net(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> dict[str, object]:
    """Path -> what it became, for every path that differs; None = it is gone."""
    return {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
