"""What git answers, as values, and the pure functions that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LINK_MODE = "120000"
SUBMODULE_MODE = "160000"
ABSENT_MODE = "000000"


@dataclass(frozen=True, slots=True)
class Person:
    """An author or committer."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a tree."""

    mode: str
    """Six octal digits."""
    sha: str


@dataclass(frozen=True, slots=True)
class TreeChange:
    """One path that differs between two trees; a rename is a deletion and an addition."""

    path: str
    """Bytes that are no UTF-8 are surrogates."""
    old_mode: str
    """Six octal digits; 000000 = was not there."""
    new_mode: str
    """Six octal digits; 000000 = is not there any more."""
    old_sha: str
    new_sha: str
    status: str
    """A added, D deleted, M modified, T another type."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A merge of two commits, written as objects only."""

    tree: str
    """The merged tree; with conflicts, one that has conflict markers in it."""
    conflicts: tuple[str, ...]
    """Paths that could not be merged; empty = clean."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, with the trailers that were asked for."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    at: datetime
    subject: str
    trailers: Mapping[str, tuple[str, ...]]
    """Trailer name -> its values, in order; a name that the commit lacks is absent."""


def read_changes(records: Sequence[str]) -> Iterator[TreeChange]:
    """Read `diff-tree --raw -z --no-renames`: a head and a path, by turns."""
    for head, path in zip(records[::2], records[1::2], strict=True):
        old_mode, new_mode, old_sha, new_sha, status = head.removeprefix(":").split(" ")
        yield TreeChange(path, old_mode, new_mode, old_sha, new_sha, status[0])


def read_many_changes(output: bytes, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[TreeChange, ...]]:
    """Read `diff-tree --stdin --raw -z --no-renames`: for each pair a line that names it, then its heads and paths."""
    text = output.decode("utf-8", "surrogateescape")
    at = 0
    for old, new in pairs:
        named = f"{old} {new}\n"
        if not text.startswith(named, at):
            raise ValueError(f"git diff-tree does not answer about {old} and {new}")
        at += len(named)
        records: list[str] = []
        while text.startswith(":", at):
            for _ in range(2):
                end = text.index("\0", at)
                records.append(text[at:end])
                at = end + 1
        yield tuple(read_changes(records))


def read_entries(records: Sequence[str]) -> Iterator[tuple[str, TreeEntry]]:
    """Read `ls-tree -r -z`."""
    for record in records:
        head, _, path = record.partition("\t")
        mode, _, sha = head.split(" ")
        yield path, TreeEntry(mode, sha)


def read_batch(output: bytes) -> Iterator[tuple[str, bytes]]:
    """Read `cat-file --batch`: a head line with the size, so many bytes, a newline."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        head = output[at:end].decode().split(" ")
        at = end + 1
        if head[-1] != "missing":
            size = int(head[-1])
            yield head[0], output[at : at + size]
            at += size + 1


def read_merge(records: Sequence[str]) -> MergeResult:
    """Read `merge-tree --write-tree --name-only --no-messages -z`."""
    return MergeResult(records[0], tuple(dict.fromkeys(path for path in records[1:] if path)))


def commit_format(trailers: Sequence[str]) -> str:
    """A format for `rev-list -z` that `read_commits` understands; trailer values are separated by U+001F."""
    fields = ["%H", "%T", "%P", "%ct", "%s"]
    fields += [f"%(trailers:key={name},valueonly=true,unfold=true,separator=%x1f)" for name in trailers]
    return "%x1e".join(fields) + "%x00"


def read_commits(text: str, trailers: Sequence[str]) -> Iterator[Commit]:
    """Read what `commit_format` with the same trailer names gave."""
    for record in text.split("\0")[:-1]:
        sha, tree, parents, at, subject, *values = record.lstrip("\n").split("\x1e")
        yield Commit(
            sha=sha,
            tree=tree,
            parents=tuple(parents.split()),
            at=datetime.fromtimestamp(int(at), UTC),
            subject=subject,
            trailers={
                name: tuple(part.strip() for part in value.split("\x1f"))
                for name, value in zip(trailers, values, strict=False)
                if value
            },
        )


def read_worktree_branches(records: Sequence[str]) -> dict[str, str]:
    """Read `worktree list --porcelain -z`: the branch that is checked out -> the folder where."""
    found: dict[str, str] = {}
    folder = ""
    for record in records:
        key, _, value = record.partition(" ")
        if key == "worktree":
            folder = value
        elif key == "branch":
            found[value.removeprefix("refs/heads/")] = folder
    return found


def signature(author: Person, at: datetime) -> dict[str, str]:
    """The environment that says who commits when, to the second and in UTC, so that a repeat writes the same object."""
    when = f"{int(at.timestamp())} +0000"
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email,
        "GIT_COMMITTER_DATE": when,
    }


def commit_object(tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> bytes:
    """What `git commit-tree` writes for the same, byte by byte, where the name has nothing that git takes out."""
    who = f"{author.name} <{author.email}> {int(at.timestamp())} +0000"
    heads = [f"tree {tree}", *(f"parent {sha}" for sha in dict.fromkeys(parents)), f"author {who}", f"committer {who}"]
    return "\n".join((*heads, "", message_text(message))).encode()


def message_text(message: str) -> str:
    """A commit's message as it is written."""
    return message.replace("\0", "").strip() + "\n"
