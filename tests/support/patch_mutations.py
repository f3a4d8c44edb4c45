"""Hostile patches, drawn by a seed: headers that disagree, moves that do not show, modes, and paths that lead elsewhere.

Only ever to be applied inside a sandbox, by `git apply`, without `--unsafe-paths`: what else applies patches may do what
they say, such as replacing `/dev/null`.
"""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Callable, Sequence

from tree_mutations import BASE

KNOWN = tuple(BASE)
OWN = ("app/main.py", "app/lib/util.py")
NEW = ("app/new{}.py", "app/lib/{}.py", "app/deep/er/x.py", "app/notes{}.txt", "app/a b{}.txt", "app/\u00fcber{}.py")
"""Where a driver may write by most of the tests' rules; a number goes into the braces."""
ELSEWHERE = (
    *("../canary", "../../../README.md", "../../../../canary", "app/../billing/rates.py", "app/../../canary"),
    *(".git/hooks/post-commit", "app/.git/config", ".GIT/x", "app//x.py", "./app/x.py", "app/link/x", "link", "link/x"),
    *(".gitattributes", "app/.gitattributes", ".gitmodules", "vendor/lib", "vendor/lib/x", "docs/new.md", "new.md"),
    *(".github/workflows/new.yml", "CLAUDE.md", "roles/driver.md", "feedback/driver-1.md", "App/Main.py", "app/x\n.py"),
    *("/dev/null", "dev/null", "", "app", "app/", "-rf", "app/\x1b[31m.py"),
)
MODES = ("100644", "100755", "120000", "160000", "100666", "040000", "0", "1006440")
FLAGS: Sequence[str] = (
    *("", "", "", "--recount", "--reject", "--index", "--3way", "-p0", "-p2", "--directory=app", "--unidiff-zero"),
    *("--inaccurate-eof", "--allow-overlap", "-R", "--whitespace=fix", "--no-add", "--cached", "--ignore-whitespace"),
)
"""Of `git apply`."""
Section = Callable[["Drawn"], bytes]


class Drawn:
    """One patch in the making.

    Args:
        canary: An absolute path that a patch must not reach.
        share: Of the paths and headers, how many are not what they should be.
    """

    def __init__(self, rng: random.Random, canary: str, share: float) -> None:
        self.rng = rng
        self.canary = canary
        self.share = share

    def is_hostile(self) -> bool:
        return self.rng.random() < self.share

    def known(self) -> str:
        return self.rng.choice(KNOWN if self.is_hostile() else OWN)

    def target(self) -> str:
        return self.rng.choice((*ELSEWHERE, self.canary, f"..{self.canary}")) if self.is_hostile() else self.new()

    def new(self) -> str:
        return self.rng.choice(NEW).format(self.rng.randrange(100))

    def named(self, path: str) -> str:
        """What a header calls it, which may be another path."""
        return self.rng.choice((*KNOWN, *ELSEWHERE)) if self.is_hostile() and self.rng.random() < 0.5 else path

    def side(self, letter: str, path: str) -> bytes:
        """As in a header: with its prefix, quoted where git does that, or where nobody would."""
        lead = "" if self.is_hostile() and self.rng.random() < 0.3 else f"{letter}/"
        is_quoted = not path.isascii() or not path.isprintable() or self.rng.random() < 0.1
        return quoted(lead + path) if is_quoted else (lead + path).encode()

    def head(self, source: str, target: str = "") -> bytes:
        first, second = self.named(source), self.named(target or source)
        return b"diff --git " + self.side("a", first) + b" " + self.side("b", second) + b"\n"

    def mode(self, usual: str = "100644") -> str:
        return self.rng.choice(MODES) if self.is_hostile() else usual


def quoted(path: str) -> bytes:
    """In C's way, as git quotes paths."""
    return (
        b'"'
        + b"".join(bytes([c]) if 32 <= c < 127 and c not in b'"\\' else b"\\%03o" % c for c in path.encode())
        + b'"'
    )


