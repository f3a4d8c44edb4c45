"""A run's journal as a busy roster would leave it, drawn with a seed: entries of every kind that the ledger folds."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from callboard.bus.archive import Row
from callboard.bus.board import BlockerDoc, BudgetDoc, ReviewDoc, RunDoc, TaskDoc, TaskState
from callboard.bus.caps import OpenCall, Spent, Worked
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.doc import Doc
from callboard.bus.envelope import JOURNAL, Envelope
from callboard.bus.issues import IssueDoc, Sighting, SummaryDoc, TrackerDoc
from callboard.bus.journal import PaidCall, encode_entry
from callboard.bus.messages import Body, MessageRefused, TaskProgressed, VerdictGiven
from callboard.bus.run_state import RunState
from callboard.bus.task import TaskSpec

BEGAN = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
TEXTS = ("it works", "Größe und Maß", "two\nlines", 'he said "no"', "a\x00b", "masks \N{PERFORMING ARTS}", "x" * 400)


class CraftedJournal:
    """One run's; each call of `row` is the next entry.

    Args:
        tasks: How many tasks, issues and so on there are; few are changed again and again.
    """

    def __init__(self, run: str, seed: int, *, tasks: int = 12) -> None:
        self.run = run
        self._rng = random.Random(seed)
        self._tasks = tasks
        self._versions: dict[str, int] = {}
        self._open: list[OpenCall] = []
        self._messages: list[str] = []
        self.seq = 0

    def rows(self, count: int) -> Iterator[Row]:
        for _ in range(count):
            yield self.row()

    def row(self) -> Row:
        self.seq += 1
        return Row(self.seq, self._at_ms, self._entry())

    def snapshot(self, state: RunState, *, missing: int) -> Row:
        """What an archive goes on with when `missing` entries are gone: all that the server holds, another one than before."""
        for _ in range(missing):
            self.row()
            state.apply(Row(state.seq + 1, self._at_ms, self._entry()))
        self.seq = state.seq
        return Row(self.seq, self._at_ms, state.snapshot())

    @property
    def _now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seq)

    @property
    def _at_ms(self) -> int:
        return int(self._now.timestamp() * 1000)

    def _entry(self) -> str:
        if self.seq == 1:
            return self._changed("run", self._run_doc())
        kinds: dict[Callable[[], str], int] = {
            self._progress: 45,
            self._task: 20,
            self._reserve: 8,
            self._settle: 8,
            self._verdict: 4,
            self._issue: 4,
            self._blocker: 3,
            self._review: 3,
            self._budget: 2,
            self._refusal: 1,
            self._tracker: 1,
            self._deployment: 1,
            self._end: 1,
        }
        return self._rng.choices([*kinds], [*kinds.values()])[0]()

    # --- what happens ------------------------------------------------------------------------------

    def _progress(self) -> str:
        return self._sent("manager", TaskProgressed(doing=self._text()))

    def _verdict(self) -> str:
        body = VerdictGiven(
            review=f"{self._task_id}.1.1",
            commit="c" * 40,
            requirements_hash="f" * 16,
            vote=self._rng.choice(("approved", "needs_revision")),
            notes=self._text(),
        )
        return self._sent("manager", body)

    def _refusal(self) -> str:
        if not self._messages:
            return self._progress()
        refused = self._rng.choice(self._messages)
        body = MessageRefused(
            refused=refused, refused_kind="verdict.given", refused_sender="driver-1", reason=self._text()
        )
        return self._sent(JOURNAL, body)

    def _task(self) -> str:
        id = self._task_id
        spec = TaskSpec(
            key=f"driver-1/{id}",
            agent="driver-1",
            title=f"{id} {self._text()}",
            tier=self._rng.choice(("main", "setup", "setup", "api")) if id != "T-1" else "setup",
            category=self._rng.choice(("", "security")),
            fields={"Complexity": "low"},
        )
        doc = TaskDoc(id=id, spec=spec, state=self._rng.choice([*TaskState]), reason=self._text(), changed_at=self._now)
        return self._changed(f"task:{id}", doc)

    def _issue(self) -> str:
        key = f"test_failure__{self._number}"
        seen = Sighting(task=self._task_id, source="gate", severity="minor", at=self._now)
        doc = IssueDoc(
            key=key,
            title=self._text(),
            category="test_failure",
            state=self._rng.choice(("open", "open", "closed")),
            first_run=self.run,
            last_run=self.run,
            first_at=BEGAN,
            last_at=self._now,
            count=self._rng.randint(1, 9),
            age_runs=self._rng.randint(0, 5),
            sightings=(seen,) if self._rng.random() < 0.8 else (),
        )
        return self._changed(f"issue:{key}", doc)

    def _blocker(self) -> str:
        id = f"B-{self._number}"
        state = self._rng.choice(("open", "resolved"))
        doc = BlockerDoc(
            id=id, task=self._task_id, agent="driver-1", what=self._text(), state=state, raised_at=self._now
        )
        return self._changed(f"blocker:{id}", doc)

    def _review(self) -> str:
        id = f"{self._task_id}.1.1"
        doc = ReviewDoc(id=id, task=id.partition(".")[0], outcome="consensus", summary=self._text(), at=self._now)
        return self._changed(f"review:{id}", doc)

    def _deployment(self) -> str:
        id = f"D-{self._number}"
        doc = DeploymentDoc(id=id, environment="staging", state="baking", reason=self._text(), requested_at=self._now)
        return self._changed(f"deployment:{id}", doc)

    def _budget(self) -> str:
        worked = {
            scope: Worked(minutes=self._rng.randint(0, 200), attempts=3, gate_runs=2) for scope in ("run", "tier:api")
        }
        return self._changed("budget", BudgetDoc(worked=worked))

    def _tracker(self) -> str:
        ended = ("setup", "api")[: self._rng.randint(0, 2)]
        return self._changed("tracker", TrackerDoc(is_carried=True, tiers_ended=ended))

    def _end(self) -> str:
        state = self._rng.choice(("running", "succeeded", "failed"))
        changes = {"run": self._run_doc(state), "summary": SummaryDoc(state=state, facts=(self._text(),), at=self._now)}
        return self._step(changes=changes)

    def _reserve(self) -> str:
        call = OpenCall(
            id=f"{self.seq:09}",
            agent=self._rng.choice(("driver-1", "senior")),
            task=self._task_id,
            model="opus",
            tokens=5_000,
            micro_usd=self._rng.choice((None, 900)),
            tier=self._rng.choice(("", "api")),
        )
        self._open.append(call)
        return encode_entry("reserve", sender=call.agent, call=call)

    def _settle(self) -> str:
        if not self._open:
            return self._reserve()
        call = self._open.pop(self._rng.randrange(len(self._open)))
        paid = Spent(
            calls=1, input_tokens=self._rng.randint(1, 4_000), output_tokens=7, micro_usd=self._rng.randint(0, 900)
        )
        return encode_entry("settle", sender=call.agent, paid=PaidCall(call=call, paid=paid))

    # --- how it is said ----------------------------------------------------------------------------

    def _run_doc(self, state: str = "running") -> RunDoc:
        return RunDoc.model_validate(
            {"id": self.run, "state": state, "base": "b" * 40, "head": "c" * 40, "target": "main", "created_at": BEGAN}
        )

    def _sent(self, recipient: str, body: Body) -> str:
        envelope = Envelope(
            id=str(uuid.UUID(int=self._rng.getrandbits(128))),
            run=self.run,
            kind=body.kind,
            version=body.version,
            sender="driver-1",
            recipient=recipient,
            task=self._task_id,
            attempt=1,
            sent_at=self._now,
            body=body,
        )
        if isinstance(body, VerdictGiven):
            self._messages.append(envelope.id)
        return encode_entry("send", sender="driver-1", messages=[envelope.encode()])

    def _changed(self, field: str, doc: Doc) -> str:
        return self._step(changes={field: doc})

    def _step(self, changes: dict[str, Doc]) -> str:
        said = []
        for field, doc in changes.items():
            self._versions[field] = self._versions.get(field, 0) + 1
            said.append((field, doc.model_copy(update={"version": self._versions[field]}).model_dump_json()))
        return encode_entry("commit", sender="manager", cause="m", changes=said)

    @property
    def _number(self) -> int:
        return self._rng.randint(1, self._tasks)

    @property
    def _task_id(self) -> str:
        return f"T-{self._number}"

    def _text(self) -> str:
        return self._rng.choice(TEXTS)
