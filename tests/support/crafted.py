"""Trees that no checkout could give: written object by object, as an attacker with a vault of their own would."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workshop import DRIVER, HANDIN, NOON, Workshop

from callboard.agents.workspace.clone import AgentClone


def crafted_hand_in(workshop: Workshop, clone: AgentClone, entries: Iterable[tuple[str, str, bytes]]) -> str:
    """A hand-in whose tree is that of the base and these entries: mode, path, content.

    Paths are cut at `/` into trees, but otherwise taken as they are, `..` and `.git` too.
    """
    vault = clone.vault
    tree = _with(clone, workshop.repository.tree_of(workshop.head), [(m, p.split("/"), c) for m, p, c in entries])
    commit = vault.commit_tree(tree, [workshop.head], "crafted", DRIVER, NOON)
    assert vault.update_ref(HANDIN, commit, vault.resolve(HANDIN))
    return commit


def _with(clone: AgentClone, tree: str | None, entries: list[tuple[str, list[str], bytes]]) -> str:
    found: dict[str, str] = {}
    for record in clone.vault.run("ls-tree", "-z", tree).records if tree else []:
        head, _, name = record.partition("\t")
        found[name] = head
    folders: dict[str, list[tuple[str, list[str], bytes]]] = {}
    for mode, (name, *rest), content in entries:
        if rest:
            folders.setdefault(name, []).append((mode, rest, content))
        elif mode == "160000":
            found[name] = f"160000 commit {content.decode()}"
        else:
            found[name] = f"{mode} blob {clone.vault.write_blob(content)}"
    for name, inner in folders.items():
        below = found.get(name, "").split(" ")
        found[name] = f"040000 tree {_with(clone, below[2] if below[0] == '040000' else None, inner)}"
    lines = "".join(f"{head}\t{name}\0" for name, head in found.items())
    return clone.vault.run("mktree", "-z", "--missing", stdin=lines.encode()).text


def materialise(clone: AgentClone, commit: str, folder: Path) -> None:
    """Write a tree to disk as a careless program does: every path joined to the folder, links made and followed."""
    for path, entry in sorted(clone.vault.entries(commit).items()):
        if entry.mode == "160000":
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = clone.vault.read_blobs([entry.sha])[entry.sha]
        if entry.mode == "120000":
            target.symlink_to(content.decode())
        else:
            target.write_bytes(content)
