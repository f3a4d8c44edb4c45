"""What metrics are made of: each number added up by hand from the journals, and asked for in four questions."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from ledger_world import World, paid, told
from sqlalchemy import event

from callboard.bus.archive import Row
from callboard.bus.board import RunDoc
from callboard.bus.caps import OpenCall, Spent
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.doc import Doc
from callboard.bus.tally import TallyDoc
from callboard.ledger.totals import Calls, Deployed, Totals, totals

pytestmark = pytest.mark.timeout(600)


def call(id: str, model: str, spent: Spent) -> tuple[OpenCall, Spent]:
    return OpenCall(id=id, agent="driver-1", task="T-1", model=model, tokens=9, micro_usd=9), spent


def journal(run: str, n: int) -> list[Row]:
    """A run with calls of two models, a tally that grows, and deployments."""
    docs: dict[str, Doc] = {"run": RunDoc(id=run, state="running")}
    began, ended = (
        TallyDoc(executions_started=3, under_way=("T-1",)),
        TallyDoc(executions_started=4 + n, executions_completed=3, executions_failed=1 + n, merge_runs=2, evictions=n),
    )
    cost = Spent(calls=1, input_tokens=10 + n, output_tokens=3, cached_tokens=4, micro_usd=100_001)
    return [
        told(1, {**docs, "tally": began}),
        paid(2, *call("c1", "opus", cost)),
        paid(3, *call("c2", "gpt:5", Spent(calls=2, input_tokens=7, unpriced=2))),
        told(4, {"tally": ended, "deployment:d-1": DeploymentDoc(id="d-1", environment="staging", state="requested")}),
        paid(5, *call("c3", "opus", cost)),
        told(
            6,
            {
                "run": RunDoc(id=run, state="succeeded" if n else "running"),
                "deployment:d-1": DeploymentDoc(id="d-1", environment="staging", state="done"),
                "deployment:d-2": DeploymentDoc(id="d-2", environment="staging", state="rolled_back"),
                "deployment:d-3": DeploymentDoc(id="d-3", environment="production", state="baking"),
            },
        ),
    ]


def by_hand(journals: list[list[Row]]) -> Totals:
    """The same, added up from the entries without any code of ours."""
    tally, states, models = Counter[str](), Counter[str](), defaultdict[str, Counter[str]](Counter)
    places = defaultdict[str, Counter[str]](Counter)
    for rows in journals:
        docs: dict[str, dict[str, object]] = {}
        for row in rows:
            entry = json.loads(row.entry)
            docs |= {change["field"]: json.loads(change["doc"]) for change in entry["changes"]}
            if entry["step"] == "settle":
                models[entry["paid"]["call"]["model"]].update(entry["paid"]["paid"])
        states[str(docs["run"]["state"])] += 1
        tally.update({name: value for name, value in docs["tally"].items() if isinstance(value, int)})
        for doc in (doc for name, doc in docs.items() if name.startswith("deployment:")):
            places[str(doc["environment"])].update([str(doc["state"]), "begun"])
    return Totals(
        runs=dict(sorted(states.items())),
        executions_started=tally["executions_started"],
        executions_completed=tally["executions_completed"],
        executions_failed=tally["executions_failed"],
        merge_runs=tally["merge_runs"],
        evictions=tally["evictions"],
        models={
            name: Calls(
                **{what: amount for what, amount in counted.items() if what != "micro_usd"},
                usd=Decimal(counted["micro_usd"]).scaleb(-6),
            )
            for name, counted in sorted(models.items())
        },
        deployments={
            name: Deployed(counted["begun"], counted["done"], counted["rolled_back"])
            for name, counted in sorted(places.items())
        },
    )


def test_each_number_is_the_sum_over_the_journals_of_the_projects_runs(world: World) -> None:
    journals = {f"2026112{n}-080000": journal(f"2026112{n}-080000", n) for n in range(3)}
    for run, rows in journals.items():
        world.append(rows, run)
    world.take()
    assert totals(world.database, project="shop") == by_hand(list(journals.values()))
    assert totals(world.database, project="another").models == {}


def test_it_takes_four_questions_however_many_runs_there_are(world: World) -> None:
    asked = list[str]()

    @event.listens_for(world.database.engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    counts = []
    for first, runs in ((0, 1), (1, 12)):
        for n in range(first, runs):
            world.append(journal(f"20261121-08{n:02}00", n), f"20261121-08{n:02}00")
        world.take()
        asked.clear()
        totals(world.database, project="shop")
        counts.append(len([one for one in asked if one.lstrip().upper().startswith("SELECT")]))
    assert counts == [4, 4]


def test_a_ledger_without_any_run_counts_nothing(world: World) -> None:
    world.take()
    assert totals(world.database, project="shop") == Totals({}, 0, 0, 0, 0, 0, {}, {})
