"""kill -9, with every git that runs, at random moments of an agent's workspace life."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from roster import until
from workshop import Workshop, git, write

WORK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.layout import Layout
root, first, second = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
clone = AgentClone(Layout(root), Repository(root), "driver-1")
number = len(list(clone.path.parent.glob("done-*")))
print("ready", flush=True)
while True:
    clone.prepare(second if number % 2 else first)
    (clone.path / f"work-{number}.txt").write_text(f"work {number}")
    (clone.path.parent / f"done-{number}").touch()
    if number % 3 == 0:
        clone.park("T-1", number)
    elif number % 3 == 1:
        clone.hand_in(f"refs/handin/T-1/{number}", first, "m", Person("d", "d@x"), datetime.now(UTC))
    number += 1
"""


@pytest.mark.long
def test_no_work_is_lost_and_every_state_heals_when_all_is_killed_at_random_moments(
    workshop: Workshop, seed: int
) -> None:
    moments = random.Random(seed)
    first = workshop.commit({f"many/{n}.txt": f"{n}\n" for n in range(60)})
    second = workshop.commit({f"many/{n}.txt": f"changed {n}\n" for n in range(40)})
    clones = workshop.layout.clone("driver-1").parent
    for round in range(6):
        argv = [sys.executable, "-c", WORK, str(workshop.root), first, second]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
            if not round:  # else a slow machine might never come to the first piece of work
                until(lambda: any(clones.glob("done-*")))
            try:
                worker.wait(timeout=moments.uniform(0.05, 1.5))
            except subprocess.TimeoutExpired:
                os.killpg(worker.pid, signal.SIGKILL)
            assert worker.wait() == -signal.SIGKILL, "it ends only when it is killed"
    clone = workshop.prepared()
    assert git(clone.path, "status", "--porcelain") == ""
    assert git(clone.path, "rev-parse", "HEAD") == workshop.head
    assert git(workshop.root, "fsck", "--full", "--no-dangling") == ""
    kept = {
        path
        for commit in [*clone.vault.refs("refs/wip").values(), *clone.vault.refs("refs/handin").values()]
        for path in clone.vault.entries(commit)
        if path.startswith("work-")
    }
    written = {f"work-{path.name.removeprefix('done-')}.txt" for path in clones.glob("done-*")}
    assert written
    assert written <= kept
    write(clone.path, {"app/main.py": "goes on\n"})
    assert workshop.hand_in(clone, base=first) is not None


def test_a_half_made_clone_is_not_taken_for_one(workshop: Workshop) -> None:
    folder: Path = workshop.layout.clone("driver-1")
    write(folder, {"README.md": "half", ".git/HEAD": "ref: refs/heads/x\n", ".git/index.lock": ""})
    clone = workshop.prepared()
    assert git(clone.path, "status", "--porcelain") == ""
    assert (folder / "README.md").read_text() == "# App\n"
