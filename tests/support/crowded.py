"""A run in which everything that a page can show is there, and much of it: 200 tasks in all states, with words that do not wrap."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from boards import agent_doc, blocker_doc, question_doc, run_doc, task_doc
from served import Served
from servers import Server
from shown import apart

from callboard.app import Workspace
from callboard.bus.board import BudgetDoc, Change, RunDoc, TaskState
from callboard.bus.bus import Bus
from callboard.bus.caps import OpenCall, Spent, Worked
from callboard.bus.clock import utc_now
from callboard.bus.deployments import DeploymentDoc, DeploymentState, Edge, ReadyItem
from callboard.bus.merges import Branch, Left, QueueDoc, QueueRun
from callboard.bus.messages import BlockerRaised, Draft, EvidenceSubmitted, LandRequested, TaskAccepted, TaskCancelled
from callboard.bus.reviews import SEATS, ReviewDoc, Verdict
from callboard.bus.task import CommandResult, Finding
from callboard.web.app import create
from callboard.web.tokens import Tokens, login_link

RUN = "20261121-091407"
TASKS = 200
LONG = "a" * 90
"""A word that does not wrap by itself."""
QUOTE = "    return parts.scheme in ALLOWED"
CODE = f"import this\n\n\ndef is_address(parts):\n{QUOTE}\n# {LONG * 3}\n"
TOML = """[project]
gate = ["true"]
[review]
allow_same_family = true
[[agents]]
name = "driver-1"
role = "driver"
command = "true"
[[agents]]
name = "driver-2"
role = "driver"
command = "true"
"""
IDENTITY = ("-c", "user.name=b", "-c", "user.email=b@localhost")


@dataclass(slots=True)
class Crowded:
    """It, served; nobody works on it."""

    workspace: Workspace
    server: Server
    served: Served

    @classmethod
    def made(cls, folder: Path) -> Crowded:
        for name in ("bus", "greenroom"):
            (folder / name).mkdir()
        server, root = Server(folder / "bus"), folder / "greenroom"
        (root / "callboard.toml").write_text(TOML)
        (root / "addresses.py").write_text(CODE)
        for argv in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "Begin"]):
            subprocess.run(["git", *IDENTITY, *argv], cwd=root, check=True)
        workspace = Workspace.open(root, {**os.environ, "CALLBOARD_BUS_URL": server.url, "CALLBOARD_LEDGER_URL": "off"})
        apart(_fill(workspace, server.url))
        return cls(workspace, server, Served(create(workspace)))

    def link(self) -> str:
        """A link that logs Ada in, once."""
        return login_link(Tokens(self.workspace.layout.tokens), "Ada", self.served.url)

    def aim(self, goal: str) -> None:
        """Give the run another goal."""

        async def put() -> None:
            async with await Bus.connect(self.server.url, RUN) as bus:
                run = await bus.doc("run", RunDoc)
                changed = run.model_copy(update={"goal": goal, "version": run.version + 1})
                await bus.change([Change("run", changed)], sender="manager")

        apart(put())

    def stop(self) -> None:
        self.served.stop()
        self.server.stop()


async def _fill(workspace: Workspace, url: str) -> None:
    head, now = workspace.repository.resolve("main") or "", utc_now()
    workspace.repository.update_ref(f"refs/heads/callboard/{RUN}", head, None)
    workspace.repository.update_ref(f"refs/callboard/{RUN}/base", head, None)
    async with await Bus.connect(url, RUN) as bus:
        await bus.create_run(run_doc(id=RUN, base=head, head=head, goal=f"Short links for everybody. {LONG}"))
        await bus.change(list(_changes(head, now)), sender="manager")
        await _spend(bus)
        for sender, draft in _work():
            await bus.send(draft, sender=sender)
        await bus.send(Draft("driver-2", TaskCancelled(reason=LONG)), sender="manager")
        [delivery] = await bus.inbox("driver-2", "driver-2.here.1").receive(1)
        await delivery.reject(f"nobody here can read this: {LONG}")


def _changes(head: str, now: datetime) -> Iterator[Change]:
    agents = [
        agent_doc("manager", state="working", doing=f"gates T-7 {LONG}"),
        agent_doc("driver-1", state="working", task="T-1", progress_at=now),
        agent_doc("driver-2", state="down"),
        agent_doc("senior", parked_until=now + timedelta(hours=1)),
    ]
    yield from (Change(f"agent:{doc.name}", doc) for doc in agents)
    states = list(TaskState)
    tasks = [task_doc(n, f"Task {n} {LONG if n == 3 else ''}", states[n % len(states)]) for n in range(2, TASKS + 1)]
    ran = (CommandResult(command=f"python3 -m unittest {LONG}", exit_code=1, duration_s=2.0, digest="d" * 64),)
    handed = {"head": head, "files": ("addresses.py", f"{LONG}.py"), "commands": ran, "evidence": f"Tested. {LONG}"}
    first = task_doc(1, "Keep web addresses only", TaskState.REVIEW, attempt=2, what=f"Refuse `{LONG}` with 400.")
    yield from (Change(f"task:{doc.id}", doc) for doc in (first.model_copy(update=handed), *tasks))
    asked = [
        question_doc(1, "T-1", f"Which? {LONG}", default="none", deadline=now + timedelta(hours=1)),
        question_doc(2, "T-2", "May it?", options=("yes", "no"), may_answer=("ada",)),
        question_doc(3, "T-1", "Before?", state="answered", answer=f"Yes. {LONG}", answered_by="Ada"),
        question_doc(4, "T-1", "Or?", state="closed", closed_for="T-1 was cancelled"),
    ]
    yield from (Change(f"question:{doc.id}", doc) for doc in asked)
    yield Change("blocker:B-1", blocker_doc(1, "T-1", f"no key {LONG}", question="", needs="a key"))
    yield Change("review:T-1.2.1", _review(head))
    yield Change("queue", _queue(head, now))
    yield from (Change(f"deployment:{doc.id}", doc) for doc in _deployments(head, now))
    yield Change("budget", BudgetDoc(version=1, worked={"run": Worked(minutes=119, attempts=400)}))


def _review(head: str) -> ReviewDoc:
    found = Finding(
        severity="major", file="addresses.py", line=5, quote=QUOTE, scenario=f"It keeps {LONG}", command=f"sh {LONG}"
    )
    verdicts = {
        "senior": Verdict(vote="needs_revision", findings=(found,), notes=f"Not yet. {LONG}"),
        "junior-1": Verdict(vote="approved"),
        "junior-2": Verdict(vote="abstained"),
    }
    seats = {str(seat): str(seat) for seat in SEATS}
    return ReviewDoc(
        version=1,
        id="T-1.2.1",
        task="T-1",
        attempt=2,
        commit=head,
        seats=seats,
        verdicts=verdicts,
        outcome="major_flaws",
        summary="Once more.",
    )


def _queue(head: str, now: datetime) -> QueueDoc:
    waits = ("", "", f"it touches what T-7 touches: {LONG}")
    branches = [
        Branch(task=f"T-{n}", attempt=1, commit=head, since=now, waits=why)
        for n, why in zip((7, 20, 33), waits, strict=True)
    ]
    how = ("landed", "evicted", "conflict", "withdrawn")
    return QueueDoc(
        version=1,
        drain=3,
        stack=1,
        branches=tuple(branches),
        depth=2,
        asked=head,
        old=head,
        runs=(
            QueueRun(drain=1, tasks=("T-10",), tree=head, gate_hash="g", verdict="green", flaky=True, at=now),
            QueueRun(drain=2, tasks=("T-10", "T-23"), tree=head, gate_hash="g", verdict="red", said=LONG, at=now),
        ),
        left=tuple(Left(drain=2, task="T-10", how=one, why=head if one == "landed" else LONG, at=now) for one in how),
    )


def _deployments(head: str, now: datetime) -> Iterator[DeploymentDoc]:
    facts: tuple[tuple[str, DeploymentState, tuple[str, ...]], ...] = (
        ("asked for by Ada", "requested", (f"commit `{head}`",)),
        ("rehearse: passed", "promoting", ()),
        ("shift: passed", "promoting", ("Green has 5 % of the traffic", "error-rate: 1 of 200 requests failed, 0 of 180 of Blue's; at most 1.0% may")),
        ("shift: passed", "promoting", ("Green has 50 % of the traffic", "latency: Green's p95 is 1.20 times Blue's (1.01 to 1.39)")),
        ("bake: failed", "rolled_back", ("Green has 100 % of the traffic", f"queue: 12.5 is more than 10 ({LONG})")),
        ("roll_back: passed", "rolled_back", ()),
    )  # fmt: skip
    edges, source = list[Edge](), facts[0][1]
    for n, (event, to, told) in enumerate(facts):
        edges.append(Edge(source=source, to=to, event=event, facts=told, at=now + timedelta(minutes=n - 9)))
        source = to
    items = tuple(
        ReadyItem(name=name, state=state, fact=f"{name} {LONG}", source="the gate")
        for name, state in (("tests", "pass"), ("backup", "fail"), ("alerts", "unknown"))
    )
    whole = DeploymentDoc(
        version=1,
        id="d-1",
        environment="production",
        commit=head,
        release=f"{RUN}-d-1",
        blue=f"{RUN}-d-0",
        state="rolled_back",
        reason=f"queue: {LONG}",
        checklist=items,
        question="q-1",
        by="Ada",
        requested_at=edges[0].at,
        ended_at=now,
        history=tuple(edges),
    )
    yield whole
    yield DeploymentDoc(
        version=1, id="d-2", environment="staging", commit=head, state="testing", step="test", requested_at=now
    )


async def _spend(bus: Bus) -> None:
    rows = (
        ("driver-1", "openai:gpt-5", 2_000_000),
        ("driver-2", f"local:{LONG}", 0),
        ("senior", "gemini-2.5-pro", 400),
    )
    for n, (agent, model, micros) in enumerate(rows):
        call = OpenCall(id=f"c-{n}", agent=agent, task="T-1", model=model, tokens=90_000, micro_usd=micros, tier="core")
        await bus.spending.reserve(call, {}, [])
        paid = Spent(
            calls=1, input_tokens=4_500_000 * (n + 1), output_tokens=900, micro_usd=micros, unpriced=int(not micros)
        )
        await bus.spending.settle(call.id, paid)


def _work() -> Iterator[tuple[str, Draft]]:
    """What a timeline shows, and who says it."""
    ends = (EvidenceSubmitted(head=None), BlockerRaised(what=LONG))
    for n in range(1, 121):
        agent = f"driver-{1 + n % 2}"
        yield agent, Draft("manager", TaskAccepted(), task=f"T-{n}", attempt=1)
        if n % 3:
            yield agent, Draft("manager", ends[n % 2], task=f"T-{n}", attempt=1)
        land = LandRequested(intent=f"I-{n}", ref="refs/heads/x", old="b" * 40, new="c" * 40, tree="d" * 40)
        yield "manager", Draft("land", land, task=f"T-{n}")