def edit(drawn: Drawn) -> bytes:
    path = drawn.known()
    lines = BASE[path].splitlines()
    old, new = drawn.side("a", drawn.named(path)), drawn.side("b", drawn.named(path))
    hunk = f"@@ -1,{len(lines)} +1,{len(lines)} @@\n-{lines[0]}\n+changed {drawn.rng.randrange(9)}\n"
    rest = "".join(f" {line}\n" for line in lines[1:])
    return drawn.head(path) + b"--- " + old + b"\n+++ " + new + f"\n{hunk}{rest}".encode()


def add(drawn: Drawn) -> bytes:
    path = drawn.target()
    text = drawn.rng.choice(["text", "../../outside", "app/main.py", "* filter=evil diff=evil", drawn.canary])
    new = b"--- /dev/null\n+++ " + drawn.side("b", path) + f"\n@@ -0,0 +1 @@\n+{text}\n".encode()
    return drawn.head(drawn.named(path)) + f"new file mode {drawn.mode()}\n".encode() + new


def add_empty(drawn: Drawn) -> bytes:
    return drawn.head(drawn.target()) + f"new file mode {drawn.mode()}\nindex 0000000..e69de29\n".encode()


def delete(drawn: Drawn) -> bytes:
    path = drawn.known()
    lines = BASE[path].splitlines()
    hunk = f"@@ -1,{len(lines)} +0,0 @@\n" + "".join(f"-{line}\n" for line in lines)
    old = b"--- " + drawn.side("a", path) + b"\n"
    new = b"+++ /dev/null\n" if drawn.rng.random() < 0.8 else b"+++ " + drawn.side("b", drawn.target()) + b"\n"
    return drawn.head(path) + f"deleted file mode {drawn.mode()}\n".encode() + old + new + hunk.encode()


def move(drawn: Drawn) -> bytes:
    """A rename or a copy; of some, the first line says something else."""
    word, source, target = drawn.rng.choice(["rename", "copy"]), drawn.known(), drawn.target()
    shown = (source, target) if not drawn.is_hostile() else (source, source)
    lines = b"similarity index 100%\n" + f"{word} from {source}\n".encode() + f"{word} to ".encode()
    return drawn.head(*shown) + lines + (quoted(target) if not target.isprintable() else target.encode()) + b"\n"


def change_mode(drawn: Drawn) -> bytes:
    return drawn.head(drawn.known()) + f"old mode 100644\nnew mode {drawn.mode('100755')}\n".encode()


def add_binary(drawn: Drawn) -> bytes:
    """With its whole object id, as git wants it; some tell another."""
    content = drawn.rng.randbytes(drawn.rng.choice([0, 3, 300, 2_500]))
    sha = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    told = sha if not drawn.is_hostile() else "1" * 40
    lines = f"new file mode {drawn.mode()}\nindex {'0' * 40}..{told}\nGIT binary patch\nliteral {len(content)}\n"
    return drawn.head(drawn.target()) + lines.encode() + base85(zlib.compress(content)) + b"\n"


def base85(packed: bytes) -> bytes:
    """Lines of at most 52 bytes, each after a letter for its length."""
    lines = [packed[at : at + 52] for at in range(0, len(packed), 52)]
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return b"".join(
        letters[len(line) - 1 :][:1] + base64.b85encode(line + b"\0" * (-len(line) % 4)) + b"\n" for line in lines
    )


def plain(drawn: Drawn) -> bytes:
    """Without git's first line, as diff(1) writes it."""
    return edit(drawn).partition(b"\n")[2]


def twice(drawn: Drawn) -> bytes:
    return drawn.rng.choice((edit, add, delete))(drawn) * 2


SECTIONS: Sequence[Section] = (
    *(edit, edit, add, add, add, add, add_empty, delete, move, move, change_mode, add_binary, add_binary, plain, twice),
)


def hostile_patch(rng: random.Random, canary: str, share: float) -> tuple[str, bytes]:
    """A flag for `git apply`, and the text of one to three files' changes.

    Args:
        share: 0 = nothing of it is odd but its form.
    """
    drawn = Drawn(rng, canary, share)
    text = b"".join(rng.choice(SECTIONS)(drawn) for _ in range(rng.choice([1, 1, 1, 1, 2, 3])))
    if rng.random() < 0.08:
        text = text.replace(b"\n", b"\r\n")
    if rng.random() < 0.04:
        text = text[: rng.randrange(len(text))]
    return rng.choice(FLAGS if drawn.is_hostile() else ("", "--recount")), text
