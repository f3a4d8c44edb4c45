"""kill -9 of anybody in a roster of models: work ends, and what was spent is known but for one call per kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from model_kills import Killer, plan
from model_roster import model_workspace, obedient
from model_server import ModelServer
from roster import DRIVERS, HANG_S, task
from spending import logged, spending

from callboard.bus.caps import RUN

EACH = 5
"""Tasks of each driver. All but the last ones take 72 calls; what the plan needs beyond those is made for the last."""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_kills_leave_at_most_one_call_each_that_nobody_knows_the_cost_of(tmp_path: Path, seed: int) -> None:
    files = {name: [f"{name}/f{n}.txt" for n in range(EACH)] for name in DRIVERS}
    tasks = {
        name: "".join(task(f"{n} - File {n}", Writes=path) for n, path in enumerate(paths))
        for name, paths in files.items()
    }
    killer = Killer(obedient, frozenset(paths[-1] for paths in files.values()))
    with ModelServer(killer) as server:
        workspace = model_workspace(tmp_path / "repo", server, tasks)
        try:
            launcher = killer.run(workspace, plan(seed), print)
            output, _ = launcher.communicate(timeout=HANG_S)
        finally:
            workspace.stop_everything()
        charged, requests = server.tokens, server.requests
    assert killer.deaths.total() == 20
    status = workspace.json("status")
    assert launcher.returncode in (0, 4), output
    rows = status["tasks"]
    assert isinstance(rows, list)
    assert len(rows) == EACH * len(DRIVERS)
    assert all(row["state"] == "done" or row["reason"] for row in rows), rows
    seen = asyncio.run(spending(workspace))
    settled, (held, _) = seen.of(RUN), seen.held(RUN)
    print(
        f"seed {seed}: {settled.tokens:,} recorded, {charged.input + charged.output:,} charged, {held:,} held for "
        f"{len(seen.open)} calls; {killer.ended} agents ended, {killer.in_calls} of them by a kill in a call of theirs; {[row['state'] for row in rows]}"
    )
    assert logged(workspace) == (settled.input_tokens, settled.output_tokens)
    assert settled.tokens < charged.input + charged.output <= settled.tokens + held
    assert settled.calls < requests <= settled.calls + len(seen.open)
    assert len(seen.open) <= killer.ended
