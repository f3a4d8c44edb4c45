"""A desk for unit tests: messages go in one by one, the board follows, time passes by hand. Real decisions, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict, TypeVar

from timers_left import timers_left

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.desk import decide
from callboard.agents.manager.verdicts import gate_hash
from callboard.bus.board import (
    AgentDoc,
    BlockerDoc,
    Board,
    IntentDoc,
    ProblemDoc,
    QuestionDoc,
    ReviewDoc,
    RunDoc,
    TaskDoc,
)
from callboard.bus.hand_messages import Merged
from callboard.bus.messages import (
    AgentStarted,
    AttemptFailed,
    AttemptParked,
    BlockerRaised,
    Body,
    CommandGiven,
    CommandHandled,
    ConsultAnswered,
    DirectionFile,
    DirectionsRead,
    Draft,
    Envelope,
    EvidenceSubmitted,
    FeedbackLogged,
    GateFinished,
    LandFinished,
    MergePrepared,
    MessageRefused,
    Outcome,
    ParkCause,
    QuestionAsked,
    ReviewRequested,
    RosterChanged,
    SynthesisGiven,
    TaskAccepted,
    Timer,
    VerdictGiven,
    VoteGiven,
)
from callboard.bus.problems import Advice
from callboard.bus.reviews import Dismissal, Synthesis, Vote
from callboard.bus.task import Briefing, CommandResult, Finding, OwnCaps, Source, TaskSpec

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REVIEWERS = ("junior-1", "junior-2", "senior")
ROSTER: Mapping[str, str] = {
    "manager": "manager",
    "driver-1": "driver",
    "driver-2": "driver",
    **dict.fromkeys(REVIEWERS, "reviewer"),
}
MAJOR = Finding(severity="major", file="a.py", line=1, quote="x", scenario="it breaks", verified=True, proof="shown")
MINOR = Finding(severity="minor", scenario="a name could be better")
B = TypeVar("B", bound=Body)
Verdicts = Literal["green", "red", "refused", "approval", "infrastructure"]


def sha(text: str) -> str:
    """Something in the shape of an object name, the same for the same text."""
    return hashlib.sha1(text.encode()).hexdigest()


def spec(title: str, agent: str = "driver-1", **values: object) -> TaskSpec:
    """A task of a direction file; its key is `<agent>/<title>`."""
    source = Source(kind="direction", file=f"directions/{agent}.md", line=3)
    own = OwnCaps.model_validate(values.pop("budget", {}))
    made = TaskSpec(key=f"{agent}/{title}", title=title, agent=agent, source=source, budget=own)
    return made.model_copy(update=values)


@dataclass(frozen=True)
class Heard:
    """What one message led to."""

    outcome: Outcome

    def then(self, later: Heard) -> Heard:
        """What this and a later message led to."""
        ours, theirs = self.outcome, later.outcome
        return Heard(Outcome((*ours.messages, *theirs.messages), theirs.changes, (*ours.timers, *theirs.timers)))

    def to(self, recipient: str) -> list[Body]:
        return [draft.body for draft in self.outcome.messages if draft.recipient == recipient]

    def of(self, kind: type[B]) -> list[B]:
        return [draft.body for draft in self.outcome.messages if isinstance(draft.body, kind)]

    def one(self, kind: type[B]) -> B:
        [found] = self.of(kind)
        return found

    @property
    def logged(self) -> list[str]:
        """Titles and facts of the manager's own log entries."""
        return ["\n".join((entry.title, *entry.facts, entry.text)) for entry in self.of(FeedbackLogged)]

    @property
    def reply(self) -> CommandHandled:
        return self.one(CommandHandled)

    @property
    def refusal(self) -> str:
        return self.one(MessageRefused).reason


class _Bound(TypedDict):
    review: str
    commit: str | None
    requirements_hash: str


