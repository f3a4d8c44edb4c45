"""One run of the roster under one seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from callboard.bus.board import QuestionDoc
from callboard.bus.errors import LeaseLost
from callboard.bus.messages import CommandGiven, Draft, Envelope, GateRequested, Outcome
from simulation.bus import Entry, Grip, MemoryBus, Walls
from simulation.desk import Desk
from simulation.roster import ALL, FILES, ROLES, Roster, directions
from simulation.rules import check_landings
from simulation.world import SimulatedWorld

MOST_STEPS = 20_000
LONGEST_DELAY = 40
"""Steps."""
FATES = ("fine", "crash", "pause", "reply lost")


@dataclass(frozen=True, slots=True)
class Chances:
    """How often each thing goes wrong; the defaults make some forty faults in a run of some 150 messages."""

    fates: tuple[int, ...] = (80, 7, 6, 7)
    """Weights of FATES."""
    repeat: float = 0.1
    delay: float = 0.2
    out_of_order: float = 0.5


CALM = Chances((1, 0, 0, 0), 0, 0, 0)
"""Nothing goes wrong, and every inbox is read in order."""


@dataclass(frozen=True, slots=True)
class End:
    """What a run came to, without what may differ: versions, times, the order of landings."""

    run: str
    tasks: tuple[tuple[str, str, int], ...]
    """Key, state, attempts."""
    files: tuple[tuple[str, str], ...]
    """At the integration head."""
    questions: tuple[tuple[str, str], ...]
    """Task, answer."""


def _unless_lost(work: Callable[[bool], None], commits: bool) -> None:
    """Work whose lease was lost is dropped."""
    with suppress(LeaseLost):
        work(commits)


class Schedule:
    """A run, and everything that goes wrong in it.

    Args:
        seed: Decides everything.
        tasks: Names of those that there are to do (roster.py).
        walls: Of the bus.
        tell: Takes one line per step.
    """

    def __init__(
        self,
        seed: int,
        chances: Chances = Chances(),
        *,
        tasks: frozenset[str] = ALL,
        walls: Walls | None = None,
        guarded: bool = True,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._random = Random(seed)
        self._chances = CALM
        self._tell = tell
        self._step = 0
        self._lives = dict.fromkeys((*ROLES, "gate", "land"), 0)
        self._paused: list[Callable[[], None]] = []
        self._asked: set[str] = set()
        self._checked = ""
        self.faults = 0
        self.world = SimulatedWorld(bus=MemoryBus(walls or Walls()), guarded=guarded)
        self.world.deliver = self._deliver
        self._roster = Roster(self.world)
        self._desk = Desk(self.world)
        self._launch(tasks)
        self._chances = chances

    def _launch(self, tasks: frozenset[str]) -> None:
        self.world.launch(ROLES, FILES)
        self.world.send(directions(tasks), "manager")
        while entry := next(iter(self.world.bus.inboxes.get("manager", [])), None):
            self._handle(entry)

    def run(self) -> End:
        """Until nothing is left to do.

        Raises:
            AssertionError: A rule was broken on the way, or it never ends.
        """
        while self._step < MOST_STEPS:
            self._step += 1
            if not self._one_step():
                return self._end()
        raise AssertionError("the run never ends")

    def _one_step(self) -> bool:
        """False when nothing is left to do."""
        ready, waiting = self._readable()
        if self._paused and (not ready or self._random.random() < 0.1):
            self._paused.pop(self._random.randrange(len(self._paused)))()
        elif ready:
            self._handle(self._chosen(ready))
        elif waiting:
            self._step = waiting
        else:
            return self._answer_one() or self._next_timer()
        if self._chances != CALM and self._random.random() < 0.1:
            self._answer_one()
        return True

    def _readable(self) -> tuple[list[Entry], int]:
        """What can be read now, and the step at which the next one can; 0 = none waits."""
        entries = [entry for inbox in self.world.bus.inboxes.values() for entry in inbox]
        ready = [entry for entry in entries if entry.ready_at <= self._step]
        return ready, min((entry.ready_at for entry in entries), default=0)

    def _chosen(self, ready: list[Entry]) -> Entry:
        inboxes = list(dict.fromkeys(entry.message.recipient for entry in ready))
        inbox = inboxes[0] if self._chances is CALM else self._random.choice(inboxes)
        own = [entry for entry in ready if entry.message.recipient == inbox]
        return self._random.choice(own) if self._random.random() < self._chances.out_of_order else own[0]

    def _handle(self, entry: Entry) -> None:
        inbox = entry.message.recipient
        grip = self.world.bus.take(entry, f"{inbox}.{self._lives[inbox]}")
        fate = self._random.choices(FATES, self._chances.fates)[0]
        self.faults += fate != "fine"
        self._tell(f"{self._step:5} {grip.owner:12} {fate:10} {entry.message.kind} {entry.message.task}")
        work = self._work(entry.message, grip)
        match fate:
            case "crash":
                work(False)
                self._replace(inbox)
            case "pause":
                self._replace(inbox)
                self._paused.append(lambda: work(True))
            case "reply lost":
                work(True)
                work(True)
            case _:
                work(True)

    def _replace(self, inbox: str) -> None:
        """Another process works on this inbox from here on, and takes over what the one before held."""
        self._lives[inbox] += 1
        if inbox == "manager":
            self._desk = Desk(self.world)

    def _work(self, message: Envelope, grip: Grip) -> Callable[[bool], None]:
        """The handling of a message in the process that has it now; called with False it dies before its commit."""
        desk, world = self._desk, self.world
        outcome = (
            self._roster.outcome(message) if message.recipient in ROLES and message.recipient != "manager" else None
        )

        def work(commits: bool) -> None:
            world.grip = grip
            match message.recipient:
                case "manager" if commits:
                    self._decide(desk, message)
                case "land":
                    world.land(message, killed=not commits)
                case "gate" if isinstance(message.body, GateRequested):
                    world.gate(message, self._roster.gate_verdict(message.body), killed=not commits)
                case inbox if commits:
                    world.commit(inbox, message, outcome or Outcome(), inbox)
            self._check()

        return partial(_unless_lost, work)

    def _check(self) -> None:
        """Once per landing: what was right about it stays right, since nothing on the board is taken back."""
        head = self.world.repository.refs.get("refs/heads/callboard/r", "")
        if head != self._checked:
            check_landings(self.world)
            self._checked = head

    def _decide(self, desk: Desk, message: Envelope) -> None:
        desk.decide(message)
        if not desk.alive and desk is self._desk:
            self._replace("manager")

    def _deliver(self, message: Envelope) -> None:
        copies = 2 if self._random.random() < self._chances.repeat else 1
        self.faults += copies - 1
        for _ in range(copies):
            late = self._random.random() < self._chances.delay
            self.faults += late
            self.world.bus.put(message, self._step + (self._random.randint(1, LONGEST_DELAY) if late else 0))

    def _answer_one(self) -> bool:
        """A person answers what is open, or lets a paused run go on; False when nothing is asked."""
        open_ = [one for one in self.world.board.all(QuestionDoc) if one.state == "open" and one.id not in self._asked]
        if open_:
            self._asked.add(open_[0].id)
            text = open_[0].options[0] if open_[0].options else "so"
            answer = CommandGiven(command="answer", question=open_[0].id, text=text)
            self.world.send(Draft("manager", answer), "person")
        elif self._is_paused():
            self.world.send(Draft("manager", CommandGiven(command="resume")), "person")
        return bool(open_) or self._is_paused()

    def _is_paused(self) -> bool:
        """By something that only `resume` ends."""
        return self.world.board.run.state == "paused" and not self.world.board.run.waits

    def _next_timer(self) -> bool:
        if self.world.timers:
            self.world.fire(0)
            return True
        return False

    def _end(self) -> End:
        board, repository = self.world.board, self.world.repository
        head = repository.files(repository.refs["refs/heads/callboard/r"])
        return End(
            run=board.run.state,
            tasks=tuple(sorted((task.task.key, task.state.value, task.attempt) for task in board.tasks())),
            files=tuple(sorted(head.items())),
            questions=tuple(sorted((one.task, one.answer) for one in board.all(QuestionDoc))),
        )
