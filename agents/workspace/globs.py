"""Path patterns, as `Paths` of a task and `setup_inputs` use them.

`*` and `?` stay within one folder, `**` crosses folders, `[...]` is a set of characters. A pattern starts at the top of
the repository: `*.py` is the Python files at the top, `**/*.py` all of them. A pattern without wildcards names a file, or
a folder with everything below it; a trailing `/` names a folder with everything below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

WILDCARDS = frozenset("*?[")


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern names a path (relative, forward slashes)."""
    return _compiled(pattern).fullmatch(path) is not None


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns names a path."""
    return any(matches(pattern, path) for pattern in patterns)


def literal_prefix(pattern: str) -> str:
    """The folders and name at the pattern's start that hold no wildcard: `.github/workflows` of `.github/workflows/*.yml`."""
    parts: list[str] = []
    for part in _normal(pattern).split("/"):
        if WILDCARDS & set(part):
            break
        parts.append(part)
    return "/".join(parts)


def _normal(pattern: str) -> str:
    return pattern.removeprefix("./").strip("/")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    normal = _normal(pattern)
    whole_folder = pattern.endswith("/") or not WILDCARDS & set(normal)
    text = "".join(
        _translate(part) for part in re.findall(r"/\*\*(?=/|$)|^\*\*/|\*+|\?|\[!?\]?[^\]]*\]|.", normal, re.S)
    )
    if not normal:
        text = "[^/].*" if pattern.strip() else "(?!)"
        whole_folder = False
    return re.compile(f"{text}(?:/.*)?" if whole_folder else text, re.S)


def _translate(token: str) -> str:
    match token:
        case "/**":
            return "(?:/.*)?"
        case "**/":
            return "(?:.*/)?"
        case "?":
            return "[^/]"
        case _ if set(token) == {"*"}:
            return ".*" if len(token) > 1 else "[^/]*"
        case _ if token.startswith("[") and len(token) > 2:
            inside = token[1:-1]
            negated = inside.startswith("!")
            return f"(?!/)[{'^' if negated else ''}{re.escape(inside[negated:]).replace(chr(92) + '-', '-')}]"
        case _:
            return re.escape(token)
