"""What landing a branch costs beside its gate: our queue, without a checkout, against `git merge` in one.

A repository of `--files` files; in turn, `--rounds` times: `--branches` branches of one edit each, stacked and landed by the
queue's own code (merge as objects, every change checked, one landing commit, ref and tags moved), and as many merged by
`git merge --no-ff` in a checkout, as a merger without a queue would. What counts is the ratio, per branch, within one run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from callboard.agents.manager.landing import Lander
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_lasting import LastingRepository
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import LandRequested, MergeRequested

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEAST_RATIO = 4.0
"""Issue 5: at 10,000 files at least 4 times less than `git merge` in a checkout."""
REF = "refs/heads/callboard/r"
WHO = ("-c", "user.name=b", "-c", "user.email=b@localhost", "-c", "gc.auto=0", "-c", "maintenance.auto=false")


def git(root: Path, *args: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *WHO, *args], cwd=root, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def path_of(n: int) -> str:
    return f"d{n // 100:03}/f{n:05}.txt"


def lay_out(root: Path, files: int, branches: int) -> list[str]:
    """The repository, checked out, and commits that change one file each.

    Returns:
        The commits; all have `main` as their parent.
    """
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    lines = [b"commit refs/heads/main\nmark :1\ncommitter b <b@localhost> 1700000000 +0000\ndata 5\nbegin\n"]
    for n in range(files):
        lines.append(f"M 100644 inline {path_of(n)}\ndata 20\n{n:019}\n".encode())
    for n in range(branches):
        name = f"refs/heads/b{n}"
        lines.append(f"commit {name}\ncommitter b <b@localhost> 1700000000 +0000\ndata 4\nwork\nfrom :1\n".encode())
        lines.append(f"M 100644 inline {path_of(n * 37 % files)}\ndata 8\nchanged\n\n".encode())
    git(root, "fast-import", "--quiet", stdin=b"".join(lines))
    git(root, "checkout", "--quiet", "main")
    return [git(root, "rev-parse", f"b{n}") for n in range(branches)]


def by_queue(repository: Repository, base: str, commits: Sequence[str]) -> float:
    """Seconds for stacking and landing all of them."""
    root = repository.place.path
    git(root, "update-ref", REF, base)
    run = RunDoc(version=1, id="r", base=base, head=base, integration="callboard/r", target="main")
    branches = tuple(
        MergeBranch(
            task=f"T-{n}",
            agent="driver-1",
            commit=commit,
            base=base,
            reviewed_base=base,
            files=(path_of(n * 37 % 10_000),),
            message=f"Task {n}\n\nTask: T-{n}\n",
            at=NOON,
        )
        for n, commit in enumerate(commits)
    )
    began = time.perf_counter()
    lander = Lander(repository)
    made = lander.prepare(run, MergeRequested(stack=1, branches=branches, at=NOON))
    assert [row.outcome for row in made.branches] == ["stacked"] * len(commits), made
    values = {"ref": REF, "old": base, "new": made.landing, "tree": made.branches[-1].tree}
    green = GateDoc(version=1, tree=values["tree"], gate_hash="h", verdict="green")
    intent = IntentDoc.model_validate(
        {"version": 1, "id": "I-1", "tasks": ("T-1",), "verdict": "verdict:t:h", **values}
    )
    board = Board({"run": run, "intent:I-1": intent, "verdict:t:h": green})
    tags = {f"callboard/r/main/{row.task}": row.merge for row in made.branches}
    done = lander.land(board, LandRequested.model_validate({"intent": "I-1", "tags": tags, **values}))
    took = time.perf_counter() - began
    assert done.outcome == "landed", done
    for tag in tags:
        git(root, "tag", "--delete", tag)
    return took


def by_merge(root: Path, base: str, commits: Sequence[str]) -> float:
    """Seconds for merging them one after the other in the checkout."""
    git(root, "reset", "--hard", "--quiet", base)
    git(root, "status")
    began = time.perf_counter()
    for commit in commits:
        git(root, "merge", "--quiet", "--no-ff", "--no-stat", "--message=Merge", commit)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--branches", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    ours: dict[int, list[float]] = {1: [], given.branches: []}
    theirs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="callboard-benchmark-") as folder:
        root = Path(folder, "r")
        commits = lay_out(root, given.files, given.branches)
        base = git(root, "rev-parse", "main")
        repository = LastingRepository(root)
        by_queue(repository, base, commits)
        for _ in range(given.rounds):
            for count, times in ours.items():
                times.append(by_queue(repository, base, commits[:count]) / count)
            theirs.append(by_merge(root, base, commits) / given.branches)
    merge_ms = statistics.median(theirs) * 1_000
    found: dict[str, object] = {"files": given.files, "git_merge_ms": round(merge_ms, 1)}
    ratios: dict[int, float] = {}
    for count, times in ours.items():
        ratios[count] = statistics.median(each / own for each, own in zip(theirs, times, strict=True))
        found[f"stack_of_{count}"] = {
            "ms_per_branch": round(statistics.median(times) * 1_000, 1),
            "git_merge_takes_so_many_times_it": round(ratios[count], 1),
            "least": round(min(each / own for each, own in zip(theirs, times, strict=True)), 1),
        }
    print(json.dumps(found, indent=2))
    return 0 if min(ratios.values()) >= LEAST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
