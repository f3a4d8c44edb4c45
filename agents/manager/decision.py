"""One decision in the making: the board as it will be, and what has to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.manager import tally
from callboard.agents.manager.asking import Asking
from callboard.agents.settings import MANAGER as MANAGER
from callboard.bus.board import ENDED, AgentDoc, Board, Change, D, RunDoc, TallyDoc, TaskDoc, TaskState
from callboard.bus.caps import RUN
from callboard.bus.messages import JOURNAL, Body, Draft, Envelope, FeedbackLogged, LogKind, Outcome, Timer

TOOLS_RULE = "tools"
"""The rule by which evidence is refused that lacks a call which its direction demands."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the desk has to know besides the board and the message."""

    gate: tuple[str, ...]
    """The project's gate commands."""
    strict: tuple[str, ...] = ()
    """What the strict profile runs besides."""
    lint: tuple[str, ...] = ()
    """Commands whose failure stops nothing; what they say of a task's files is kept as issues."""
    setup: tuple[str, ...] = ()
    review_deadline: timedelta = timedelta(minutes=15)
    consult_deadline: timedelta = timedelta(minutes=10)
    """As ReviewSettings has it."""
    stuck_after: timedelta = timedelta(minutes=40)
    """As ProjectSettings has it."""
    review_rounds: int = 2
    """How often a review without quorum is asked for before a person is."""
    standing_every: timedelta = timedelta(hours=1)
    ageing: timedelta = timedelta(hours=1)
    """A task gains one priority step for each of these that it has waited."""
    promotes: bool = False
    """The manager promotes a run by itself, once it may be promoted."""
    asking: Asking = field(default_factory=Asking)
    deploy: DeploySettings | None = None
    """As callboard.toml has it."""
    deployer: str = ""
    """The agent of callboard.toml that deploys; "" = none does."""


@dataclass(slots=True)
class Decision:
    """Collects what one message leads to. The board in it already shows the changes."""

    board: Board
    cause: Envelope
    now: datetime
    policy: Policy
    _before: Board = field(init=False)
    _changes: dict[str, Change] = field(default_factory=dict)
    _drafts: list[Draft] = field(default_factory=list)
    _timers: list[Timer] = field(default_factory=list)
    _cancelled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = self.board

    def put(self, name: str, doc: D, /, **values: object) -> D:
        """Set a board field to a document with these values; several sets of one field are one change."""
        was = self._before.get(name, type(doc)).version
        fresh = doc.model_copy(update={**values, "version": was + 1})
        self._changes[name] = change = Change(name, fresh)
        self.board = self.board.with_changes([change])
        return fresh

    def put_run(self, **values: object) -> RunDoc:
        return self.put("run", self.board.run, **values)

    def put_budget(self, **values: object) -> None:
        self.put("budget", self.board.budget, **values)

    def put_task(self, task: TaskDoc, **values: object) -> TaskDoc:
        """Change a task; a new state is stamped with the time."""
        if values.get("state", task.state) != task.state:
            values = {"reason": "", **values, "changed_at": self.now}
        return self.put(f"task:{task.id}", task, **values)

    def put_agent(self, name: str, **values: object) -> AgentDoc:
        return self.put(f"agent:{name}", self.agent(name), **{"name": name, **values})

    def agent(self, name: str) -> AgentDoc:
        return self.board.get(f"agent:{name}", AgentDoc)

    def send(self, recipient: str, body: Body, task: TaskDoc | None = None) -> None:
        draft = Draft(recipient, body, task.id if task else "", task.attempt if task else 0)
        self._drafts.append(draft)

    def log(
        self, kind: LogKind, title: str, facts: Sequence[str] = (), text: str = "", task: TaskDoc | None = None
    ) -> None:
        """An entry of the manager's own feedback log; without a task it is about the run."""
        heading = f"{task.id} {task.task.title}: {title}" if task else title
        body = FeedbackLogged(log=MANAGER, entry=kind, title=heading, facts=tuple(facts), text=text)
        about = (task.id, task.attempt) if task else ("", 0)
        self._drafts.append(Draft(JOURNAL, body, *about, inherits=task is not None))

    def after(self, delay: timedelta, body: Body, task: TaskDoc | None = None, *, key: str = "") -> None:
        """Be told when a time has come, by the server's clock; see Timer for `key`."""
        draft = Draft(MANAGER, body, task.id if task else "", task.attempt if task else 0)
        self._timers.append(Timer(delay, draft, key))

    def cancel(self, key: str) -> None:
        """Take a timer away. One that has fired already may still be heard: whoever hears it looks whether it holds."""
        self._cancelled.append(key)

    def outcome(self) -> Outcome:
        known = self._before.get(tally.FIELD, TallyDoc)
        if (found := tally.counted(self._before, self.board, tuple(self._changes))) is not known:
            self.put(tally.FIELD, found)
        changed = tuple(change for change in self._changes.values() if self._differs(change))
        return Outcome(tuple(self._drafts), changed, tuple(self._timers), cancelled=tuple(self._cancelled))

    def _differs(self, change: Change) -> bool:
        before = self._before.docs.get(change.field)
        return before is None or {**vars(before), "version": change.doc.version} != vars(change.doc)


def open_tasks(board: Board) -> list[TaskDoc]:
    """Tasks that have not ended, standing ones included."""
    return [task for task in board.tasks() if task.state not in ENDED]


def newest(board: Board) -> dict[str, TaskDoc]:
    """Key -> its newest task: one that ended can come again under a new id, and what it is now counts."""
    return {task.task.key: task for task in board.tasks()}


def is_untouched(task: TaskDoc) -> bool:
    """Nobody has begun on it: it is as its file says. Standing work is so again between its rounds."""
    is_new = task.attempt == 0 or task.not_before is not None
    return is_new and task.state in (TaskState.QUEUED, TaskState.BLOCKED)


def hands_out(board: Board) -> bool:
    """Whether work is handed out and merged: while the run runs, and after its end for the standing work of a launch that
    stays, but for a run that a person ended at its cap: what was still under way then asks nobody again."""
    run = board.run
    stays = run.stays and run.state in ("succeeded", "failed")
    return run.state == "running" or (stays and not was_stopped(board))


def was_stopped(board: Board) -> bool:
    """Whether a person said of the run's own cap that it is not raised."""
    known = board.budget.exhausted.get(RUN)
    return known is not None and known.stopped
