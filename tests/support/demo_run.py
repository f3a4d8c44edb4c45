"""A demo run that kept every promise, built document by document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from boards import intent_doc, run_doc, task_doc

from callboard.bus.board import Board, Doc, GateDoc, TaskState
from callboard.bus.deployments import DeploymentDoc, DeploymentState
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import Body, Draft, new_id
from callboard.bus.task import CommandResult, Finding
from callboard.demo.evidence import Evidence
from callboard.demo.served import Failures, Served
from callboard.demo.story import Blocker, GateFailure, Refusal, Rejection, Story
from callboard.demo.traces import Landing, LogTrace, Traces
from callboard.demo.visitors import Visits

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LANDED = tuple(f"{number}" * 40 for number in range(1, 6))
BUG = Finding(
    severity="major", file="app/urls.py", line=13, quote="x", scenario="A line end passes. Then it adds", verified=True
)


def deployment_doc(number: int, state: DeploymentState, **values: object) -> DeploymentDoc:
    fields = {"id": f"d-{number}", "environment": "production", "release": f"r-{number}", "state": state}
    return DeploymentDoc.model_validate({"version": 1, **fields, **values})


DEPLOYMENTS = (
    deployment_doc(1, "done", commit=LANDED[2]),
    deployment_doc(
        2,
        "rolled_back",
        commit=LANDED[3],
        blue="r-1",
        reason="shift: error-rate: 5 of 40 users' requests failed",
        next="development",
        task="T-5",
    ),
    deployment_doc(3, "done", commit=LANDED[4], blue="r-1"),
)


def tree(commit: str) -> str:
    return commit[::-1].replace(commit[0], "abcdef"[int(commit[0])])


def board() -> Board:
    """T-1 to T-5 landed, T-6 changed no code; T-2 to T-5 by a second attempt."""
    docs: dict[str, Doc] = {"run": run_doc(state="succeeded", head=LANDED[-1])}
    for number, commit in enumerate(LANDED, start=1):
        agent = "driver-1" if number % 2 else "driver-2"
        attempt = 1 if number == 1 else 2
        docs[f"task:T-{number}"] = task_doc(
            number, f"Task {number}", TaskState.DONE, agent=agent, attempt=attempt, head="e" * 40, landed=commit
        )
        verdict = f"verdict:{tree(commit)}:hash"
        docs[verdict] = GateDoc(version=1, tree=tree(commit), gate_hash="hash", verdict="green")
        docs[f"intent:I-{number}"] = intent_doc(number, f"T-{number}").model_copy(
            update={"new": commit, "tree": tree(commit), "verdict": verdict, "state": "finished"}
        )
    docs["task:T-6"] = task_doc(6, "Measure", TaskState.DONE, agent="driver-2", attempt=1)
    docs |= {f"deployment:{doc.id}": doc for doc in DEPLOYMENTS}
    return Board(docs)


def story() -> Story:
    red = CommandResult(command="make test", exit_code=1, duration_s=1, digest="")
    return Story(
        gate_failures=[GateFailure("T-2", 1, (red,))],
        rejections=[Rejection("T-3", 1, (BUG,), {"senior": "needs_revision", "junior-1": "approved"})],
        refusals=[Refusal("T-4", 1, "paths", "Makefile")],
        blockers=[Blocker("T-5", "driver-1", "which?", "that one", ("T-1",), came_back=True)],
        at_once={frozenset({"T-1", "T-2"})},
        promoted=LANDED[-1],
        logged={"manager": ["run-1/1.1"], "driver-1": ["run-1/2.1"]},
    )


def traces() -> Traces:
    return Traces(
        line=tuple(Landing(commit, tree(commit)) for commit in LANDED),
        target=LANDED[-1],
        files=frozenset({"app/urls.py"}),
        changed=(),
        branches={"driver-1": ("driver-1/log", "driver-1/work"), "manager": ("manager/log",)},
        logs={
            agent: LogTrace(Path(f"/demo/feedback/{agent}.md"), tuple(ids), on_branch=True)
            for agent, ids in story().logged.items()
        },
    )


def served() -> Served:
    """Five requests failed, all at the release that was rolled back."""
    return Served(Visits(sent=100, answered=95, failed=5, seconds=2.5), {"r-2": Failures(5, 40, 0.4)})


def evidence() -> Evidence:
    return Evidence(board(), story(), traces(), served())


def journal(*steps: Sequence[tuple[str, str, Body]]) -> list[JournalEntry]:
    """One entry per step; a message is (sender, task, body), and belongs to attempt 1."""
    return [
        JournalEntry(
            seq=seq,
            at=AT,
            step="commit",
            sender=step[0][0],
            messages=tuple(
                Draft("manager", body, task, 1).stamp(id=new_id(), run="run-1", sender=sender, now=AT)
                for sender, task, body in step
            ),
        )
        for seq, step in enumerate(steps, start=1)
    ]
