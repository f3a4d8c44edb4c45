"""A launched roster of models comes to its caps: it says so, pauses, asks, and does what a person answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from model_roster import model_workspace, obedient
from model_server import ModelServer
from roster import HANG_S, Workspace, task, until
from spending import spending

from callboard.bus.caps import RUN

CAP, RAISED, TASK_CAP, TIER_CAP = 30_000, 50_000, 6_000, 8_000
"""Tokens. A task takes some 14,000 of them: what a driver and three reviewers send and get."""
BUDGET = f"""
[budget]
tokens = {CAP}

[budget.tier]
tokens = {TIER_CAP}

[prices."test-messages"]
input = 3
output = 15

[prices."test-responses"]
input = 1
output = 5
"""
TASKS = {
    "driver-1": task("1 - Small", Writes="a.txt", Budget=f"{TASK_CAP} tokens")
    + task("2 - Second", Writes="b.txt")
    + task("3 - Third", Writes="c.txt"),
    "driver-2": task("1 - Fourth", Writes="d.txt", Tier="Later") + task("2 - Fifth", Writes="e.txt", Tier="Later"),
}


class Watched:
    """A workspace as a person sees it through the commands."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def question(self, about: str) -> str:
        """The open question about a budget; "" while there is none, or no server that could be asked."""
        rows = self.workspace.json("status").get("questions", [])
        assert isinstance(rows, list)
        return next((str(row["id"]) for row in rows if f"the budget of {about} is spent" in row["text"]), "")

    def run(self, what: str) -> object:
        run = self.workspace.json("status")["run"]
        assert isinstance(run, dict)
        return run[what]

    def costs(self, scope: str) -> list[dict[str, object]]:
        rows = self.workspace.json("costs")["rows"]
        assert isinstance(rows, list)
        return [row for row in rows if row["scope"] == scope]

    def answer(self, question: str, text: str) -> str:
        said = self.workspace.call("answer", question, text)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    def asked(self, about: str) -> str:
        """Wait for the question about a budget."""
        found: list[str] = []

        def is_asked() -> bool:
            found[:] = [self.question(about)]
            return bool(found[0])

        until(is_asked, every_s=2)
        return found[0]

    def pauses(self) -> None:
        """Wait until the run's own budget is asked about and no call is under way any more."""
        self.asked("the run")
        until(lambda: not self.costs("run")[0]["open_calls"], every_s=2)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_roster_at_its_cap_pauses_and_asks_and_does_what_is_answered(tmp_path: Path) -> None:
    with ModelServer(obedient) as server:
        workspace = model_workspace(tmp_path / "repo", server, TASKS)
        toml = tmp_path / "repo" / "callboard.toml"
        models = toml.read_text()
        toml.write_text(models + BUDGET)
        seen = Watched(workspace)
        launcher = workspace.start("--stay")
        try:
            the_run_pauses_at_its_cap(seen, server)
            assert "50,000 tokens" in seen.answer(seen.question("the run"), f"{RAISED}")
            assert "may use 30,000 tokens" in seen.answer(seen.asked("T-1"), "30k")
            assert "tier later may use 100,000 tokens" in seen.answer(seen.asked("tier later"), "100k")
            seen.pauses()
            assert RAISED <= charged(server) < RAISED + dearest(server)
            assert "raise [budget]" in seen.answer(seen.question("the run"), "stop")
            assert (seen.run("state"), seen.run("reason")) == ("failed", "budget_exhausted")
            launcher.terminate()
            output, _ = launcher.communicate(timeout=HANG_S)
            toml.write_text(models + BUDGET.replace(str(CAP), "1_000_000"))
            code, rest = workspace.launch()
        finally:
            workspace.stop_everything()
    assert "the budget of the run is spent" in output
    assert code == 0, rest
    assert set("abcde") <= {name[0] for name in workspace.files(workspace.integration())}
    spent = asyncio.run(spending(workspace))
    assert (spent.of(RUN).tokens, spent.open) == (charged(server), ())


def the_run_pauses_at_its_cap(seen: Watched, server: ModelServer) -> None:
    """Its first cap; five agents spend at once, and a task and a tier come to theirs before it or after."""
    seen.pauses()
    assert CAP <= charged(server) < CAP + dearest(server)
    run, agents, tasks, models = (seen.costs(scope) for scope in ("run", "agent", "task", "model"))
    assert [run[0]["input_tokens"], run[0]["output_tokens"]] == [server.tokens.input, server.tokens.output]
    [tier] = seen.costs("tier")
    later = [row for row in tasks if row["name"] in ("T-4", "T-5")]
    assert (tier["name"], tier["input_tokens"]) == ("later", sum(int(str(row["input_tokens"])) for row in later))
    for rows in (agents, tasks, models):
        assert sum(int(str(row["input_tokens"])) for row in rows) == server.tokens.input
    assert len(agents) >= 2, "several spend at once"
    assert [row["usd"] is None for row in models] == ["chat" in str(row["name"]) for row in models]
    table = seen.workspace.call("costs").stdout
    of_run = next(line for line in table.splitlines() if line.startswith("run "))
    # who thinks with the model that has no price may not have come to its turn yet
    has_unknown = any("chat" in str(row["name"]) for row in models)
    assert (" + unknown" in of_run) is has_unknown
    assert of_run.rstrip().endswith("% tokens")
    assert ("unknown prices" in table) is has_unknown
    shown = seen.workspace.call("status").stdout
    assert f"of {CAP:,} tokens" in shown
    assert "the budget of the run is spent" in shown


def charged(server: ModelServer) -> int:
    return server.tokens.input + server.tokens.output


def dearest(server: ModelServer) -> int:
    return max(served.tokens.input + served.tokens.output for served in server.served)
