"""Git objects written and read byte by byte, in plain Python: also trees that no git would write."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class RawEntry:
    """One entry of a tree, as it stands in the object."""

    mode: bytes
    name: bytes
    sha: str

    @property
    def is_tree(self) -> bool:
        return int(self.mode, 8) & 0o170000 == 0o040000


@dataclass(frozen=True)
class Objects:
    """Loose objects below one `objects` folder, and folders to read from besides."""

    folder: Path
    also: tuple[Path, ...] = ()
    _seen: dict[str, bytes] = field(default_factory=dict)
    """What was written or read before: an object's name says what it holds."""

    def write(self, kind: str, body: bytes) -> str:
        raw = f"{kind} {len(body)}\0".encode() + body
        sha = hashlib.sha1(raw).hexdigest()
        if sha not in self._seen:
            self._seen[sha] = body
            path = self.folder / sha[:2] / sha[2:]
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(zlib.compress(raw, 1))
        return sha

    def tree(self, entries: Iterable[RawEntry]) -> str:
        """A tree with these entries in this order."""
        return self.write("tree", b"".join(e.mode + b" " + e.name + b"\0" + bytes.fromhex(e.sha) for e in entries))

    def commit(self, tree: str, parents: Sequence[str]) -> str:
        who = "driver-1 <driver-1@localhost> 1763726400 +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}"]
        return self.write("commit", ("\n".join(lines) + "\n\nmutated\n").encode())

    def read(self, sha: str) -> bytes:
        """Raises:
        FileNotFoundError: It is in none of the folders.
        """
        if sha not in self._seen:
            tops = (self.folder, *self.also)
            path = next((p for top in tops if (p := top / sha[:2] / sha[2:]).exists()), Path(sha))
            self._seen[sha] = zlib.decompress(path.read_bytes()).partition(b"\0")[2]
        return self._seen[sha]

    def entries(self, tree: str) -> Iterator[RawEntry]:
        body = self.read(tree)
        at = 0
        while at < len(body):
            end = body.index(b"\0", at)
            mode, _, name = body[at:end].partition(b" ")
            yield RawEntry(mode, name, body[end + 1 : end + 21].hex())
            at = end + 21

    def flat(self, tree: str, above: bytes = b"") -> Iterator[tuple[bytes, bytes, str]]:
        """Path, mode, object of everything below that is no tree; what is there twice comes twice."""
        for entry in self.entries(tree):
            path = above + entry.name
            if entry.is_tree:
                yield from self.flat(entry.sha, path + b"/")
            else:
                yield path, entry.mode, entry.sha


def git_order(entry: RawEntry) -> bytes:
    """What git sorts a tree by."""
    return entry.name + (b"/" if entry.is_tree else b"")
