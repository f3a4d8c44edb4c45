"""Deployments as people and scripts see them: `callboard deployments --json` is a Deployments; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from callboard.agents.deployment.history import Record
from callboard.agents.deployment.metrics import Metrics, metrics
from callboard.agents.deployment.standing import Share, Standing
from callboard.bus.deployments import DeploymentDoc
from callboard.feedback.facts import time_fact


@dataclass(frozen=True, slots=True)
class EdgeRow:
    source: str
    to: str
    event: str
    facts: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    item: str
    state: str
    """pass, fail or unknown."""
    fact: str
    source: str
    let_pass_by: str
    """Who let it pass as it is; "" = nobody."""


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
    notes: str
    """The task that lands its notes; "" = none does."""
    checklist: tuple[ItemRow, ...]
    """As it was made before a promotion to production; () = it was not."""
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
    notices: tuple[str, ...] = ()
    """What happened there while nobody looked."""
    shares: tuple[Share, ...] = ()
    """What runs there now, who has most of the requests first; () = nothing does, or a notice says why that is not known."""


@dataclass(frozen=True, slots=True)
class Deployments:
    deployments: tuple[DeploymentRow, ...]
    """The oldest first."""
    environments: tuple[EnvironmentRow, ...]


def deployments_of(
    docs: Iterable[DeploymentDoc],
    records: Mapping[str, Record],
    now: datetime,
    standing: Mapping[str, Standing] = MappingProxyType({}),
) -> Deployments:
    every = tuple(docs)
    rows = (_row(doc, metrics(doc, every, now)) for doc in every)
    return Deployments(
        tuple(rows),
        tuple(_environment(name, record, standing.get(name, Standing())) for name, record in records.items()),
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
        notes=doc.notes,
        checklist=checklist_rows(doc),
        requested_at=doc.requested_at,
        ended_at=doc.ended_at,
        metrics=measured,
        history=tuple(EdgeRow(one.source, one.to, one.event, one.facts, one.at) for one in doc.history),
    )


def checklist_rows(doc: DeploymentDoc) -> tuple[ItemRow, ...]:
    by = {one.item: one.by or "a person" for one in doc.let_pass}
    return tuple(ItemRow(one.name, one.state, one.fact, one.source, by.get(one.name, "")) for one in doc.checklist)


def _environment(name: str, record: Record, now: Standing) -> EnvironmentRow:
    last = record.passed[-1] if record.passed else None
    return EnvironmentRow(
        environment=name,
        release=last.release if last else "",
        commit=last.commit if last else "",
        since=time_fact(last.at) if last else "",
        lock=str(record.hold) if record.hold else "",
        notices=now.notices,
        shares=now.shares,
        audit=tuple(AuditRow(one.by, one.did, one.at) for one in record.audit),
    )
