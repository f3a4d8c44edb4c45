"""Thousands of hostile trees through intake, each judged a second time by rules written down apart from the product."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import intake_oracle
import pytest
from intake_oracle import Asked, Entry
from raw_git import Objects
from tree_mutations import BASE, Draft, mutate
from workshop import HANDIN, PIN, Workshop, git, make_workshop

from callboard.agents.manager.intake import IntakeLimits, IntakeRules, take_in
from callboard.agents.workspace.clone import AgentClone
from callboard.bus.errors import ApprovalNeeded, IntakeRefused
from callboard.bus.task import Permit

PATHS = ((), ("app/",), ("app/", "docs/*.md"), ("**",), ("**/*.py", "*.md"), (".github/workflows/*.yml", "app/**"))
NOWHERE = "1" * 40
"""Where the submodule points: no object of either repository."""
LIMITS = IntakeLimits(blob_bytes=2_000, total_bytes=10_000, files=30)


class Range:
    """One user's repository and one vault, into which trees are written past git."""

    def __init__(self, folder: Path) -> None:
        self.shop: Workshop = make_workshop(folder, dict(BASE))
        (folder / "link").symlink_to("app/main.py")
        git(folder, "add", "link")
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{NOWHERE},vendor/lib")
        git(folder, "commit", "--quiet", "-m", "a link and a submodule")
        self.base = self.shop.head
        self.clone: AgentClone = self.shop.prepared()
        vault = self.clone.checkout.git_dir
        self.user = Objects(folder / ".git/objects")
        self.objects = Objects(vault / "objects", (self.user.folder,))
        self.handin = vault / HANDIN
        self.handin.parent.mkdir(parents=True, exist_ok=True)
        self.base_tree = self.shop.repository.tree_of(self.base)
        self.taken: set[str] = set()
        self.before = [*self.objects.flat(self.base_tree)]

    def draft(self, rng: random.Random) -> Draft:
        return Draft(self.objects, rng, {path: (mode, sha) for path, mode, sha in self.before})

    def commit(self, tree: str, rng: random.Random) -> tuple[str, bool]:
        """A commit on the vault's ref, and whether it is one step on the base."""
        parents = [[self.base]] * 30 + [[], [self.base, self.base], [self.objects.commit(self.base_tree, [self.base])]]
        chosen = rng.choice(parents)
        commit = self.objects.commit(tree, chosen)
        self.handin.write_text(f"{commit}\n")
        return commit, chosen == [self.base]

    def intake(self, commit: str, asked: Asked) -> str:
        permits = tuple(Permit(rule="document", path=path, blob=blob) for path, blob in sorted(asked.permitted))
        rules = IntakeRules(paths=asked.paths, limits=LIMITS, permits=permits)
        try:
            taken = take_in(
                self.clone.vault,
                self.shop.repository,
                base=self.base,
                commit=commit,
                rules=rules,
                pin=PIN,
                branch="driver-1/work",
            )
        except ApprovalNeeded:
            return "ask"
        except IntakeRefused as refused:
            return f"out: {refused}"
        assert taken.commit == commit
        self.taken.add(commit)
        return "in"

    def contents(self, entries: list[Entry]) -> dict[str, bytes]:
        return {sha: self.objects.read(sha) for _, _, sha in entries if sha != NOWHERE}


def run_one(range_: Range, rng: random.Random) -> tuple[str, str]:
    """What intake and the oracle say about one drawn hand-in."""
    draft = range_.draft(rng)
    mutate(draft)
    tree = draft.write()
    new = [*range_.objects.flat(tree)]
    permitted = frozenset((p.decode(errors="replace"), "") for p, _, _ in new if rng.random() < 0.02)
    asked = Asked(rng.choice(PATHS), permitted, LIMITS.files, LIMITS.blob_bytes, LIMITS.total_bytes)
    commit, is_one_step = range_.commit(tree, rng)
    expected = intake_oracle.verdict(range_.before, new, asked, range_.contents([*range_.before, *new]))
    if not is_one_step:
        expected = "out: ancestry"
    elif draft.is_unsorted or draft.is_slashed:
        # in such an order, or with such a name, no git would have written it
        expected = "out: form" if tree != _as_git_writes(range_, draft) else expected
    found = range_.intake(commit, asked)
    assert (range_.shop.repository.resolve(commit) is not None) is (commit in range_.taken), "a refused one came in"
    return found, expected


def _as_git_writes(range_: Range, draft: Draft) -> str:
    return Draft(range_.objects, draft.rng, draft.files, draft.twice).write()


def run_many(folder: Path, seed: int, count: int, stop: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Judge `count` trees, each of its own seed; says which one differs."""
    seen: Counter[str] = Counter()
    range_ = Range(folder / "0")
    for n in range(count):
        if stop():
            break
        if n % 500 == 499:
            range_ = Range(folder / str(n))
        found, expected = run_one(range_, random.Random(f"{seed}.{n}"))
        assert found[:3] == expected[:3], f"tree {seed}.{n}: intake says {found}, the rules say {expected}"
        seen[expected.split(" ")[0] if not expected.startswith("out") else expected] += 1
    return seen


def test_nothing_outside_the_rules_comes_in_from_300_hostile_trees(tmp_path: Path, seed: int) -> None:
    seen = run_many(tmp_path, seed, 300)
    assert seen["in"] >= 15, seen
    assert seen["ask"] >= 3, seen
    assert len(seen) >= 9, seen


def test_without_intake_most_of_what_the_rules_keep_out_comes_in(tmp_path: Path, seed: int) -> None:
    range_ = Range(tmp_path / "0")
    kept_out = came_in = 0
    for n in range(60):
        rng = random.Random(f"{seed}.{n}")
        draft = range_.draft(rng)
        mutate(draft)
        commit, _ = range_.commit(draft.write(), rng)
        everything = Asked(PATHS[1], frozenset(), LIMITS.files, LIMITS.blob_bytes, LIMITS.total_bytes)
        if range_.intake(commit, everything).startswith("out"):
            kept_out += 1
            fetched = ["git", "fetch", "--quiet", str(range_.clone.checkout.git_dir), f"+{HANDIN}:refs/heads/unjudged"]
            came_in += subprocess.run(fetched, cwd=range_.shop.root, capture_output=True, check=False).returncode == 0
    assert came_in >= 0.8 * kept_out > 0, (came_in, kept_out)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_nothing_outside_the_rules_comes_in_from_10_000_hostile_trees(
    tmp_path: Path, seed: int, time_is_up: Callable[[], bool]
) -> None:
    seen = run_many(tmp_path, seed, 10_000, time_is_up)
    assert seen["in"] >= 0.05 * seen.total(), seen
    print(seen)
