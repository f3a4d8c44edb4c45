"""Thousands of hostile trees and patches through intake, judged a second time by rules written down apart from the product."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import pytest
from hostile_range import LIMITS, PATHS, Range, Run, run_many, trees
from intake_oracle import Asked
from patched_clone import PATCHES, PatchedClone, patches
from tree_mutations import mutate
from workshop import HANDIN

TREES, PATCHED = 250, 50
"""Hand-ins that share a repository: with more, its folder of objects makes git slow."""


def test_nothing_outside_the_rules_comes_in_from_100_hostile_trees(tmp_path: Path, seed: int) -> None:
    seen = run_many(tmp_path / "0", seed, range(100))
    assert seen["in"] >= 2, seen  # some fifteen
    assert len(seen) >= 6, seen


@pytest.mark.long
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
    # of a hundred some ninety do
    assert came_in >= 0.7 * kept_out > 0, (came_in, kept_out)


def test_what_hostile_patches_make_of_a_clone_is_judged_as_all_work_is(tmp_path: Path, seed: int) -> None:
    seen = run_many(tmp_path / "0", seed, range(2), patches)
    assert seen["patch applied"] > 0, seen
    assert seen["patch refused"] > 0, seen


def test_what_reaches_out_of_a_clone_would_be_seen(tmp_path: Path) -> None:
    clone = PatchedClone(Range(tmp_path / "0"))
    clone.apply([("", b"--- a/x\n+++ b/../canary\n@@ -1 +1 @@\n-alive\n+dead\n")])
    assert dict(clone.outside()) == clone.world
    for path in (*clone.canaries, clone.beside / "new", clone.range.shop.root / ".git/hooks/post-commit"):
        before = path.read_bytes() if path.exists() else None
        path.write_text("dead\n")
        assert dict(clone.outside()) != clone.world, path
        path.unlink() if before is None else path.write_bytes(before)


def in_parts(folder: Path, seed: int, count: int, part: int, run: Run, time_is_up: Callable[[], bool]) -> Counter[str]:
    """On all processors: it is git that takes the time: five starts of it for a tree, forty for some patches."""
    seen: Counter[str] = Counter()
    spawn = multiprocessing.get_context("spawn")  # a copy of this process would have its threads' locks
    with ProcessPoolExecutor(mp_context=spawn) as pool:
        parts = [range(n, min(n + part, count)) for n in range(0, count, part)]
        running = [pool.submit(run_many, folder / str(numbers.start), seed, numbers, run) for numbers in parts]
        try:
            for each in as_completed(running):
                seen += each.result()
                if time_is_up():
                    break
        finally:
            pool.shutdown(cancel_futures=True)
    print(seen.total(), seen)
    return seen


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_nothing_outside_the_rules_comes_in_from_5_000_hostile_trees(
    tmp_path: Path, seed: int, time_is_up: Callable[[], bool]
) -> None:
    seen = in_parts(tmp_path, seed, 5_000, TREES, trees, time_is_up)
    assert seen["in"] >= 0.05 * seen.total() > 0, seen


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_nothing_outside_the_rules_comes_in_from_5_000_hostile_patches(
    tmp_path: Path, seed: int, time_is_up: Callable[[], bool]
) -> None:
    """Each is applied by `git apply` inside the sandbox of the clone; what some of them have made of it is handed in."""
    seen = in_parts(tmp_path, seed, 5_000 // PATCHES, PATCHED, patches, time_is_up)
    applied, refused = seen.pop("patch applied"), seen.pop("patch refused")
    assert applied >= 0.2 * (applied + refused) > 0, (applied, refused)
    assert seen["in"] >= 0.15 * seen.total() > 0, seen
    assert seen["out: outside"] + seen["out: protected"] >= 0.05 * seen.total(), seen
