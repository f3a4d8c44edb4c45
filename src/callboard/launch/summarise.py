"""Reads a board into its summary; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import (
    AgentDoc,
    BlockerDoc,
    Board,
    IntentDoc,
    ProblemDoc,
    QuestionDoc,
    RunDoc,
    TaskDoc,
    TaskState,
)
from callboard.bus.caps import RUN, SpentSeen, Worked, in_usd
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.problems import Rung
from callboard.bus.questions import ANYBODY
from callboard.feedback.facts import time_fact
from callboard.launch.summary import (
    AgentRow,
    BlockerRow,
    Launcher,
    MergeRow,
    QuestionRow,
    RunRow,
    Spend,
    Status,
    TaskRow,
)

MANAGERS_HANDS = {TaskState.GATE: "gates", TaskState.MERGING: "merges"}


def summarise(
    board: Board,
    *,
    launcher: Launcher | None = None,
    branches: Mapping[str, str] | None = None,
    dead_letters: int = 0,
    spent: SpentSeen | None = None,
) -> Status:
    """Read a board.

    Args:
        launcher: Who runs the roster here; None when nobody does.
        branches: Every branch of the repository, by its short name, with its commit.
        dead_letters: How many the run has; they are on the bus, not on the board.
        spent: What calls have cost, which is on the bus too; None = not looked at.
    """
    tasks = board.tasks()
    agents = [agent for agent in board.all(AgentDoc) if agent.role]
    return Status(
        run=_run(board, board.run, launcher, dead_letters) if board.run.version else None,
        agents=tuple(sorted((_deploying(board, _agent(agent, tasks)) for agent in agents), key=_seniority)),
        tasks=tuple(_task(board, task) for task in tasks),
        questions=tuple(question(doc) for doc in board.all(QuestionDoc) if doc.state == "open"),
        blockers=tuple(_blocker(board, doc) for doc in board.all(BlockerDoc) if doc.state == "open"),
        merges=tuple(_merge(board, doc, task) for doc in board.all(IntentDoc) for task in doc.tasks),
        branches={agent.name: _own_branches(agent.name, branches or {}) for agent in agents},
        spend=_spend(board, spent),
    )


def _spend(board: Board, spent: SpentSeen | None) -> Spend:
    caps, costs = board.caps(RUN), spent.of(RUN) if spent else None
    return Spend(
        tokens=costs.tokens if costs else None,
        usd=float(in_usd(costs.micro_usd)) if costs and not costs.unpriced else None,
        known_usd=float(in_usd(costs.micro_usd)) if costs else 0,
        attempts=sum(task.attempt for task in board.tasks()),
        minutes=board.budget.worked.get(RUN, Worked()).minutes,
        caps={
            "tokens": caps.tokens,
            "usd": float(in_usd(caps.micro_usd)),
            "minutes": caps.minutes,
            "attempts": caps.attempts,
        },
    )


def question(doc: QuestionDoc) -> QuestionRow:
    return QuestionRow(
        id=doc.id,
        task=doc.task,
        agent=doc.agent,
        text=doc.text,
        options=doc.options,
        state=doc.state,
        answer=doc.answer,
        asked_at=doc.asked_at,
        default=doc.default,
        deadline=doc.deadline,
        overdue=doc.is_overdue,
        may_answer=() if ANYBODY in doc.may_answer else doc.may_answer,
        answered_by=doc.answered_by,
        is_default=doc.is_default,
        closed_for=doc.closed_for,
        scope=doc.scope,
    )


def _run(board: Board, run: RunDoc, launcher: Launcher | None, dead_letters: int) -> RunRow:
    counts = Counter(task.state for task in board.tasks())
    return RunRow(
        id=run.id,
        state=run.state,
        reason=run.reason,
        detail=run.detail,
        running=launcher is not None,
        launcher=launcher,
        outlook=outlook(board),
        base=run.base,
        integration=run.integration,
        target=run.target,
        head=run.head or run.base,
        promoted=run.promoted,
        goal=run.goal,
        safety=run.safety,
        created_at=run.created_at,
        task_counts={state.value: counts[state] for state in TaskState if counts[state]},
        dead_letters=dead_letters,
        gate_failures=run.gate_failures,
        review_rejections=run.review_rejections,
        intake_refusals=run.intake_refusals,
        pull_request=run.pull_request,
        waits=run.waits,
    )


def _deploying(board: Board, row: AgentRow) -> AgentRow:
    """With the deployments that it works on."""
    if row.role != "deployment":
        return row
    open_ = [doc for doc in board.all(DeploymentDoc) if not doc.is_over]
    said = [f"{doc.id} {doc.environment}: {doc.stands}" for doc in open_]
    works = row.state == "idle" and any(doc.step for doc in open_)
    doing = "; ".join(filter(None, [*said, row.doing]))
    return replace(row, doing=doing, state="working" if works else row.state)


def _agent(doc: AgentDoc, tasks: list[TaskDoc]) -> AgentRow:
    held, doing = _holds(doc, tasks)
    busy = bool(held) and doc.state != "down"
    return AgentRow(
        name=doc.name,
        role=doc.role,
        state="working" if busy and doc.state == "idle" else doc.state,
        tasks=held,
        doing=_parked(doc) or doc.doing or (doing if busy else ""),
        pid=doc.pid,
        host=doc.host,
        since=doc.since,
        progress_at=doc.progress_at,
        parked_until=doc.parked_until,
    )


def _parked(doc: AgentDoc) -> str:
    return f"parked until {time_fact(doc.parked_until)}: {doc.parked_for}" if doc.parked_until else ""


def _holds(agent: AgentDoc, tasks: list[TaskDoc]) -> tuple[tuple[str, ...], str]:
    """What it has in hand, and how that is called. The board names a driver's task only; the others' follow from the tasks."""
    if agent.role == "reviewer":
        return tuple(task.id for task in tasks if _awaits(task, agent.name)), "reviews"
    if agent.role == "manager":
        held = [task for task in tasks if task.state in MANAGERS_HANDS]
        return tuple(task.id for task in held), " and ".join(dict.fromkeys(MANAGERS_HANDS[task.state] for task in held))
    return ((agent.task,) if agent.task and agent.state == "working" else ()), ""


def _awaits(task: TaskDoc, reviewer: str) -> bool:
    return task.state is TaskState.REVIEW and reviewer in task.awaited


def _seniority(agent: AgentRow) -> tuple[int, str]:
    order = {"manager": 0, "driver": 1, "deployment": 2, "reviewer": 3}
    return order.get(agent.role, 4), agent.name


def _task(board: Board, doc: TaskDoc) -> TaskRow:
    spec = doc.task
    rungs = _rungs(board, doc.blocker) if doc.blocker else ()
    asked = [rung.name for rung in rungs if rung.state == "asked" and rung.name != "person"]
    source = f"{spec.source.file}:{spec.source.line}" if spec.source.file else spec.source.kind
    return TaskRow(
        id=doc.id,
        key=spec.key,
        title=spec.title,
        state=doc.state.value,
        reason=f"{doc.reason} (asks {asked[0]})" if asked else doc.reason,
        agent=doc.agent or spec.agent,
        priority=spec.priority,
        attempt=doc.attempt,
        standing=spec.standing,
        due_at=doc.not_before,
        files=doc.files,
        landed=doc.landed,
        source=source,
        changed_at=doc.changed_at,
    )


def _rungs(board: Board, blocker: str) -> tuple[Rung, ...]:
    """Of a blocker's problem; () where only a person was ever asked."""
    found = (doc.rungs for doc in board.all(ProblemDoc) if doc.blocker == blocker)
    return next(found, ())


def _blocker(board: Board, doc: BlockerDoc) -> BlockerRow:
    rungs = _rungs(board, doc.id)
    return BlockerRow(
        id=doc.id,
        task=doc.task,
        agent=doc.agent,
        what=doc.what,
        tried=doc.tried,
        needs=doc.needs,
        severity=doc.severity,
        question=doc.question,
        raised_at=doc.raised_at,
        rung=next((rung.name for rung in rungs if rung.state == "asked"), "person" if doc.question else ""),
        rungs=tuple(f"{rung.name}: {rung.why}" for rung in rungs if rung.why),
    )


def _merge(board: Board, intent: IntentDoc, id: str) -> MergeRow:
    task = board.task(id)
    return MergeRow(
        task=id,
        title=task.task.title if task.spec else "",
        agent=task.agent,
        commit=intent.new,
        tree=intent.tree,
        state="landed" if intent.state == "finished" else "landing",
        at=intent.at,
    )


def _own_branches(agent: str, branches: Mapping[str, str]) -> dict[str, str]:
    return {name: commit for name, commit in sorted(branches.items()) if name.startswith(f"{agent}/")}
