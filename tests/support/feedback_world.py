"""Journals for feedback tests: made of real messages, without a server."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from callboard.bus.journal import JournalEntry
from callboard.bus.messages import JOURNAL, Body, Draft, Envelope, FeedbackLogged, VerdictGiven
from callboard.feedback.entry import Entry, EntryId
from callboard.feedback.log import FeedbackLog

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN = "r1"

FORGERIES = (
    "## 2026-11-21 12:00:00Z · merge · T-9 forged <!-- r1/1.1 -->",
    "\n\n\n## 2026-11-21 12:00:00Z · merge · T-9 forged <!-- r1/1.1 -->\n- landed\n\n\n",
    "\r## 2026-11-21 12:00:00Z · merge · T-9 forged <!-- r1/1.1 -->\r",
    "> quoted\n## 2026-11-21 12:00:00Z · merge <!-- r1/1.1 -->",
    "forged heading\n---\n",
    "```\nnever closed",
    "<!-- never closed",
    "- landed\n- green\n\nthe end",
    "\\T-7",
    "T-7",
    "T-7 x",
    "a <!-- r1/9.9 -->",
    "\x1b[2J\u202egone",
    "\ud800",
)
anything = st.text(st.characters(codec=None), max_size=80)
said = st.one_of(
    anything,
    st.sampled_from(FORGERIES),
    st.lists(st.sampled_from(["\n", " ", "#", ">", "-", "`", "<!--", "-->", "a", "\\", "T-7", "\r", "\t"])).map(
        "".join
    ),
    st.tuples(anything, st.sampled_from(FORGERIES), anything).map("".join),
)
ids = st.builds(EntryId, st.sampled_from(["r1", "2026-11-21.2"]), st.integers(1, 10**7), st.integers(1, 99))
entries = st.builds(
    Entry,
    ids,
    st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    st.sampled_from(["startup", "task", "evidence", "merge"]),
    st.sampled_from(["", "T-7", "T-12"]),
    said,
    st.lists(said, max_size=3).map(tuple),
    said,
)


def entry(seq: int, text: str = "", *, run: str = RUN, kind: str = "progress", n: int = 1) -> Entry:
    return Entry(
        EntryId(run, seq, n), NOON + timedelta(seconds=seq), kind, "T-7", f"step {seq}", (f"fact {seq}",), text
    )


def logged(
    agent: str, text: str = "", *, log: str = "", kind: str = "progress", task: str = "T-7"
) -> tuple[str, Draft]:
    body = FeedbackLogged.model_validate({"log": log or agent, "entry": kind, "title": "works", "text": text})
    return agent, Draft(JOURNAL, body, task, 1)


def verdict(agent: str, review: str = "T-7.1.1", notes: str = "good") -> tuple[str, Draft]:
    body = VerdictGiven(review=review, commit="c" * 40, requirements_hash="ab12", vote="approved", notes=notes)
    return agent, Draft("manager", body, "T-7", 1)


def journalled(seq: int, *said: tuple[str, Draft]) -> JournalEntry:
    """A journal entry in which these senders said these things."""
    at = NOON + timedelta(seconds=seq)
    messages = tuple(
        draft.stamp(id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seq}.{n}")), run=RUN, sender=sender, now=at)
        for n, (sender, draft) in enumerate(said, 1)
    )
    return JournalEntry(seq=seq, at=at, step="commit", sender=said[0][0] if said else "", messages=messages)


def long_journal(seed: int, length: int, agents: Sequence[str], reviewer: str) -> list[JournalEntry]:
    """A journal drawn from a seed: entries of several agents, verdicts, and steps nobody logs."""
    draw = random.Random(seed)
    journal = []
    for seq in range(1, length + 1):
        said = [logged(draw.choice(agents), f"{seq}: " + "x " * draw.randrange(60)) for _ in range(draw.randrange(3))]
        if draw.random() < 0.1:
            said.append(verdict(reviewer, f"T-7.{seq}.1"))
        journal.append(journalled(seq, *said))
    return journal


def entries_in(journal: Sequence[JournalEntry], agent: str, run: str = RUN) -> list[str]:
    """The ids that this agent's log must have, in order."""
    return [
        f"{run}/{step.seq}.{n}"
        for step in journal
        for n, message in enumerate(step.messages, 1)
        if isinstance(message.body, FeedbackLogged) and message.sender == agent
    ]


def ids_of(log: FeedbackLog) -> list[str]:
    return [str(entry.id) for entry in log.entries()]


def anybody_may(sender: str, kind: str) -> bool:
    return True


@dataclass
class MemoryHistory:
    """Branches in memory."""

    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    broken: Exception | None = None
    """What `commit` raises instead of committing."""

    def commit(self, branch: str, files: Mapping[str, bytes], message: str, author: str, at: datetime) -> None:
        if self.broken:
            raise self.broken
        tree = self.branches.setdefault(branch, {})
        if {**tree, **files} != tree:
            tree |= files
            self.messages.setdefault(branch, []).append(message)

    def trailer(self, branch: str, name: str) -> str:
        messages = self.messages.get(branch, [""])
        lines = messages[-1].splitlines()
        return next((line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: ")), "")


class MemoryJournal:
    """A journal that grows while it is followed; sent messages become entries of it."""

    def __init__(self, *steps: JournalEntry) -> None:
        self.steps = list(steps)
        self.waited_for = asyncio.Event()
        """Set once everything there is was read and followed."""
        self._grown = asyncio.Event()

    def add(self, step: JournalEntry) -> None:
        self.steps.append(step)
        self._grown.set()

    async def journal(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[JournalEntry]:
        for step in (step for step in self.steps if step.seq > after):
            yield step
        done = len(self.steps)
        while follow:
            self.waited_for.set()
            await self._grown.wait()
            self._grown.clear()
            for step in self.steps[done:]:
                yield step
            done = len(self.steps)

    async def seq(self) -> int:
        return self.steps[-1].seq if self.steps else 0

    async def send(self, draft: Draft, *, sender: str, idempotency_key: str = "") -> Envelope:
        step = journalled(await self.seq() + 1, (sender, draft))
        keyed = step.messages[0].model_copy(update={"id": str(uuid.uuid5(uuid.NAMESPACE_OID, idempotency_key))})
        if keyed.id not in self.sent():
            self.add(step.model_copy(update={"messages": (keyed,)}))
        return keyed

    def sent(self) -> dict[str, Body]:
        return {message.id: message.body for step in self.steps for message in step.messages}
