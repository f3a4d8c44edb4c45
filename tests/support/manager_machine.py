"""The manager's two halves as a state machine: two managers, kills between any two steps, people who interfere.

It holds at every step that the integration ref only ever moved to a tree with a green verdict and an approved review,
and at the end that every intent is finished and every task has ended.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)
from manager_rules import ManagerRules, is_green
from manager_world import DeskProcess, World
from review_worlds import word

from callboard.agents.manager.outlook import outlook
from callboard.agents.manager.stack import person
from callboard.bus.board import ENDED, AgentDoc, IntentDoc, QuestionDoc
from callboard.bus.issues import Kept, Report
from callboard.bus.messages import (
    AttemptFailed,
    AttemptParked,
    BacklogCarried,
    BlockerRaised,
    Body,
    CanonAsked,
    CanonRead,
    CommandGiven,
    ConsultAnswered,
    ConsultRequested,
    DirectionFile,
    DirectionsRead,
    Draft,
    Envelope,
    EvidenceSubmitted,
    GateRequested,
    IssueClosed,
    IssueReported,
    Outcome,
    QuestionAsked,
    ReviewRequest,
    TaskAccepted,
    TaskAssigned,
)
from callboard.bus.problems import Advice, Reference
from callboard.bus.task import Briefing, Finding, Permit, Source, TaskSpec

ROLES = {
    "manager": "manager",
    "driver-1": "driver",
    "driver-2": "driver",
    "senior": "reviewer",
    "junior-1": "reviewer",
    "junior-2": "reviewer",
}
REVIEWERS = ("senior", "junior-1", "junior-2")
LIMIT = timedelta(minutes=20)
"""Until a provider takes more: longer than a review's deadline."""
QUOTE = Reference(file="a", quote="0", verified=True)
ADVICE: dict[str, dict[str, object]] = {
    "approved": {"says": "answer", "text": "so", "choice": 1, "is_sure": True, "references": (QUOTE,)},
    "needs_revision": {"says": "answer", "text": "or so", "choice": 1},
    "abstained": {"says": "abstained"},
    "limit": {"says": "cannot_say"},
    "outage": {"says": "answer", "text": "thus", "choice": 2, "is_sure": True},
}
"""What a reviewer says when it is consulted, by what it would vote."""
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEEN: dict[str, Any] = {"first_run": "r0", "last_run": "r0", "first_at": NOON, "last_at": NOON}
RARELY = st.sampled_from([False, False, False, True])
FILES = {"a": "0", "b": "0", "c": "0", "shared": "0"}
DOCUMENT = Permit(rule="document", path="new.md")


def spec(agent: str, key: str, file: str, after: tuple[str, ...] = ()) -> TaskSpec:
    """A task whose driver will write its key into `file`."""
    name = f"{agent}/{key}"
    direction = Source(kind="direction", file=f"directions/{agent}.md")
    return TaskSpec(key=name, title=key, agent=agent, depends_on=after, paths=(file,), source=direction)


TASKS = {
    "driver-1": (spec("driver-1", "one", "a"), spec("driver-1", "two", "shared"), spec("driver-1", "none", "")),
    "driver-2": (spec("driver-2", "three", "b", ("driver-1/one",)), spec("driver-2", "four", "shared")),
}


CANON: dict[str, tuple[str, ...]] = {"driver-1": (), "driver-2": ("docs/canon.md",)}


