"""The rules of intake once more, in plain Python and without a line of the product: what may come in, what has to be asked."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Entry = tuple[bytes, bytes, str]
"""Path, mode, object."""

PATTERNS: Mapping[str, Callable[[str], bool]] = {
    "app/": lambda p: p.startswith("app/"),
    "app/**": lambda p: p.startswith("app/"),
    "**": lambda p: True,
    "**/*.py": lambda p: p.endswith(".py"),
    "*.md": lambda p: "/" not in p and p.endswith(".md"),
    "docs/*.md": lambda p: p.startswith("docs/") and p.count("/") == 1 and p.endswith(".md"),
    "README.md": lambda p: p == "README.md" or p.startswith("README.md/"),
    ".github/workflows/*.yml": lambda p: (
        p.startswith(".github/workflows/") and p.count("/") == 2 and p.endswith(".yml")
    ),
    "AGENTS.md": lambda p: p == "AGENTS.md" or p.startswith("AGENTS.md/"),
}
"""What each pattern of the tests names. A plain name names what lies below it, too."""

CI_TOP = {".github", ".gitlab-ci.yml", ".ci", ".circleci", ".pre-commit-config.yaml", "jenkinsfile", ".husky"}
STEERING = {".claude", ".cursor", ".mcp.json", "agents.md", "claude.md", ".codex"}
MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mdx")


@dataclass(frozen=True)
class Asked:
    """What the tests ask of one hand-in."""

    paths: tuple[str, ...]
    permitted: frozenset[tuple[str, str]]
    """Path and contents; "" = any contents."""
    most_files: int
    most_bytes: int
    most_in_all: int


def verdict(base: Iterable[Entry], new: Iterable[Entry], asked: Asked, contents: Mapping[str, bytes]) -> str:
    """`in`, `ask`, or `out: <why>`."""
    before, after = Counter(base), Counter(new)
    changed = {entry[0] for entry in (before - after) + (after - before)}
    every = Counter(path for path, _, _ in after.elements())
    folders = {path[:at] for path in every for at in range(len(path)) if path[at : at + 1] == b"/"}
    if any(count > 1 for count in every.values()) or folders & every.keys():
        return "out: a path twice"
    old = {path: (mode, sha) for path, mode, sha in before}
    now = {path: (mode, sha) for path, mode, sha in after}
    sizes = [len(contents.get(now[path][1], b"")) for path in changed if path in now]
    if len(changed) > asked.most_files or sum(sizes) > asked.most_in_all or max(sizes, default=0) > asked.most_bytes:
        return "out: too much"
    asks = False
    for raw in changed:
        for mode, _ in (side[raw] for side in (old, now) if raw in side):
            if mode not in (b"100644", b"100755"):
                return f"out: mode {mode.decode()}"
        if raw in now and now[raw][1] not in contents:
            return "out: no contents"
        judged = _path(raw, asked, is_new=raw not in old, sha=now[raw][1] if raw in now else "0" * 40)
        if judged.startswith("out"):
            return judged
        asks = asks or judged == "ask"
    known = b"\n".join(contents.get(old[path][1], b"") for path in changed if path in old)
    added = [contents.get(now[path][1], b"") for path in changed if path in now]
    if any(b"AKIA" in content and b"AKIA" not in known for content in added):
        return "out: a secret"
    return "ask" if asks else "in"


def outside(base: Iterable[Entry], new: Iterable[Entry], asked: Asked) -> list[str]:
    """Changed paths that neither the task nor a person allows."""
    changed = {path.decode() for path, _, _ in {*base} ^ {*new}}
    allowed = {path for path, _ in asked.permitted}
    named = [PATTERNS[pattern] for pattern in asked.paths] or [PATTERNS["**"]]
    return sorted(path for path in changed - allowed if not any(names(path) for names in named))


def _path(raw: bytes, asked: Asked, *, is_new: bool, sha: str) -> str:
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        return "out: no UTF-8"
    if not path.isprintable():
        return "out: not printable"
    parts = [_careless(part) for part in path.replace("\\", "/").split("/")]
    literal = path.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") for part in literal) or any(part in (".git", "git~1") for part in parts):
        return "out: git or climbing"
    if _is_protected(parts):
        return "out: protected"
    named = [pattern for pattern in asked.paths if PATTERNS[pattern](path)]
    is_document = is_new and parts[-1].endswith(MARKDOWN)
    if asked.paths and not named and not is_document:
        return "out: outside"
    is_ci = parts[0] in CI_TOP
    steers = is_ci or any(part in STEERING for part in parts)
    if steers and not any("*" not in pattern.split("/")[0] and _says(pattern, path) for pattern in named):
        return "out: steering"
    if (path, "") in asked.permitted or (path, sha) in asked.permitted:
        return "in"
    if is_ci or (
        is_document and not any(pattern.endswith(".md") and path.lower().endswith(".md") for pattern in named)
    ):
        return "ask"
    return "in"


def _says(pattern: str, path: str) -> bool:
    """Of the tests' patterns only these two name something that steers, each in so many words."""
    return pattern in (".github/workflows/*.yml", "AGENTS.md") and path.startswith(pattern.split("/")[0])


def _is_protected(parts: list[str]) -> bool:
    folder, name = parts[:-1], parts[-1]
    return (
        parts == ["callboard.toml"]
        or name in (".gitmodules", ".gitattributes")
        or parts[0] == ".callboard"
        or (parts[:2] == ["feedback", "archive"] and len(parts) > 2)
        or (len(folder) == 1 and folder[0] in ("directions", "roles", "feedback") and name.endswith(".md"))
    )


def _careless(part: str) -> str:
    """How a file system reads it that ignores case, what does not show, streams, and dots and blanks at the end."""
    shown = [char for char in unicodedata.normalize("NFC", part) if unicodedata.category(char) not in ("Cf", "Cc")]
    return "".join(shown).split(":")[0].rstrip(" .").casefold()
