"""What drivers, reviewers, gate and person do: the same for the same message, whoever handles it and however often."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from manager_world import World
from review_worlds import word

from callboard.agents.manager.stack import person
from callboard.bus.messages import (
    AttemptFailed,
    AttemptParked,
    BlockerRaised,
    Body,
    ConsultAnswered,
    ConsultRequested,
    DirectionFile,
    DirectionsRead,
    Draft,
    Envelope,
    EvidenceSubmitted,
    GateRequested,
    Outcome,
    QuestionAsked,
    ReviewRequest,
    TaskAccepted,
    TaskAssigned,
)
from callboard.bus.problems import Advice
from callboard.bus.task import Briefing, Finding, Permit, Source, TaskSpec

DRIVERS = ("driver-1", "driver-2")
REVIEWERS = ("senior", "junior-1", "junior-2")
ROLES = {"manager": "manager", **dict.fromkeys(DRIVERS, "driver"), **dict.fromkeys(REVIEWERS, "reviewer")}
FILES = dict.fromkeys("abcdef", "0")
LIMIT = timedelta(minutes=20)
DOCUMENT = Permit(rule="document", path="new.md")

TASKS = {
    "driver-1": (("one", "a", ()), ("two", "d", ()), ("none", "", ())),
    "driver-2": (("three", "b", ("driver-1/one",)), ("four", "e", ()), ("five", "c", ()), ("six", "f", ())),
}
"""Per driver: a task's name, the file it writes, what it comes after."""
ALL = frozenset(name for rows in TASKS.values() for name, _, _ in rows)
FEW, WHOLE_EVERY = 4, 4
"""Tasks of most schedules, and one in so many has all of them: what goes wrong among four shows as often for its time."""
FIRST = {"one": "bad", "two": "ask", "none": "blocked", "four": "failed", "five": "document", "six": "limit"}
"""What comes of a task's first assignment; of every later one: it is done."""


def _advice(message: Envelope, body: ConsultRequested) -> Advice:
    """The senior cannot say, the juniors differ, and junior-2 comes round to what the senior chooses."""
    if body.proposals:
        choice = {"senior": 2, "junior-1": 1, "junior-2": 2}[message.recipient]
        return Advice(says="answer", choice=choice)
    if message.recipient == "senior":
        return Advice(says="cannot_say", reasons="no idea")
    return Advice(says="answer", text=f"as {message.recipient} says")


REJECTED = "three"
"""Its first commit has a flaw that junior-1 proves."""
DISPUTED = "four"
"""Junior-2 has something against each commit of it, which the senior dismisses: its reviews take both rounds."""
NIT = Finding(severity="major", file="e", quote="x", scenario="taste", verified=True)


def drawn_tasks(seed: int) -> frozenset[str]:
    """The names of the tasks of a seed's schedule."""
    return frozenset(Random(f"tasks {seed}").sample(sorted(ALL), FEW)) if seed % WHOLE_EVERY else ALL


def directions(tasks: frozenset[str]) -> Draft:
    """
    Args:
        tasks: Names; a task waits only for others that are among them.
    """
    files = tuple(
        DirectionFile(
            briefing=Briefing(agent=agent, version="1"),
            tasks=tuple(
                _spec(agent, name, file, tuple(key for key in after if key.partition("/")[2] in tasks))
                for name, file, after in rows
                if name in tasks
            ),
        )
        for agent, rows in TASKS.items()
    )
    return Draft("manager", DirectionsRead(files=files))


def _spec(agent: str, name: str, file: str, after: tuple[str, ...]) -> TaskSpec:
    source = Source(kind="direction", file=f"directions/{agent}.md")
    paths = (file,) if file else ()
    return TaskSpec(key=f"{agent}/{name}", title=name, agent=agent, depends_on=after, paths=paths, source=source)


@dataclass(slots=True)
class Roster:
    """Remembers in which order things were first seen, so that a repeat gets the same answer."""

    world: World
    assignments: dict[str, list[str]] = field(default_factory=dict)
    """Task title -> ids of its assignments."""
    commits: dict[str, list[str]] = field(default_factory=dict)
    """Task title -> commits that were reviewed."""

    def outcome(self, message: Envelope) -> Outcome:
        """Of a driver or a reviewer."""
        match message.body:
            case TaskAssigned() as body:
                answer = Draft("manager", self._result(message, body))
                return Outcome((Draft("manager", TaskAccepted()), answer))
            case ReviewRequest() as body:
                return Outcome((Draft("manager", self._word(message, body)),))
            case ConsultRequested() as body:
                answer = Draft("manager", ConsultAnswered(consult=body.consult, advice=_advice(message, body)))
                return Outcome((answer,))
            case _:
                return Outcome()

    def _result(self, message: Envelope, body: TaskAssigned) -> Body:
        seen = self.assignments.setdefault(body.spec.title, [])
        if message.id not in seen:
            seen.append(message.id)
        how = FIRST.get(body.spec.title, "done") if seen[0] == message.id else "done"
        if how == "blocked":
            return BlockerRaised(what="stuck")
        if how == "ask":
            return QuestionAsked(text="which?")
        if how == "failed":
            return AttemptFailed(reason="gave up")
        head = self._work(message, body, how) if body.spec.paths else None
        if how == "limit":
            return AttemptParked(cause="rate_limit", detail="later", until=self.world.now + LIMIT, head=head)
        return EvidenceSubmitted(head=head)

    def _work(self, message: Envelope, body: TaskAssigned, how: str) -> str:
        text = how if how in ("bad", "document") else f"{body.spec.key} {message.attempt}"
        repository = self.world.repository
        tree = repository.write({**repository.files(body.start), body.spec.paths[0]: text})
        return repository.commit_tree(tree, (body.start,), message.id, person(message.recipient), self.world.now)

    def _word(self, message: Envelope, body: ReviewRequest) -> Body:
        title = self.world.board.task(message.task).task.title
        seen = self.commits.setdefault(title, [])
        commit = body.commit or ""
        if commit not in seen:
            seen.append(commit)
        is_first = seen[0] == commit
        if title == REJECTED and message.recipient == "junior-1" and is_first:
            flaw = Finding(severity="major", file="b", quote="x", verified=True, proof="shown")
            return word(body, "needs_revision", (flaw,), self.world.now)
        if title == DISPUTED and message.recipient == "junior-2" and not body.stage:
            return word(body, "needs_revision", (NIT,), self.world.now)
        return word(body, "approved", (), self.world.now)

    def gate_verdict(self, body: GateRequested) -> str:
        files = self.world.repository.files(body.commit or body.base)
        if any(text == "bad" for text in files.values()):
            return "red"
        is_new = body.purpose == "evidence" and any(files[path] == "document" for path in body.spec.paths)
        return "approval" if is_new and DOCUMENT not in body.permits else "green"
