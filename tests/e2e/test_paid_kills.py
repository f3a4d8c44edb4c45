"""kill -9 of anybody in a roster of models: work ends, and what was spent is known but for one call per kill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_kills import Killer, plan
from model_roster import model_workspace, obedient
from model_server import ModelServer
from roster import task
from spending import logged, spending

from callboard.bus.caps import RUN

TASKS = 14


def one_after_the_other(agent: str) -> Iterator[str]:
    """So that everybody has work until the end, which a driver that hurries ahead of the reviewers would not."""
    for n in range(TASKS // 2):
        depends = {"Depends": f"`file-{n - 1}`"} if n else {}
        yield task(f"{n} - File {n}", Writes=f"{agent}/f{n}.txt", **depends)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_kills_leave_at_most_one_call_each_that_nobody_knows_the_cost_of(tmp_path: Path, seed: int) -> None:
    tasks = {name: "".join(one_after_the_other(name)) for name in ("driver-1", "driver-2")}
    killer = Killer(obedient)
    kills = plan(seed)
    assert len(kills) == 20
    with ModelServer(killer) as server:
        workspace = model_workspace(tmp_path / "repo", server, tasks)
        try:
            launcher = killer.run(workspace, kills, print)
            output, _ = launcher.communicate(timeout=300)
        finally:
            workspace.stop_everything()
        charged, requests = server.tokens, server.requests
    status = workspace.json("status")
    assert launcher.returncode in (0, 4), output
    rows = status["tasks"]
    assert isinstance(rows, list)
    assert len(rows) == TASKS
    assert all(row["state"] == "done" or row["reason"] for row in rows), rows
    seen = asyncio.run(spending(workspace))
    settled, (held, _) = seen.of(RUN), seen.held(RUN)
    print(
        f"seed {seed}: {settled.tokens:,} recorded, {charged.input + charged.output:,} charged, {held:,} held for "
        f"{len(seen.open)} calls; {killer.ended} agents ended; {[row['state'] for row in rows]}"
    )
    assert logged(workspace) == (settled.input_tokens, settled.output_tokens)
    assert settled.tokens < charged.input + charged.output <= settled.tokens + held
    assert settled.calls < requests <= settled.calls + len(seen.open)
    assert len(seen.open) <= killer.ended
