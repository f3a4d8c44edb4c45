"""Rows of what stands on the board. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from callboard.agents.manager import gate_runs
from callboard.agents.manager.decision import newest
from callboard.agents.manager.tiers import Tier, age_in_tiers, count, counting, open_issues, severity, tiers
from callboard.bus.board import BlockerDoc, Board, ReviewDoc, TaskDoc
from callboard.bus.caps import RUN, Worked, tier_scopes
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.doc import Doc
from callboard.bus.issues import IssueDoc, SummaryDoc
from callboard.ledger.records import (
    BlockerRecord,
    DeploymentRecord,
    IssueRecord,
    Record,
    ReviewRecord,
    RunRecord,
    TaskRecord,
    TierRecord,
)
from callboard.ledger.texts import as_json, as_ms, storable

_OF_ALL_ISSUES = frozenset({"tracker", "budget"})
"""What says how old an issue is, and from when on it is too old."""
_OF_TIERS = frozenset({"run", "budget", "tracker", "task", "issue", "summary"})
"""What the rows of the run and of its tiers are counted from."""


def board_records(run: str, project: str, board: Board, changed: Iterable[str]) -> Iterator[Record]:
    """Every row that is another one since these fields of the board have changed."""
    fields = dict.fromkeys(changed)
    kinds = {name.partition(":")[0] for name in fields}
    for name in fields:
        kind = name.partition(":")[0]
        if kind in _ROWS and not (kind == "issue" and kinds & _OF_ALL_ISSUES):
            yield _ROWS[kind](run, board, board.docs[name])
    if kinds & _OF_ALL_ISSUES:
        yield from (_issue(run, board, issue) for issue in board.all(IssueDoc))
    if kinds & _OF_TIERS and board.run.version:
        yield _run(run, project, board)
        yield from (_tier(run, board, tier) for tier in tiers(board))


def _run(run: str, project: str, board: Board) -> RunRecord:
    doc, summary, caps = board.run, board.get("summary", SummaryDoc), board.budget.caps(RUN)
    is_over = summary.state == doc.state
    limits, worked = board.budget.limits, board.budget.worked.get(RUN, Worked())
    minors, majors = count(board, [issue for issue in open_issues(board) if issue.is_of_this_run])
    tasks = counting(newest(board).values())
    return RunRecord(
        run=run,
        project=project,
        state=doc.state,
        reason=doc.reason,
        detail=storable(doc.detail),
        goal=storable(doc.goal),
        safety=doc.safety,
        base=doc.base,
        head=doc.head,
        integration=doc.integration,
        target=doc.target,
        promoted=doc.promoted,
        pull_request=storable(doc.pull_request),
        created_at=as_ms(doc.created_at),
        ended_at=as_ms(summary.at) if is_over else None,
        tasks=tasks,
        minors=minors,
        majors=majors,
        minors_cap=limits.issues.run_minors_per_task * tasks,
        minutes=worked.minutes,
        attempts=worked.attempts,
        tokens_cap=caps.tokens,
        micro_usd_cap=caps.micro_usd,
        minutes_cap=caps.minutes,
        attempts_cap=caps.attempts,
        gate_failures=doc.gate_failures,
        review_rejections=doc.review_rejections,
        intake_refusals=doc.intake_refusals,
        facts=as_json(summary.facts if is_over else ()),
    )


def _tier(run: str, board: Board, tier: Tier) -> TierRecord:
    (scope,) = tier_scopes(tier.name)
    caps, worked = board.budget.caps(scope), board.budget.worked.get(scope, Worked())
    return TierRecord(
        run=run,
        name=storable(tier.name),
        index=tier.index,
        has_ended=tier.has_ended,
        cleanliness=tier.cleanliness,
        tasks=len(tier.tasks),
        minors=tier.minors,
        minors_cap=tier.minors_cap,
        majors=tier.majors,
        majors_cap=tier.majors_cap,
        gate_runs=worked.gate_runs,
        gate_runs_cap=gate_runs.cap(board, scope),
        tokens_cap=caps.tokens,
        micro_usd_cap=caps.micro_usd,
        minutes=worked.minutes,
        minutes_cap=caps.minutes,
        problems=as_json(tuple(map(str, tier.problems))),
    )


def _task(run: str, _: Board, found: Doc) -> TaskRecord:
    doc = cast(TaskDoc, found)
    spec = doc.task
    return TaskRecord(
        run=run,
        id=doc.id,
        key=storable(spec.key),
        title=storable(spec.title),
        state=doc.state.value,
        reason=storable(doc.reason),
        tier=storable(spec.tier),
        category=storable(spec.category),
        priority=spec.priority,
        source=spec.source.kind,
        agent=doc.agent or spec.agent,
        attempt=doc.attempt,
        spent=doc.spent,
        head=doc.head,
        landed=doc.landed,
        review=doc.review,
        blocker=doc.blocker,
        question=doc.question,
        changed_at=as_ms(doc.changed_at),
        fields=as_json(spec.fields),
    )


def _blocker(run: str, _: Board, found: Doc) -> BlockerRecord:
    doc = cast(BlockerDoc, found)
    return BlockerRecord(
        run=run,
        id=doc.id,
        task=doc.task,
        agent=doc.agent,
        cause=doc.cause,
        severity=doc.severity,
        state=doc.state,
        what=storable(doc.what),
        tried=storable(doc.tried),
        needs=storable(doc.needs),
        answer=storable(doc.answer),
        question=doc.question,
        raised_at=as_ms(doc.raised_at),
        resolved_at=as_ms(doc.resolved_at),
    )


def _issue(run: str, board: Board, found: Doc) -> IssueRecord:
    doc = cast(IssueDoc, found)
    return IssueRecord(
        run=run,
        key=doc.key,
        title=storable(doc.title),
        category=storable(doc.category),
        severity=severity(board, doc),
        given=doc.severity,
        state=doc.state,
        closed_because=storable(doc.closed_because),
        is_of_this_run=doc.is_of_this_run,
        count=doc.count,
        age_runs=doc.age_runs,
        age_tiers=age_in_tiers(board, doc),
        first_run=doc.first_run,
        last_run=doc.last_run,
        first_at=as_ms(doc.first_at),
        last_at=as_ms(doc.last_at),
        clean_up=doc.clean_up,
        sightings=as_json([one.model_dump(mode="json") for one in doc.sightings]),
    )


def _review(run: str, _: Board, found: Doc) -> ReviewRecord:
    doc = cast(ReviewDoc, found)
    return ReviewRecord(
        run=run,
        id=doc.id,
        task=doc.task,
        attempt=doc.attempt,
        commit=doc.commit,
        stage=doc.stage,
        outcome=doc.outcome,
        summary=storable(doc.summary),
        seats=as_json(doc.seats),
        verdicts=as_json({name: verdict.vote for name, verdict in doc.verdicts.items()}),
        votes=as_json({name: vote.vote for name, vote in doc.votes.items()}),
        dissent=as_json(doc.dissent),
        open=len(doc.open),
        majors=sum(one.finding.severity == "major" for one in doc.open),
        stop=storable(doc.stop),
        at=as_ms(doc.at),
    )


def _deployment(run: str, _: Board, found: Doc) -> DeploymentRecord:
    doc = cast(DeploymentDoc, found)
    return DeploymentRecord(
        run=run,
        id=doc.id,
        kind=doc.kind,
        environment=storable(doc.environment),
        commit=doc.commit,
        release=storable(doc.release),
        blue=storable(doc.blue),
        state=doc.state,
        is_over=doc.is_over,
        reason=storable(doc.reason),
        next=doc.next,
        by=storable(doc.by),
        task=doc.task,
        fixes=doc.fixes,
        requested_at=as_ms(doc.requested_at),
        ended_at=as_ms(doc.ended_at),
        history=as_json([edge.model_dump(mode="json") for edge in doc.history]),
    )


_ROWS: Mapping[str, Callable[[str, Board, Doc], Record]] = {
    "task": _task,
    "blocker": _blocker,
    "issue": _issue,
    "review": _review,
    "deployment": _deployment,
}
"""Kind of board field -> its row."""
