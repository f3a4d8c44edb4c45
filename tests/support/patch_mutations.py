"""Hostile patches, drawn by a seed: headers that disagree, renames, copies, modes, links, and paths that lead elsewhere."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tree_mutations import BASE

KNOWN = tuple(BASE)
ELSEWHERE = (
    *(
        "../escaped",
        "app/../billing/rates.py",
        "app/../../escaped",
        ".git/hooks/post-commit",
        "app/.git/config",
        ".GIT/x",
    ),
    *(".gitattributes", ".gitmodules", "app/link/x", "link", "vendor/lib", "app//x.py", "docs/new.md", "new.md"),
    *(".github/workflows/new.yml", "CLAUDE.md", "roles/driver.md", "feedback/driver-1.md", "App/Main.py", "app/x.py"),
)
MODES = ("100644", "100755", "120000", "160000", "100666")
TOOLS: Sequence[Sequence[str]] = (
    ("git", "apply", "--whitespace=nowarn"),
    ("git", "apply", "--whitespace=nowarn", "--unsafe-paths", "--recount"),
    ("git", "apply", "--whitespace=nowarn", "--reject"),
    ("git", "apply", "--whitespace=nowarn", "--index"),
    ("patch", "-p1", "--batch", "--silent"),
    ("patch", "-p1", "--batch", "--silent", "--force", "--no-backup-if-mismatch"),
)
"""What applies a patch; `patch` believes the last header it reads, `git apply` most of them."""


def hostile_patch(rng: random.Random) -> str:
    """One to three files' worth of it."""
    return "".join(rng.choice(SECTIONS)(rng) for _ in range(rng.choice([1, 1, 2, 3])))


def apply(patch: str, folder: Path, rng: random.Random) -> None:
    """With one of the tools, as far as it goes."""
    argv = rng.choice(TOOLS)
    subprocess.run(argv, cwd=folder, input=patch.encode(), capture_output=True, check=False, timeout=60)


def _edit(rng: random.Random) -> str:
    path, sides = _drawn(rng)
    lines = BASE[path].splitlines()
    return (
        f"{_head(rng, path)}--- a/{sides[0]}\n+++ b/{sides[1]}\n"
        f"@@ -1,{len(lines)} +1,{len(lines)} @@\n-{lines[0]}\n+changed {rng.randrange(9)}\n"
        + "".join(f" {line}\n" for line in lines[1:])
    )


def _new(rng: random.Random) -> str:
    path, mode = rng.choice([*ELSEWHERE, "app/new.py", "docs/more.md"]), rng.choice(MODES)
    text = rng.choice(["text", "../../outside", "app/main.py"])
    other = rng.choice([path, path, path, *KNOWN])
    return f"{_head(rng, other)}new file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{text}\n"


def _delete(rng: random.Random) -> str:
    path, sides = _drawn(rng)
    lines = BASE[path].splitlines()
    hunk = f"@@ -1,{len(lines)} +0,0 @@\n" + "".join(f"-{line}\n" for line in lines)
    return f"{_head(rng, path)}deleted file mode 100644\n--- a/{sides[0]}\n+++ /dev/null\n{hunk}"


def _moved(rng: random.Random, word: str) -> str:
    source, target = rng.choice(KNOWN), rng.choice([*ELSEWHERE, "app/moved.py"])
    return f"{_head(rng, source, target)}similarity index 100%\n{word} from {source}\n{word} to {target}\n"


def _mode(rng: random.Random) -> str:
    path = rng.choice(KNOWN)
    return f"{_head(rng, path)}old mode 100644\nnew mode {rng.choice(MODES)}\n"


def _drawn(rng: random.Random) -> tuple[str, tuple[str, str]]:
    """A path, and what `---` and `+++` call it."""
    path = rng.choice(KNOWN)
    return path, (path if rng.random() < 0.8 else rng.choice(KNOWN), path if rng.random() < 0.7 else _any(rng))


def _head(rng: random.Random, path: str, target: str = "") -> str:
    first = path if rng.random() < 0.7 else _any(rng)
    return f"diff --git a/{first} b/{target or (path if rng.random() < 0.7 else _any(rng))}\n"


def _any(rng: random.Random) -> str:
    return rng.choice([*KNOWN, *ELSEWHERE])


SECTIONS: tuple[Callable[[random.Random], str], ...] = (
    *(_edit, _edit, _edit, _new, _new, _delete, _mode),
    lambda rng: _moved(rng, "rename"),
    lambda rng: _moved(rng, "copy"),
)
