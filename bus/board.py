"""Runs and tasks as the journal has left them: one document per field of the board hash, each with its version.

| field               | document   |
|---------------------|------------|
| run                 | RunDoc     |
| manager             | ManagerDoc |
| agent:<name>        | AgentDoc   |
| briefing:<agent>    | BriefingDoc|
| task:<id>           | TaskDoc    |
| question:<id>       | QuestionDoc|
| blocker:<id>        | BlockerDoc |
| problem:<digest>    | ProblemDoc |
| track:<task>        | TrackDoc   |
| verdict:<tree>:<gate hash> | GateDoc |
| intent:<id>         | IntentDoc  |
| queue               | QueueDoc   |
| review:<id>         | ReviewDoc  |
| budget              | BudgetDoc  |
| issue:<key>, tracker, summary | bus/issues.py |
| deployment:<id>     | bus/deployments.py |
| outside, phase:<task> | bus/outside.py |
| tally               | TallyDoc   |

Only the manager's desk changes it, but for two: the launcher creates `run`, and the manager's office writes `manager`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeVar, cast

from pydantic import AwareDatetime

from callboard.bus.caps import Caps, Exhausted, Limits, Worked
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.doc import Doc as Doc
from callboard.bus.issue_caps import Safety
from callboard.bus.issues import IssueDoc, SummaryDoc, TrackerDoc
from callboard.bus.merges import IntentDoc as IntentDoc
from callboard.bus.merges import QueueDoc as QueueDoc
from callboard.bus.outside import OutsideDoc as OutsideDoc
from callboard.bus.outside import PhaseDoc as PhaseDoc
from callboard.bus.problems import ProblemDoc as ProblemDoc
from callboard.bus.problems import TrackDoc as TrackDoc
from callboard.bus.questions import QuestionDoc as QuestionDoc
from callboard.bus.reviews import ReviewDoc as ReviewDoc
from callboard.bus.reviews import Verdict as Verdict
from callboard.bus.states import ENDED as ENDED
from callboard.bus.states import HELD_BY_AGENT as HELD_BY_AGENT
from callboard.bus.states import TaskState as TaskState
from callboard.bus.tally import TallyDoc as TallyDoc
from callboard.bus.task import Briefing, OwnCaps
from callboard.bus.task_docs import BlockerDoc as BlockerDoc
from callboard.bus.task_docs import TaskDoc as TaskDoc


class RunDoc(Doc):
    id: str = ""
    state: Literal["created", "running", "paused", "succeeded", "failed", "cancelled"] = "created"
    reason: str = ""
    """Why it is paused (question | approval | budget | operator | disk | provider | environment | integration_moved) or failed."""
    detail: str = ""
    """The same for a person, as a sentence."""
    waits: bool = False
    """It is paused because only people can move what is left, and goes on by itself with what they do."""
    base: str = ""
    """The commit the run started from."""
    integration: str = ""
    """The integration branch, without refs/heads/."""
    target: str = ""
    goal: str = ""
    safety: Safety = "normal"
    awaits_directions: bool = False
    """A launch began, and its direction files are not read yet: until then nobody can say that all work is done."""
    stays: bool = False
    """The launch goes on when all work is done, so standing work does too."""
    head: str = ""
    """Where the last landing left the integration branch; `base` before the first."""
    next_task: int = 1
    next_question: int = 1
    next_blocker: int = 1
    next_intent: int = 1
    created_at: AwareDatetime | None = None
    promoted: str = ""
    """The commit the target was last moved to."""
    pull_request: str = ""
    """The URL of the one that offers what has landed."""
    offered: str = ""
    """The head at which the manager began to promote by itself."""
    gate_failures: int = 0
    review_rejections: int = 0
    intake_refusals: int = 0


class ManagerDoc(Doc):
    """Who may write the board; a second manager raises the epoch, and the first one's commits are refused."""

    epoch: int = 0
    owner: str = ""


class AgentDoc(Doc):
    name: str = ""
    role: str = ""
    seat: str = ""
    state: Literal["absent", "idle", "working", "down"] = "absent"
    task: str = ""
    doing: str = ""
    pid: int = 0
    host: str = ""
    since: AwareDatetime | None = None
    progress_at: AwareDatetime | None = None
    parked_until: AwareDatetime | None = None
    """Until then it gets no task, as its provider takes nothing from it; None = it is not parked."""
    parked_for: str = ""
    """Why, for a person."""
    direction: str = ""
    """The version of its direction file that it last said it works by."""


class BriefingDoc(Doc):
    briefing: Briefing | None = None
    problems: tuple[str, ...] = ()
    """What was odd in the file when it was last read, each as `file:line: message`."""


class GateDoc(Doc):
    tree: str = ""
    gate_hash: str = ""
    verdict: Literal["green", "red"] = "red"
    flaky: bool = False
    at: AwareDatetime | None = None


