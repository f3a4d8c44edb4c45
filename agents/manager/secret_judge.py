"""Intake's rule about secrets: what a hand-in adds that looks like one; what the base had is not held against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from callboard.agents.manager.secrets import secrets_in
from callboard.agents.workspace.git import TreeChange
from callboard.bus.errors import IntakeRefused

_WAY_OUT = "take it out, and read it from the environment; what is no secret, a person can commit"


def judge_secrets(changes: Sequence[TreeChange], contents: Mapping[str, bytes]) -> None:
    """Judge what was added for secrets, in files and in their names.

    Args:
        contents: Blob -> its bytes, for every blob of the changes, old and new.

    Raises:
        IntakeRefused: One looks like a secret that none of the changed files had before. It is not repeated.
    """
    before: frozenset[str] | None = None
    for change in changes:
        content = contents.get(change.new_sha, b"")
        for secret, kind in _added(change, content):
            if before is None:  # only now: hardly any hand-in holds one
                before = _known(changes, contents)
            if secret not in before:
                where = f"{_place(content, secret)} what looks like a secret ({kind})"
                raise IntakeRefused("secret", change.path.replace(secret, "..."), f"{where}; {_WAY_OUT}")


def _added(change: TreeChange, content: bytes) -> Iterator[tuple[str, str]]:
    yield from secrets_in(content).items()
    if change.status == "A":
        yield from secrets_in(change.path.encode("utf-8", "surrogateescape")).items()


def _known(changes: Sequence[TreeChange], contents: Mapping[str, bytes]) -> frozenset[str]:
    old = (contents.get(change.old_sha, b"") for change in changes)
    return frozenset(secret for content in old for secret in secrets_in(content))


def _place(content: bytes, secret: str) -> str:
    at = content.find(secret.encode("utf-8", "surrogateescape"))
    if at < 0:
        return "it holds"
    line = content.count(b"\n", 0, at) + 1
    return f"line {line} holds"
