"""One repository and one vault under fire: drawn trees go through intake, each judged a second time by rules of the tests."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import intake_oracle
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


Run = Callable[["Range"], Callable[[random.Random], tuple[str, str]]]
"""What intake and the oracle say about one hand-in after the other of a repository, each drawn anew."""


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
        self.notes: Counter[str] = Counter()
        """What a run counts besides verdicts."""

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
        after = [*self.objects.flat(taken.tree)]
        assert not intake_oracle.outside(self.before, after, asked), "it landed outside what it may change"
        self.taken.add(commit)
        return "in"

    def judged(self, commit: str, asked: Asked) -> str:
        """What intake says; what it refused is not there."""
        found = self.intake(commit, asked)
        assert self.has_in_repository(commit) is (commit in self.taken), "a refused one came in"
        return found

    def has_in_repository(self, commit: str) -> bool:
        """Looked up without git, which would take longer than all else here: a loose object, or one of a pack."""
        name = bytes.fromhex(commit)
        loose = self.user.folder / commit[:2] / commit[2:]
        return loose.exists() or any(name in index.read_bytes() for index in self.user.folder.glob("pack/*.idx"))

    def contents(self, entries: list[Entry]) -> dict[str, bytes]:
        return {sha: self.objects.read(sha) for _, _, sha in entries if sha != NOWHERE}


def drawn_rules(rng: random.Random, entries: list[Entry]) -> Asked:
    permitted = frozenset((path.decode(errors="replace"), "") for path, _, _ in entries if rng.random() < 0.02)
    return Asked(rng.choice(PATHS), permitted, LIMITS.files, LIMITS.blob_bytes, LIMITS.total_bytes)


def trees(range_: Range) -> Callable[[random.Random], tuple[str, str]]:
    """Hand-ins of one drawn tree each."""
    return lambda rng: _run_tree(range_, rng)


def _run_tree(range_: Range, rng: random.Random) -> tuple[str, str]:
    draft = range_.draft(rng)
    mutate(draft)
    tree = draft.write()
    new = [*range_.objects.flat(tree)]
    asked = drawn_rules(rng, new)
    commit, is_one_step = range_.commit(tree, rng)
    expected = intake_oracle.verdict(range_.before, new, asked, range_.contents([*range_.before, *new]))
    if not is_one_step:
        expected = "out: ancestry"
    elif draft.is_unsorted or draft.is_slashed:
        # in such an order, or with such a name, no git would have written it
        expected = "out: form" if tree != _as_git_writes(range_, draft) else expected
    return range_.judged(commit, asked), expected


def _as_git_writes(range_: Range, draft: Draft) -> str:
    return Draft(range_.objects, draft.rng, draft.files, draft.twice).write()


def run_many(folder: Path, seed: int, numbers: range, run: Run = trees) -> Counter[str]:
    """Judge these hand-ins, each of its own seed, in one repository; says which one differs."""
    seen: Counter[str] = Counter()
    range_ = Range(folder)
    judged = run(range_)
    for n in numbers:
        found, expected = judged(random.Random(f"{seed}.{n}"))
        where = f"{run.__name__} {seed}.{n}"
        assert found[:3] == expected[:3], f"{where}: intake says {found}, the rules say {expected}"
        seen[expected.split(" ")[0] if not expected.startswith("out") else expected] += 1
    return seen + range_.notes
