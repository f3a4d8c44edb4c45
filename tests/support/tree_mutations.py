"""Hostile trees, drawn by a seed: every trick that a name, a mode, an order or a commit's parents can play."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from raw_git import Objects, RawEntry, git_order

SECRET = b"aws = '" + b"AKI" + b"A" + b"Q7Z2M4X9K1B5N8C3" + b"'\n"
BASE: dict[str, str] = {
    "app/main.py": "print('hello')\n",
    "app/lib/util.py": "def util() -> None: ...\n",
    "docs/guide.md": "# Guide\n",
    "README.md": "# App\n",
    "AGENTS.md": "# Agents\n",
    "billing/rates.py": "RATE = 1\n",
    "callboard.toml": "\n",
    "directions/driver-1.md": "# Driver\n",
    "roles/driver.md": "# Role\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".gitattributes": "* text\n",
    "old/keys.py": SECRET.decode(),
}
FOLDERS = (
    "app",
    "app/lib",
    "docs",
    "billing",
    "directions",
    "roles",
    "feedback",
    "feedback/archive",
    "new/deep/er",
    "",
)
NAMES = ("x.py", "notes.md", "MORE.MD", "ci.yml", "data.json", "page.markdown", "README.md", "über.py", "u\u0308ber.md")
POWERFUL = (
    *("callboard.toml", "directions/driver-2.md", "roles/manager.md", "feedback/driver-1.md", "feedback/archive/a.txt"),
    *(".gitmodules", ".gitattributes", "app/.gitattributes", ".callboard/bus/x", ".github/workflows/ci.yml"),
    *(
        ".github/workflows/new.yml",
        ".gitlab-ci.yml",
        ".ci/run",
        "Jenkinsfile",
        ".pre-commit-config.yaml",
        ".husky/pre-commit",
    ),
    *("AGENTS.md", "app/CLAUDE.md", ".claude/settings.json", ".mcp.json", ".cursor/rules", ".github/README.md"),
)
GIT = (
    *(
        ".git",
        ".GIT",
        "git~1",
        "GIT~1",
        ".git ",
        ".git.",
        ".git...",
        ".g\u200cit",
        ".gi\u202et",
        ".git::$INDEX_ALLOCATION",
    ),
    *(".git:x", ".git\\config", "..", ".", "", ".Git . .", "\uff0egit"),
)
ODD = (
    "a\nb",
    "a\x1b[31m",
    "a\x00b"[:1] + "\t",
    "\u202e.py",
    "a\u00a0b",
    "C:",
    "con",
    "x" * 255,
    "-rf",
    "--help",
    "*",
    "a\\..\\b",
)
MODES = (b"100644", b"100755", b"100664", b"100600", b"120000", b"160000", b"0100644", b"100666", b"140000", b"107777")


@dataclass
class Draft:
    """A tree in the making: path, cut at `/` into trees -> mode and object."""

    objects: Objects
    rng: random.Random
    files: dict[bytes, tuple[bytes, str]]
    twice: list[tuple[bytes, bytes, str]] = field(default_factory=list)
    """Entries of the top tree that are there besides."""
    is_unsorted: bool = False
    is_slashed: bool = False
    """One entry's name holds slashes instead of lying in trees."""

    def write(self) -> str:
        slashed = self.rng.choice(sorted(self.files)) if self.is_slashed and self.files else None
        return self._tree({p: f for p, f in self.files.items() if p != slashed}, slashed)

    def _tree(self, files: dict[bytes, tuple[bytes, str]], slashed: bytes | None = None, *, top: bool = True) -> str:
        below: dict[bytes, dict[bytes, tuple[bytes, str]]] = {}
        entries = []
        for path, (mode, sha) in files.items():
            name, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(name, {})[rest] = (mode, sha)
            else:
                entries.append(RawEntry(mode, name, sha))
        entries += [RawEntry(b"40000", name, self._tree(inner, top=False)) for name, inner in below.items()]
        if slashed is not None:
            entries.append(RawEntry(self.files[slashed][0], slashed, self.files[slashed][1]))
        entries += [RawEntry(mode, name, sha) for name, mode, sha in self.twice] if top else []
        entries.sort(key=git_order)
        if self.is_unsorted and top:
            self.rng.shuffle(entries)
        return self.objects.tree(entries)

    # --- mutations ---

    def blob(self) -> str:
        kind = self.rng.random()
        if kind < 0.04:
            return self.objects.write("blob", SECRET + str(self.rng.random()).encode())
        if kind < 0.07:
            return self.objects.write("blob", b"z" * self.rng.choice([1_999, 2_000, 2_001, 6_000]))
        return self.objects.write("blob", f"text {self.rng.randrange(50)}\n".encode())

    def some(self) -> bytes:
        return self.rng.choice(sorted(self.files))

    def put(self, path: str | bytes, mode: bytes = b"100644", sha: str = "") -> None:
        raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogatepass")
        self.files[raw] = (mode, sha or self.blob())

    def any_path(self) -> str:
        folder = self.rng.choice(FOLDERS)
        return (f"{folder}/" if folder else "") + self.rng.choice(NAMES)

    def edit(self) -> None:
        self.put(self.some(), self.files[self.some()][0])

    def add(self) -> None:
        self.put(self.any_path(), self.rng.choice([b"100644", b"100644", b"100755"]))

    def add_in_scope(self) -> None:
        self.put(f"app/{self.rng.choice(['x.py', 'lib/y.py', 'new/z.py', 'main.py'])}")

    def delete(self) -> None:
        del self.files[self.some()]

    def flip_mode(self) -> None:
        path = self.some()
        self.files[path] = (self.rng.choice(MODES), self.files[path][1])

    def link(self) -> None:
        target = self.rng.choice([b"/etc/passwd", b"../../outside", b"app/main.py", b".git/config"])
        self.put(
            self.rng.choice([self.any_path(), "app/main.py", "app"]), b"120000", self.objects.write("blob", target)
        )

    def submodule(self) -> None:
        self.put(self.rng.choice([self.any_path(), "app/vendor"]), b"160000", "1" * 40)

    def rename(self) -> None:
        self.put(self.any_path(), *self.files.pop(self.some()))

    def copy(self) -> None:
        self.put(self.any_path(), *self.files[self.some()])

    def powerful(self) -> None:
        self.put(self.disguised(self.rng.choice(POWERFUL)))

    def disguised(self, path: str) -> str:
        match self.rng.randrange(6):
            case 0:
                return "".join(self.rng.choice([c.upper(), c.lower()]) for c in path)
            case 1:
                return path + self.rng.choice([".", " ", "..", "::$DATA", ":x"])
            case 2:
                return path.replace("k", "\u212a").replace("s", "\u017f")
            case 3:
                return path.replace("/", "\\", 1)
            case _:
                return path

    def into_git(self) -> None:
        name, rest = self.rng.choice(GIT), self.rng.choice(["", "/hooks/post-checkout", "/config"])
        lead = self.rng.choice(["", "app/", "docs/"])
        self.put(lead + name + rest, b"100755")

    def odd_name(self) -> None:
        self.put(self.rng.choice(["", "app/"]) + self.rng.choice(ODD))

    def no_utf8(self) -> None:
        self.put(b"app/\xff\xfe.py")

    def many(self) -> None:
        for n in range(self.rng.choice([5, 29, 31, 60])):
            self.put(f"app/many{n}.py")

    def file_for_folder(self) -> None:
        self.twice.append((b"app", self.rng.choice([b"100644", b"120000"]), self.blob()))

    def entry_twice(self) -> None:
        self.twice.append((b"README.md", b"100644", self.blob()))

    def unsort(self) -> None:
        self.is_unsorted = True

    def slash_in_name(self) -> None:
        if self.rng.random() < 0.5:
            self.put(self.rng.choice(["../out.py", "app/../callboard.toml", "/etc/x", "app//x.py", "app/x.py"]))
        self.is_slashed = True


MUTATIONS: tuple[tuple[Callable[[Draft], None], int], ...] = (
    *(
        (Draft.edit, 4),
        (Draft.add, 5),
        (Draft.add_in_scope, 12),
        (Draft.delete, 2),
        (Draft.flip_mode, 3),
        (Draft.link, 2),
    ),
    *(
        (Draft.submodule, 1),
        (Draft.rename, 2),
        (Draft.copy, 2),
        (Draft.powerful, 5),
        (Draft.into_git, 3),
        (Draft.odd_name, 2),
    ),
    *((Draft.no_utf8, 1), (Draft.many, 1), (Draft.file_for_folder, 1), (Draft.entry_twice, 1), (Draft.unsort, 1)),
    (Draft.slash_in_name, 1),
)


def mutate(draft: Draft) -> None:
    """One to four mutations, most of them one or two."""
    kinds, weights = zip(*MUTATIONS, strict=True)
    for mutation in draft.rng.choices(kinds, weights, k=draft.rng.choice([1, 1, 1, 2, 2, 3, 4])):
        if draft.files:
            mutation(draft)
