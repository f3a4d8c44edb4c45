"""Stacks in a real repository: every kind of change comes through whole, and nothing else does."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from git_branches import NOON, Edit, branch_with, history, net, path_of, plain, tree_of

from callboard.agents.manager.stack import Stack, write_stack
from callboard.agents.workspace.git import MergeResult, Person, Repository
from callboard.bus.errors import Reject
from callboard.bus.hand_messages import MergeBranch

LINES = [f"line {n}\n" for n in range(40)]
BASE: Mapping[str, Edit] = {
    "text.txt": plain("".join(LINES)),
    "script.sh": plain("echo hi\n"),
    "run.sh": ("100755", b"echo run\n"),
    "logo.png": ("100644", bytes(range(256)) * 8),
    "gone.txt": plain("bye\n"),
    "old/name.txt": plain("a name\n" * 10),
    "a folder/with spaces/\u00fcml.txt": plain("u\n"),
    "kept.txt": plain("kept\n"),
}
KINDS: Mapping[str, Mapping[str, Edit]] = {
    "modify": {"text.txt": plain("".join([*LINES[:-1], "the end\n"]))},
    "mode": {"script.sh": ("100755", b"echo hi\n")},
    "mode and text": {"run.sh": ("100644", b"echo walk\n")},
    "binary": {"logo.png": ("100644", b"\x00\xff" * 3000)},
    "delete": {"gone.txt": None},
    "rename": {"old/name.txt": None, "new/name.txt": plain("a name\n" * 10)},
    "add": {"deep/down/new.bin": ("100644", b"\x00\x01"), "deep/x.sh": ("100755", b"x\n")},
    "odd names": {"a folder/with spaces/\u00fcml.txt": plain("v\n"), "-dash": plain("d\n"), 'quo"te': plain("q\n")},
    "empty": {"empty.txt": plain("")},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    history(folder, 2, 3)
    head = branch_with(folder, "main", BASE)
    subprocess.run(["git", "update-ref", "refs/heads/main", head], cwd=folder, check=True)
    return folder


def rev(root: Path, name: str = "main") -> str:
    return subprocess.run(
        ["git", "rev-parse", name], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def to_merge(task: str, commit: str, base: str, edits: Mapping[str, Edit], reviewed: str = "") -> MergeBranch:
    return MergeBranch(
        task=task,
        agent="driver-1",
        commit=commit,
        base=base,
        reviewed_base=reviewed or base,
        files=tuple(edits),
        message=f"{task}\n\nTask: {task}\n",
        at=NOON,
    )


def stack_of(root: Path, kinds: Mapping[str, Mapping[str, Edit]], head: str = "") -> Stack:
    base = rev(root)
    branches = [to_merge(name, branch_with(root, base, edits), base, edits) for name, edits in kinds.items()]
    return write_stack(Repository(root), head or base, branches)


def outcomes(stack: Stack) -> dict[str, str]:
    return {task: row.outcome for task, row in stack.rows.items()}


def as_asked(root: Path, kinds: Mapping[str, Mapping[str, Edit]]) -> dict[str, object]:
    """What all of them together ask for, path by path, by plain git."""
    found: dict[str, object] = {}
    base = rev(root)
    for edits in kinds.values():
        found |= net(tree_of(root, base), tree_of(root, branch_with(root, base, edits)))
    return found


def test_every_kind_of_change_lands_and_nothing_else_changes(root: Path) -> None:
    stack = stack_of(root, KINDS)
    assert set(outcomes(stack).values()) == {"stacked"}
    assert net(tree_of(root, "main"), tree_of(root, stack.tip)) == as_asked(root, KINDS)


@pytest.mark.parametrize("first", sorted(KINDS))
def test_each_kind_comes_through_on_top_of_all_others_that_landed(root: Path, first: str) -> None:
    others = {name: edits for name, edits in KINDS.items() if name != first}
    base, landed = rev(root), stack_of(root, others).tip
    stack = write_stack(
        Repository(root),
        landed,
        [to_merge(first, branch_with(root, base, KINDS[first]), base, KINDS[first], reviewed=base)],
    )
    assert outcomes(stack) == {first: "stacked"}
    assert net(tree_of(root, landed), tree_of(root, stack.tip)) == as_asked(root, {first: KINDS[first]})


CLASHES: Mapping[str, tuple[Mapping[str, Edit], Mapping[str, Edit]]] = {
    "both modify": ({"kept.txt": plain("a\n")}, {"kept.txt": plain("b\n")}),
    "modify and delete": ({"kept.txt": None}, {"kept.txt": plain("b\n")}),
    "both add": ({"n.txt": plain("a\n")}, {"n.txt": plain("b\n")}),
    "both binary": ({"logo.png": ("100644", b"\x00a")}, {"logo.png": ("100644", b"\x00b")}),
    "file and folder": ({"thing": plain("a\n")}, {"thing/in": plain("b\n")}),
}


@pytest.mark.parametrize("clash", sorted(CLASHES))
def test_what_clashes_waits_in_a_stack_and_is_a_conflict_once_the_other_has_landed(root: Path, clash: str) -> None:
    first, second = CLASHES[clash]
    stack = stack_of(root, {"first": first, "second": second, "other": KINDS["add"]})
    assert outcomes(stack) == {"first": "stacked", "second": "waits", "other": "stacked"}
    assert stack.rows["second"].other == "first"
    base, landed = rev(root), stack.tip
    late = to_merge("second", branch_with(root, base, second), base, second, reviewed=landed)
    after = write_stack(Repository(root), landed, [late])
    assert outcomes(after) == {"second": "conflict"}
    assert after.rows["second"].paths


def test_two_ends_of_one_text_never_land_in_one_stack_since_nobody_reviewed_them_together(root: Path) -> None:
    first = {"text.txt": plain("".join(["the start\n", *LINES[1:]]))}
    stack = stack_of(root, {"first": first, "second": KINDS["modify"], "other": KINDS["add"]})
    assert outcomes(stack) == {"first": "stacked", "second": "waits", "other": "stacked"}


def test_two_ends_of_one_text_both_land_after_a_second_review(root: Path) -> None:
    first = {"text.txt": plain("".join(["the start\n", *LINES[1:]]))}
    second = KINDS["modify"]
    base = rev(root)
    landed = stack_of(root, {"first": first}).tip
    commit = branch_with(root, base, second)
    unseen = write_stack(Repository(root), landed, [to_merge("second", commit, base, second)])
    assert outcomes(unseen) == {"second": "review"}
    stack = write_stack(Repository(root), landed, [to_merge("second", commit, base, second, reviewed=landed)])
    assert outcomes(stack) == {"second": "stacked"}
    text = Repository(root).read(stack.tip, "text.txt")
    assert text == "".join(["the start\n", *LINES[1:-1], "the end\n"]).encode()


def test_a_mode_and_a_text_of_one_file_land_together(root: Path) -> None:
    base = rev(root)
    landed = stack_of(root, {"mode": KINDS["mode"]}).tip
    edits = {"script.sh": plain("echo ho\n")}
    late = to_merge("text", branch_with(root, base, edits), base, edits, reviewed=landed)
    stack = write_stack(Repository(root), landed, [late])
    assert outcomes(stack) == {"text": "stacked"}
    assert tree_of(root, stack.tip)["script.sh"][0] == "100755"
    assert Repository(root).read(stack.tip, "script.sh") == b"echo ho\n"


class Dropping(Repository):
    """Merges as a tool would that keeps only its own side of some path."""

    lost = "gone.txt"

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        merged = super().merge_tree(ours, theirs)
        before = self.entries(ours).get(self.lost)
        if before is None or self.entries(merged.tree).get(self.lost) == before:
            return merged
        return MergeResult(self.with_entry(merged.tree, f"{before.mode} {before.sha}\t{self.lost}\0"), ())

    def with_entry(self, tree: str, line: str) -> str:
        env = {"GIT_INDEX_FILE": str(self.place.path / ".git/dropping-index")}
        self.run("read-tree", tree, env=env)
        self.run("update-index", "-z", "--index-info", stdin=line.encode(), env=env)
        return self.run("write-tree", env=env).text


def test_a_change_that_a_merge_drops_is_found_and_the_others_land(root: Path) -> None:
    kinds = {"delete and add": {**KINDS["delete"], **KINDS["empty"]}, "modify": KINDS["modify"]}
    base = rev(root)
    branches = [to_merge(name, branch_with(root, base, edits), base, edits) for name, edits in kinds.items()]
    stack = write_stack(Dropping(root), base, branches)
    assert outcomes(stack) == {"delete and add": "conflict", "modify": "stacked"}
    assert stack.rows["delete and add"].paths == ("gone.txt",)
    assert net(tree_of(root, base), tree_of(root, stack.tip)) == as_asked(root, {"modify": KINDS["modify"]})


def test_a_path_that_no_branch_names_stops_everything(root: Path) -> None:
    class Adding(Dropping):
        def merge_tree(self, ours: str, theirs: str) -> MergeResult:
            merged = Repository.merge_tree(self, ours, theirs)
            blob = self.entries(ours)["kept.txt"].sha
            return MergeResult(self.with_entry(merged.tree, f"100644 {blob}\tsurprise.txt\0"), ())

    base = rev(root)
    branch = to_merge("modify", branch_with(root, base, KINDS["modify"]), base, KINDS["modify"])
    stack = write_stack(Adding(root), base, [branch])
    assert outcomes(stack) == {"modify": "conflict"}
    assert stack.rows["modify"].paths == ("surprise.txt",)


def test_a_stack_that_changes_between_two_looks_is_refused(root: Path) -> None:
    class Lying(Repository):
        looks = 0

        def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> str:
            return super().commit_tree(tree, parents, message, author, at)

        def changes_between(self, pairs):  # type: ignore[no-untyped-def]
            self.looks += 1
            found = super().changes_between(pairs)
            return ((),) if self.looks == 2 else found

    base = rev(root)
    branch = to_merge("modify", branch_with(root, base, KINDS["modify"]), base, KINDS["modify"])
    with pytest.raises(Reject, match="changes what no branch of it does"):
        write_stack(Lying(root), base, [branch])


@pytest.mark.long
def test_fifty_branches_over_a_long_history_lose_nothing(tmp_path: Path, seed: int) -> None:
    """10,000 commits, 50 branches that begin at different ones, of every kind, some of which clash."""
    root, random = tmp_path / "r", Random(seed)
    files = 2_000
    head = history(root, 10_000, files)
    line = subprocess.run(
        ["git", "rev-list", "--first-parent", head], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    repository, branches, edits_of = Repository(root), [], {}
    for n in range(50):
        base = line[random.randint(0, 300)]
        edits: dict[str, Edit] = {}
        for _ in range(random.randint(1, 6)):
            path = path_of(random.randrange(files))
            edits[random.choice([path, f"{path}.new", f"new/{n}/{path}"])] = random.choice(
                [plain(f"{n}\n"), ("100755", b"x\n"), ("100644", random.randbytes(300))]
            )
        if random.random() < 0.5:
            edits[path_of(random.randrange(files))] = None
        edits = {path: edit for path, edit in edits.items() if edit or path in tree_of(root, base)}
        task = f"T-{n}"
        edits_of[task] = base, edits
        branches.append(to_merge(task, branch_with(root, base, edits), base, edits, reviewed=head))
    stack = write_stack(repository, head, branches)
    said = outcomes(stack)
    assert set(said) == {branch.task for branch in branches}, "a branch is lost"
    asked: dict[str, object] = {}
    for branch in branches:
        if said[branch.task] == "stacked":
            base, _ = edits_of[branch.task]
            asked |= net(tree_of(root, base), tree_of(root, branch.commit))
    got = net(tree_of(root, head), tree_of(root, stack.tip))
    print(f"seed {seed}: {sorted(said.values())}")
    assert sum(outcome == "stacked" for outcome in said.values()) >= 10
    assert got == asked
    again = write_stack(repository, head, branches)
    assert again.tip == stack.tip, "the same again is the same object"
