"""What may be handed to git as a name: checked before git sees it, so that no name can be an option or a revision."""

from __future__ import annotations

import re

from callboard.bus.errors import WorkspaceError

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMPONENT = re.compile(r"[\w+@=#%][\w.+@=#%-]*")


def is_sha(text: str) -> bool:
    """Whether this is a whole object name."""
    return _SHA.fullmatch(text) is not None


def checked_sha(text: str) -> str:
    """The same text.

    Raises:
        WorkspaceError: It is not a whole lower-case object name.
    """
    if not is_sha(text):
        raise WorkspaceError(f"{text!r} is not a full commit id; hand in all of its hex digits")
    return text


def is_branch_name(name: str) -> bool:
    """Whether this can name a branch of ours: git's own rules, and nothing that reads as an option or revision."""
    parts = name.split("/")
    return (
        0 < len(name) <= 200
        and all(_COMPONENT.fullmatch(part) and not part.endswith((".", ".lock")) for part in parts)
        and ".." not in name
        and name not in ("@", "HEAD")
    )


def checked_ref(ref: str) -> str:
    """The same text.

    Raises:
        WorkspaceError: It is not a full ref name (`refs/<kind>/<name>`) that git and we accept.
    """
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if not ref.startswith("refs/") or not is_branch_name(kind) or not is_branch_name(name):
        raise WorkspaceError(f"{ref!r} is not a ref name that can be used; use letters, digits, `.`, `_`, `-` and `/`")
    return ref


def full_ref(name: str) -> str:
    """A branch's short name, or a full ref name, as a full ref name.

    Raises:
        WorkspaceError: It cannot name a ref.
    """
    return checked_ref(name if name.startswith("refs/") else f"refs/heads/{name}")


def checked_path(path: str) -> str:
    """A path inside a tree, with forward slashes.

    Raises:
        WorkspaceError: It is absolute, climbs, or holds what no path holds.
    """
    parts = path.split("/")
    if not path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise WorkspaceError(f"{path!r} is not a path inside a tree")
    return path
