"""Intake's rule about secrets: what a hand-in adds that is or looks like one; what the base had is not held against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from callboard.agents.manager.secret_views import as_text
from callboard.agents.manager.secrets import secrets_in
from callboard.agents.workspace.git import TreeChange
from callboard.bus.errors import IntakeRefused
from callboard.bus.known_secrets import KnownSecret, KnownSecrets

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


def known_secrets_in(
    changes: Sequence[TreeChange], contents: Mapping[str, bytes], known: KnownSecrets
) -> Iterator[tuple[TreeChange, KnownSecret]]:
    """What was added of the values that the workspace was given, in files and in their names.

    Args:
        contents: As above.
    """
    before = {secret for change in changes for secret in known.values_in(as_text(contents.get(change.old_sha, b"")))}
    for change in changes:
        name = change.path if change.status == "A" else ""
        added = known.values_in(f"{name}\n{as_text(contents.get(change.new_sha, b''))}") - before
        yield from ((change, secret) for secret in sorted(added, key=lambda each: each.name))


def refusal_of_known(change: TreeChange, secret: KnownSecret, content: bytes) -> IntakeRefused:
    """What refuses it; the value is not repeated."""
    where = f"{_place(content, secret.value)} the value of {secret.name}, which Callboard was given as a secret"
    way_out = (
        "take it out, and read it from the environment; `[redaction]` in docs/redaction.md says what counts as one"
    )
    return IntakeRefused("secret", change.path.replace(secret.value, "..."), f"{where}; {way_out}")


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