class BudgetDoc(Doc):
    """What the run may use, and what of it the desk counts; what calls cost is counted beside the board (bus/spending.py)."""

    limits: Limits = Limits()
    """As callboard.toml had it when it was last read."""
    raised: dict[str, OwnCaps] = {}
    """Scope -> what a person raised since."""
    worked: dict[str, Worked] = {}
    """By scope: run, tasks and agents."""
    noticed: dict[str, int] = {}
    """`<scope> <what>` -> the cap of which a person was told that most is used."""
    exhausted: dict[str, Exhausted] = {}
    """Scope -> the cap it has reached; until that is raised it pays for nothing and begins nothing."""

    def caps(self, scope: str, own: OwnCaps | None = None) -> Caps:
        """What a scope may use.

        Args:
            own: What a task's own Budget says.
        """
        caps = self.limits.of(scope).with_own(own) if own else self.limits.of(scope)
        return caps.with_own(self.raised[scope]) if scope in self.raised else caps


PREFIXES: Mapping[str, type[Doc]] = {
    "run": RunDoc,
    "manager": ManagerDoc,
    "agent": AgentDoc,
    "briefing": BriefingDoc,
    "task": TaskDoc,
    "question": QuestionDoc,
    "blocker": BlockerDoc,
    "problem": ProblemDoc,
    "track": TrackDoc,
    "verdict": GateDoc,
    "intent": IntentDoc,
    "queue": QueueDoc,
    "review": ReviewDoc,
    "budget": BudgetDoc,
    "issue": IssueDoc,
    "tracker": TrackerDoc,
    "summary": SummaryDoc,
    "deployment": DeploymentDoc,
    "outside": OutsideDoc,
    "phase": PhaseDoc,
    "tally": TallyDoc,
}

D = TypeVar("D", bound=Doc)


def decode_doc(name: str, raw: str | bytes) -> Doc:
    """Read the document of one board field."""
    return PREFIXES[name.partition(":")[0]].model_validate_json(raw)


@dataclass(frozen=True, slots=True)
class Change:
    """One board field's next value; its `version` is the one it replaces, plus one."""

    field: str
    doc: Doc

    @property
    def expected(self) -> int:
        return self.doc.version - 1


@cache
def _empty(kind: type[Doc]) -> Doc:
    return kind()


def _number(task: Doc) -> int:
    assert isinstance(task, TaskDoc)
    return int(task.id.partition("-")[2])


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board at one moment; never changed in place."""

    docs: Mapping[str, Doc] = field(default_factory=dict)
    _by_kind: dict[type[Doc], tuple[Doc, ...]] = field(default_factory=dict, repr=False, compare=False)
    """What was asked for before and has not changed since: a decision asks for all tasks some twenty times."""

    def get(self, name: str, kind: type[D]) -> D:
        """The document of a field; an empty one of version 0 when nobody wrote it yet."""
        doc = self.docs.get(name)
        return doc if isinstance(doc, kind) else cast(D, _empty(kind))

    def all(self, kind: type[D]) -> Iterator[D]:
        """Every document of a kind: tasks by id number, others in the order in which the board got them."""
        if kind not in self._by_kind:
            found = [doc for doc in self.docs.values() if isinstance(doc, kind)]
            if kind is TaskDoc:
                found.sort(key=_number)
            self._by_kind[kind] = tuple(found)
        return iter(cast(tuple[D, ...], self._by_kind[kind]))

    def with_changes(self, changes: Iterable[Change]) -> Board:
        docs, by_kind = dict(self.docs), dict(self._by_kind)
        for change in changes:
            docs[change.field] = change.doc
            by_kind.pop(type(change.doc), None)
        return Board(docs, by_kind)

    @property
    def run(self) -> RunDoc:
        return self.get("run", RunDoc)

    @property
    def queue(self) -> QueueDoc:
        return self.get("queue", QueueDoc)

    def task(self, id: str) -> TaskDoc:
        return self.get(f"task:{id}", TaskDoc)

    @property
    def budget(self) -> BudgetDoc:
        return self.get("budget", BudgetDoc)

    @property
    def tracker(self) -> TrackerDoc:
        return self.get("tracker", TrackerDoc)

    def caps(self, scope: str) -> Caps:
        """What a scope may use."""
        kind, _, name = scope.partition(":")
        spec = self.task(name).spec if kind == "task" else None
        own = self.budget.limits.own_caps(spec.budget, spec.category) if spec else None
        return self.budget.caps(scope, own)

    def has_attempt(self, scope: str) -> bool:
        """Whether the run, or an agent, may begin one more attempt."""
        worked = self.budget.worked.get(scope)
        return (worked.attempts if worked else 0) < self.caps(scope).attempts

    def tasks(self) -> list[TaskDoc]:
        """Every task, by id number."""
        return list(self.all(TaskDoc))
