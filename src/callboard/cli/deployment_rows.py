"""Deployments as `callboard deployments` prints them; `--json` prints these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table
from rich.text import Text

from callboard.agents.deployment.ledger import Record
from callboard.agents.deployment.metrics import Metrics, metrics
from callboard.bus.deployments import DeploymentDoc
from callboard.cli.lists import plain_table
from callboard.cli.plain import one_line
from callboard.feedback.facts import time_fact

AUDIT = 6
"""Of an environment's audit, on a screen; `--json` has all that are kept."""
_STYLES = {"done": "green", "rolled_back": "bold red"}


@dataclass(frozen=True, slots=True)
class EdgeRow:
    source: str
    to: str
    event: str
    facts: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    id: str
    kind: str
    environment: str
    commit: str
    release: str
    blue: str
    """The release that served before; "" = none."""
    state: str
    step: str
    """What the deployment agent does now; "" = nothing."""
    address: str
    fixes: int
    tests_passed: int
    tests: int
    reason: str
    next: str
    task: str
    question: str
    by: str
    requested_at: datetime | None
    ended_at: datetime | None
    metrics: Metrics
    history: tuple[EdgeRow, ...]


@dataclass(frozen=True, slots=True)
class AuditRow:
    by: str
    did: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    environment: str
    release: str
    """What came to serve there last; "" = nothing did."""
    commit: str
    since: str
    lock: str
    """Who holds it, since when and why; "" = nobody."""
    audit: tuple[AuditRow, ...]


@dataclass(frozen=True, slots=True)
class Deployments:
    deployments: tuple[DeploymentRow, ...]
    """The oldest first."""
    environments: tuple[EnvironmentRow, ...]


def deployments_of(docs: Iterable[DeploymentDoc], records: Mapping[str, Record], now: datetime) -> Deployments:
    every = tuple(docs)
    rows = (_row(doc, metrics(doc, every, now)) for doc in every)
    return Deployments(
        tuple(rows),
        tuple(_environment(name, record) for name, record in records.items()),
    )


def _row(doc: DeploymentDoc, measured: Metrics) -> DeploymentRow:
    return DeploymentRow(
        id=doc.id,
        kind=doc.kind,
        environment=doc.environment,
        commit=doc.commit,
        release=doc.release,
        blue=doc.blue,
        state=doc.state,
        step=doc.step,
        address=doc.address,
        fixes=doc.fixes,
        tests_passed=sum(one.passed for one in doc.tests),
        tests=len(doc.tests),
        reason=doc.reason,
        next=doc.next,
        task=doc.task,
        question=doc.question,
        by=doc.by,
        requested_at=doc.requested_at,
        ended_at=doc.ended_at,
        metrics=measured,
        history=tuple(EdgeRow(one.source, one.to, one.event, one.facts, one.at) for one in doc.history),
    )


def _environment(name: str, record: Record) -> EnvironmentRow:
    last = record.passed[-1] if record.passed else None
    return EnvironmentRow(
        environment=name,
        release=last.release if last else "",
        commit=last.commit if last else "",
        since=time_fact(last.at) if last else "",
        lock=str(record.hold) if record.hold else "",
        audit=tuple(AuditRow(one.by, one.did, one.at) for one in record.audit),
    )


def audit_lines(row: EnvironmentRow) -> list[str]:
    """The last things that people and deployments did to an environment's lock."""
    return ["  " + one_line(f"{time_fact(one.at)} {one.by}: {one.did}") for one in row.audit[-AUDIT:]]


def checklist_lines(doc: DeploymentDoc) -> list[str]:
    """The production checklist as it was made last, and what of it somebody let pass."""
    by = {one.item: one.by or "a person" for one in doc.let_pass}
    return [
        f"  {item.state:<8} "
        + one_line(
            f"{item.name}: {item.fact} ({item.source})" + (f"; {by[item.name]} let it pass" if item.name in by else "")
        )
        for item in doc.checklist
    ]


def table(rows: Iterable[DeploymentRow]) -> Table:
    made = plain_table("", "env", "commit", "state", "fixes", "tests", "")
    for row in rows:
        why = row.reason or (f"waits for {row.question}" if row.question else row.step)
        opened = f"; {row.task} opened" if row.state == "rolled_back" and row.task else ""
        after = f" (next: {row.next}{opened})" if row.next else ""
        state = Text(row.state, _STYLES.get(row.state, "cyan"))
        tests = f"{row.tests_passed}/{row.tests}" if row.tests else ""
        made.add_row(row.id, row.environment, row.commit[:7], state, str(row.fixes), tests, one_line(why + after))
    return made