class Manager(ManagerRules):
    tasks: ClassVar[dict[str, tuple[TaskSpec, ...]]] = TASKS

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.managers = [DeskProcess(self.world.board)]

    @initialize()
    def launch(self) -> None:
        self.world.launch(ROLES, FILES)
        self.managers = [DeskProcess(self.world.board)]
        files = tuple(
            DirectionFile(briefing=Briefing(agent=name, version="1", canon=CANON[name]), tasks=tasks)
            for name, tasks in self.tasks.items()
        )
        self.world.send(Draft("manager", DirectionsRead(files=files)), "manager")
        while inbox := self.world.inboxes["manager"]:
            self.world.desk(self.managers[0], inbox[0])

    def waiting(self, *names: str) -> list[str]:
        return [name for name in names if self.world.inboxes.get(name)]

    # --- the manager ---

    @precondition(lambda self: self.waiting("manager"))
    @rule(which=st.integers(0, 1), killed=RARELY)
    def desk(self, which: int, killed: bool) -> None:
        """One manager decides the next message; killed: it dies before its commit, and another starts."""
        process = self.managers[which % len(self.managers)]
        inbox = self.world.inboxes["manager"]
        if killed:
            self.managers[which % len(self.managers)] = DeskProcess(self.world.board)
            return
        if process.alive:
            self.world.desk(process, inbox[0])
        if not process.alive:
            self.managers[which % len(self.managers)] = DeskProcess(self.world.board)

    @precondition(lambda self: len(self.managers) == 1)
    @rule()
    def second_manager(self) -> None:
        self.managers.append(DeskProcess(self.world.board))

    @precondition(lambda self: self.waiting("land"))
    @rule(killed=RARELY)
    def land(self, killed: bool) -> None:
        self.world.land(self.world.inboxes["land"][0], killed=killed)

    @precondition(lambda self: self.waiting("gate"))
    @rule(killed=RARELY, broken=RARELY, which=st.integers(0, 3))
    def gate(self, killed: bool, broken: bool, which: int) -> None:
        inbox = self.world.inboxes["gate"]
        self._gate(inbox[which % len(inbox)], killed=killed, infrastructure=broken)

    def _gate(self, message: Envelope, *, killed: bool = False, infrastructure: bool = False) -> None:
        body = message.body
        if isinstance(body, CanonAsked):
            known = "" if infrastructure else "so it stands"
            read = CanonRead(consult=body.consult, passage=known, reference=QUOTE)
            if not killed:
                self.world.commit("gate", message, Outcome((Draft("manager", read),)), "gate")
            return
        rev = (body.commit or body.base) if isinstance(body, GateRequested) else self.world.board.run.base
        files = dict(self.world.repository.files(rev))
        verdict = "green" if is_green(files) else "red"
        if isinstance(body, GateRequested) and body.purpose == "evidence" and body.commit:
            brings = any("document" in files[path] for path in body.spec.paths)
            if brings and DOCUMENT not in body.permits:
                verdict = "approval"
        self.world.gate(message, "infrastructure" if infrastructure else verdict, killed=killed)

    # --- agents ---

    @precondition(lambda self: self.waiting("driver-1", "driver-2"))
    @rule(
        which=st.integers(0, 1),
        how=st.sampled_from(
            ["done", "done", "done", "pair", "bad", "document", "blocked", "ask", "failed", "limit", "limit", "outage"]
        ),
    )
    def drive(self, which: int, how: str) -> None:
        names = self.waiting("driver-1", "driver-2")
        name = names[which % len(names)]
        self._drive(name, self.world.inboxes[name][0], how)

    def _drive(self, name: str, message: Envelope, how: str) -> None:
        if not isinstance(message.body, TaskAssigned):
            self.world.commit(name, message, Outcome(), name)
            return
        accepted = Draft("manager", TaskAccepted())
        answer = Draft("manager", self._result(message, message.body, how))
        self.world.commit(name, message, Outcome((accepted, answer)), name)

    def _result(self, message: Envelope, body: TaskAssigned, how: str) -> Body:
        file = "".join(body.spec.paths)
        if how == "blocked":
            return BlockerRaised(what="stuck")
        if how == "ask":
            return QuestionAsked(text="which?")
        if how == "failed":
            return AttemptFailed(reason="gave up")
        head = self._work(message, body, file, how) if file else None
        if how == "limit":
            return AttemptParked(cause="rate_limit", detail="later", until=self.world.now + LIMIT, head=head)
        if how == "outage":
            return AttemptParked(cause="provider", detail="nobody answers", head=head)
        return EvidenceSubmitted(head=head)

    def _work(self, message: Envelope, body: TaskAssigned, file: str, how: str) -> str:
        text = how if how in ("bad", "pair", "document") else f"{body.spec.key}/{message.attempt}"
        repository = self.world.repository
        tree = repository.write({**repository.files(body.start), file: text})
        return repository.commit_tree(tree, (body.start,), message.id, person(message.recipient), self.world.now)

    @precondition(lambda self: self.waiting(*REVIEWERS))
    @rule(
        which=st.integers(0, 2),
        vote=st.sampled_from(["approved"] * 4 + ["needs_revision"] * 2 + ["abstained", "limit", "outage"]),
        major=RARELY,
        shown=st.booleans(),
    )
    def review(self, which: int, vote: str, major: bool, shown: bool) -> None:
        names = self.waiting(*REVIEWERS)
        name = names[which % len(names)]
        self._review(name, self.world.inboxes[name][0], vote, major=major, shown=shown)

    def _review(self, name: str, message: Envelope, vote: str, *, major: bool = False, shown: bool = False) -> None:
        drafts: tuple[Draft, ...] = ()
        if isinstance(message.body, ReviewRequest):
            flaw = Finding(severity="major", file="a", quote="x", verified=True, proof="shown" if shown else "")
            nit = Finding(severity="minor", file="a", quote=f"of {message.task}", verified=True)
            found = (flaw,) if major else (nit,) if name == "junior-1" else ()
            said = word(message.body, vote, found, self.world.now + LIMIT)
            drafts = (Draft("manager", said),)
        elif isinstance(message.body, ConsultRequested):
            advice = Advice.model_validate(ADVICE[vote])
            drafts = (Draft("manager", ConsultAnswered(consult=message.body.consult, advice=advice)),)
        self.world.commit(name, message, Outcome(drafts), name)

    # --- people and time ---

    @rule(steps=st.integers(1, 60))
    def undisturbed(self, steps: int) -> None:
        """A stretch in which nothing goes wrong, so that faults also meet late states."""
        process = self.managers[0] if self.managers[0].alive else DeskProcess(self.world.board)
        self.managers[0] = process
        for _ in range(steps):
            self._handle_one(process)

    @rule(command=st.sampled_from(["pause", "resume", "resume", "promote"]))
    def command(self, command: str) -> None:
        self.world.send(Draft("manager", CommandGiven.model_validate({"command": command})), "person")

    @rule(n=st.integers(0, 5), closes=st.booleans())
    def issue(self, n: int, closes: bool) -> None:
        """A person reports one, of a task or of none, or closes it."""
        report = IssueReported(report=Report(key=f"k{n}", title="odd"), task=f"T-{n}" if n else "")
        self.world.send(Draft("manager", IssueClosed(key=f"k{n}") if closes else report), "person")

    @rule()
    def backlog(self) -> None:
        """What earlier runs left open is told again, as after a kill."""
        kept = Kept(key="k1", title="odd", category="", severity="minor", count=7, age_runs=1, age_tiers=0, **SEEN)
        self.world.send(Draft("manager", BacklogCarried(run="before", issues=(kept,))), "manager")

    @rule(n=st.integers(1, 5))
    def cancel(self, n: int) -> None:
        self.world.send(Draft("manager", CommandGiven(command="cancel", task=f"T-{n}")), "person")

    @rule(n=st.integers(1, 3), text=st.sampled_from(["so", "yes", "no", "again", "accept"]))
    def answer(self, n: int, text: str) -> None:
        self.world.send(Draft("manager", CommandGiven(command="answer", question=f"q-{n}", text=text)), "person")

    @precondition(lambda self: self.world.timers)
    @rule(index=st.integers(0, 5))
    def time_passes(self, index: int) -> None:
        self.world.fire(index % len(self.world.timers))

    def teardown(self) -> None:
        """Once nobody is killed any more and people answer, everything finishes."""
        for _ in range(2_000):
            if not self._drain_one():
                break
        else:
            raise AssertionError("the world never comes to rest")
        board = self.world.board
        assert all(intent.state == "finished" for intent in board.all(IntentDoc)), "an intent was left"
        if board.tasks():
            assert {task.state for task in board.tasks()} <= ENDED, [
                (task.id, task.state, task.reason) for task in board.tasks()
            ]
            assert outlook(board) == "ended"
        for agent in board.all(AgentDoc):
            assert agent.parked_until is None, "an agent is parked for ever"
        if board.run.head:
            assert self.world.repository.refs["refs/heads/callboard/r"] == board.run.head

    def _handle_one(self, process: DeskProcess) -> bool:
        """Somebody handles the next message; False when no message waits."""
        world = self.world
        for inbox, messages in world.inboxes.items():
            if not messages:
                continue
            if inbox == "manager":
                world.desk(process, messages[0])
            elif inbox == "land":
                world.land(messages[0])
            elif inbox == "gate":
                self._gate(messages[0])
            elif inbox in REVIEWERS:
                self._review(inbox, messages[0], "approved")
            else:
                self._drive(inbox, messages[0], "done")
            return True
        return False

    def _drain_one(self) -> bool:
        world = self.world
        if self._handle_one(DeskProcess(world.board)):
            return True
        question = next((one for one in world.board.all(QuestionDoc) if one.state == "open"), None)
        if world.board.run.state == "paused" and not world.board.run.waits:
            self.command("resume")
        elif question is not None:
            text = question.options[0] if question.options else "so"
            world.send(Draft("manager", CommandGiven(command="answer", question=question.id, text=text)), "person")
        elif world.timers:
            world.fire(0)
        else:
            return False
        return True


class Evicting(Manager):
    """The first attempts of `one` and `three` are green alone and red together, so the second of them is evicted."""

    tasks: ClassVar[dict[str, tuple[TaskSpec, ...]]] = {
        "driver-1": TASKS["driver-1"],
        "driver-2": (spec("driver-2", "three", "b"), spec("driver-2", "four", "shared")),
    }

    def _work(self, message: Envelope, body: TaskAssigned, file: str, how: str) -> str:
        is_pair = file in ("a", "b") and message.attempt == 1
        return super()._work(message, body, file, "pair" if is_pair else how)