class Desk:
    """One run and its manager's desk.

    Args:
        started: Whether the roster's agents are there.
    """

    def __init__(self, roster: Mapping[str, str] = ROSTER, *, started: bool = True, **policy: object) -> None:
        self.policy = Policy(gate=("make test",), **policy)  # type: ignore[arg-type]
        self.now = NOON
        base = sha("base")
        run = RunDoc(version=1, id="r", base=base, head=base, integration="callboard/r", target="main")
        self.board = Board({"run": run})
        self.timers: list[Timer] = []
        self._count = 0
        self.launch(roster)
        if started:
            self.start(*roster)

    # --- looking ---

    @property
    def run(self) -> RunDoc:
        return self.board.run

    def task(self, id: str) -> TaskDoc:
        return self.board.task(id)

    def agent(self, name: str) -> AgentDoc:
        return self.board.get(f"agent:{name}", AgentDoc)

    def question(self, id: str) -> QuestionDoc:
        return self.board.get(f"question:{id}", QuestionDoc)

    def blocker(self, id: str) -> BlockerDoc:
        return self.board.get(f"blocker:{id}", BlockerDoc)

    @property
    def states(self) -> dict[str, str]:
        return {task.id: task.state.value for task in self.board.tasks()}

    # --- what is said to the desk ---

    def message(self, body: Body, sender: str, task: str = "", attempt: int = 0) -> Envelope:
        self._count += 1
        id = f"{self._count:08x}-0000-7000-8000-000000000000"
        return Draft("manager", body, task, attempt).stamp(id=id, run="r", sender=sender, now=self.now)

    def hear(self, body: Body, sender: str, task: str = "", attempt: int | None = None) -> Heard:
        """Decide a message; without an attempt it is about the task's current one."""
        current = self.task(task).attempt if task and attempt is None else attempt or 0
        return self.decide(self.message(body, sender, task, current))

    def decide(self, message: Envelope) -> Heard:
        outcome = decide(self.board, message, self.now, self.policy)
        self.board = self.board.with_changes(outcome.changes)
        self.timers = timers_left(self.timers, outcome)
        return Heard(outcome)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def fire(self, index: int = 0) -> Heard:
        """The timer's time has come."""
        timer = self.timers.pop(index)
        self.now += timer.after
        draft = timer.draft
        return self.hear(draft.body, "manager", draft.task, draft.attempt)

    # --- launcher, people ---

    def launch(self, roster: Mapping[str, str] = ROSTER, **values: object) -> Heard:
        seats = {name: name for name, role in roster.items() if role == "reviewer"}
        return self.hear(RosterChanged(agents=dict(roster), seats=seats).model_copy(update=values), "launcher")

    def down(self, *names: str) -> Heard:
        return self.hear(RosterChanged(agents=dict(ROSTER), down=names, reason="it died"), "launcher")

    def start(self, *names: str) -> Heard:
        heard = [self.hear(AgentStarted(role=ROSTER.get(name, "driver"), pid=1, host="h"), name) for name in names]
        return heard[-1]

    def directions(self, *specs: TaskSpec, version: str = "1", **values: object) -> Heard:
        """All direction files as they are now; an agent without a task has an empty one."""
        agents = dict.fromkeys(
            [*(name for name, role in ROSTER.items() if role == "driver"), *(s.agent for s in specs)]
        )
        files = tuple(
            DirectionFile(
                briefing=Briefing(agent=name, version=version, path=f"directions/{name}.md"),
                tasks=tuple(s.model_copy(update={"order": n}) for n, s in enumerate(specs) if s.agent == name),
            )
            for name in agents
        )
        return self.hear(DirectionsRead(files=files).model_copy(update=values), "manager")

    def person(self, command: str, **values: object) -> Heard:
        return self.hear(CommandGiven.model_validate({"command": command, **values}), "person")

    # --- agents and hands, about a task's current attempt ---

    def accept(self, id: str) -> Heard:
        return self.hear(TaskAccepted(), self.task(id).agent, id)

    def hand_in(self, id: str, head: str | None = "work") -> Heard:
        body = EvidenceSubmitted(head=None if head is None else sha(f"{id} {head}"), notes="done")
        return self.hear(body, self.task(id).agent, id)

    def blocked(self, id: str, what: str = "no key", head: str | None = None) -> Heard:
        """An agent is blocked, and nobody but a person knows an answer: the senior says nothing."""
        raised = self.raise_blocker(id, what, head)
        is_asked = any("senior" in doc.asked for doc in self.board.all(ProblemDoc) if doc.task == id)
        return raised.then(self.advise("senior")) if is_asked else raised

    def raise_blocker(self, id: str, what: str = "no key", head: str | None = None, needs: str = "a key") -> Heard:
        """An agent is blocked; whoever stands on the first rung has been asked."""
        return self.hear(BlockerRaised(what=what, needs=needs, head=head), self.task(id).agent, id)

    def advise(self, name: str, says: str = "abstained", **values: object) -> Heard:
        """A reviewer answers the newest consult that waits for it."""
        [*_, problem] = [doc for doc in self.board.all(ProblemDoc) if name in doc.asked and name not in doc.heard]
        advice = Advice.model_validate({"says": says, **values})
        return self.hear(ConsultAnswered(consult=problem.consult, advice=advice), name, problem.task)

    def ask(self, id: str, text: str = "which?", options: tuple[str, ...] = (), head: str | None = None) -> Heard:
        return self.hear(QuestionAsked(text=text, options=options, head=head), self.task(id).agent, id)

    def fail(self, id: str, reason: str = "gave up", head: str | None = None) -> Heard:
        return self.hear(AttemptFailed(reason=reason, head=head), self.task(id).agent, id)

    def park(self, id: str, cause: ParkCause = "rate_limit", *, head: str | None = None, **time: float) -> Heard:
        """The agent cannot think; with a time, it can go on after that."""
        until = self.now + timedelta(**time) if time else None
        return self.hear(
            AttemptParked(cause=cause, detail="at its limit", until=until, head=head), self.task(id).agent, id
        )

    def cannot_vote(self, id: str, name: str, cause: ParkCause = "rate_limit", **time: float) -> Heard:
        """A reviewer cannot think; with a time, it can go on after that."""
        until = self.now + timedelta(**time) if time else None
        said = {"parked": cause, "until": until, "notes": "at its limit"}
        return self.hear(self.verdict(id, "abstained").model_copy(update=said), name, id)

    def gate(self, id: str, verdict: Verdicts = "green", *, purpose: str = "evidence", **values: object) -> Heard:
        task = self.task(id)
        commit = task.head or None
        result = CommandResult(command="make test", exit_code=0 if verdict == "green" else 1, duration_s=1, digest="")
        body = GateFinished.model_validate(
            {
                "purpose": purpose,
                "verdict": verdict,
                "commit": commit,
                "tree": sha(f"tree of {commit or task.base}"),
                "gate_hash": gate_hash(self.policy, task.task),
                "commands": (result,),
                "files": ("a.py",) if commit else (),
                **values,
            }
        )
        return self.hear(body, "gate", id)

    def verdict(self, id: str, vote: str = "approved", *findings: Finding) -> VerdictGiven:
        return VerdictGiven.model_validate({**self._bound(id), "vote": vote, "findings": findings})

    def _bound(self, id: str) -> _Bound:
        task = self.task(id)
        return {"review": task.review, "commit": task.review_commit or None, "requirements_hash": task.task.digest}

    def vote(self, id: str, name: str, vote: str = "approved", *findings: Finding) -> Heard:
        return self.hear(self.verdict(id, vote, *findings), name, id)

    def approve(self, id: str) -> Heard:
        return [self.vote(id, name) for name in REVIEWERS][-1]

    def refuse(self, id: str, *findings: Finding) -> Heard:
        """All three want a revision, for the same finding."""
        return [self.vote(id, name, "needs_revision", *(findings or (MINOR,))) for name in REVIEWERS][-1]

    def make_one(self, id: str, *dismissed: str, **values: object) -> Heard:
        """The senior's synthesis, which dismisses findings by their ids."""
        gone = tuple(Dismissal(finding=it, reason="another task") for it in dismissed)
        made = Synthesis(summary="so", dismissed=gone).model_copy(update=values)
        return self.hear(SynthesisGiven(synthesis=made, **self._bound(id)), "senior", id)

    def second(self, id: str, name: str, vote: Vote = "approved", notes: str = "") -> Heard:
        """A junior's vote on the synthesis."""
        return self.hear(self.vote_given(id).model_copy(update={"vote": vote, "notes": notes}), name, id)

    def vote_given(self, id: str) -> VoteGiven:
        return VoteGiven(vote="approved", **self._bound(id))

    def review(self, id: str) -> ReviewDoc:
        """The document of a task's last review."""
        return self.board.get(f"review:{self.task(id).review}", ReviewDoc)

    def prepare(self, id: str = "", outcome: str = "stacked", tree: str = "", **values: object) -> Heard:
        """The land hand's answer to merge.requested: all are stacked but this one; the merged tree of the first is the one
        that was gated, unless another is named for it."""
        queue = self.board.queue
        rows: list[Merged] = []
        under = ""
        for branch in queue.branches[: queue.most or len(queue.branches)]:
            said = {"task": branch.task, "outcome": outcome if branch.task == id else "stacked"}
            if said["outcome"] == "stacked":
                usual = sha(f"{under} and {branch.task}") if under else self.task(branch.task).tree
                made = tree if tree and branch.task == id else usual
                under = sha(f"merge of {branch.commit} into {under or self.run.head}")
                said |= {"merge": under, "tree": made}
            rows.append(Merged.model_validate({**said, **(values if branch.task == id else {})}))
        body = MergePrepared(
            outcome="stacked",
            stack=queue.stack,
            old=self.run.head,
            landing=sha(f"landing of {under}") if under else "",
            branches=tuple(rows),
        )
        return self.hear(body, "land")

    def moved(self, reason: str) -> Heard:
        return self.hear(MergePrepared(outcome="moved", stack=self.board.queue.stack, reason=reason), "land")

    def gate_stack(self, verdict: Verdicts = "green", **values: object) -> Heard:
        """The gate's answer about the stack that it was asked about."""
        queue = self.board.queue
        [branch] = [one for one in queue.stacked if one.merge == queue.asked]
        asked = {"tree": branch.tree, "gate_hash": branch.gate_hash, "commit": branch.merge}
        return self.gate(branch.task, verdict, purpose="merge", **asked, **values)

    def land(self, id: str, outcome: str = "landed", reason: str = "") -> Heard:
        body = LandFinished.model_validate({"intent": self.task(id).intent, "outcome": outcome, "reason": reason})
        return self.hear(body, "land")

    # --- several steps at once ---

    def to_review(self, id: str) -> Heard:
        self.hand_in(id)
        return self.gate(id)

    def to_merging(self, id: str) -> Heard:
        self.to_review(id)
        return self.approve(id)

    def to_intent(self, id: str) -> IntentDoc:
        self.to_merging(id)
        self.prepare(id)
        return self.board.get(f"intent:{self.task(id).intent}", IntentDoc)

    def to_landed(self, id: str) -> Heard:
        self.to_intent(id)
        return self.land(id)


def in_review() -> Desk:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    return desk


def asked(heard: Heard) -> dict[str, ReviewRequested]:
    """Who is asked for a blind verdict, and for what."""
    drafts = [draft for draft in heard.outcome.messages if isinstance(draft.body, ReviewRequested)]
    return {draft.recipient: draft.body for draft in drafts if isinstance(draft.body, ReviewRequested)}
