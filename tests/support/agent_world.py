"""A repository with a clone for an agent, and a delivery without a bus: for drivers and reviewers under test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from callboard.agents.brains.brain import Seat
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.create import create_repository
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.layout import Layout
from callboard.bus.messages import Body, Draft, Envelope, FeedbackLogged, Outcome, new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
B = TypeVar("B", bound=Body)


class Delivered:
    """A message as a handler sees it; what is emitted is kept, and may be waited for."""

    def __init__(self, body: Body, *, recipient: str, deliveries: int = 1, task: str = "T-1", attempt: int = 1) -> None:
        draft = Draft(recipient, body, task, attempt)
        self.envelope: Envelope = draft.stamp(id=new_id(), run="r1", sender="manager", now=NOW)
        self.deliveries = deliveries
        self.emitted: list[Draft] = []
        self.came = asyncio.Condition()

    async def emit(self, *drafts: Draft) -> None:
        async with self.came:
            self.emitted += drafts
            self.came.notify_all()

    async def until(self, kind: type[Body]) -> None:
        """Wait until a message of this kind was emitted."""
        async with self.came:
            await self.came.wait_for(lambda: any(isinstance(draft.body, kind) for draft in self.emitted))


def seat_at(cwd: Path, agent: str, *, timeout_s: float = 30.0) -> Seat:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd.parent)}
    return Seat(run="r1", agent=agent, prompt="Work.", cwd=cwd, timeout_s=timeout_s, env=env)


class World:
    """A user's repository with one commit, and places for agents beside it."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        root.mkdir()
        self.root = root
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        self.repository: Repository = create_repository(root, "Begin", Person("P", "p@example.org"), NOW)
        base = self.repository.resolve("HEAD")
        assert base is not None
        self.base: str = base
        self.layout = Layout(root)

    def clone(self, agent: str) -> AgentClone:
        return AgentClone(self.layout, self.repository, agent, clock=lambda: NOW)

    def seat(self, agent: str, *, timeout_s: float = 30.0) -> Seat:
        return seat_at(self.layout.clone(agent), agent, timeout_s=timeout_s)

    def commit(self, files: Mapping[str, str], *, on: str = "work") -> str:
        """A commit on top of the base that only the repository has."""
        if self.repository.resolve(f"refs/heads/{on}") is None:
            self.repository.update_ref(f"refs/heads/{on}", self.base, None)
        content = {path: text.encode() for path, text in files.items()}
        return self.repository.commit_files(on, content, "Work", Person("D", "d@example.org"), NOW)


def bodies(outcome: Outcome, kind: type[B]) -> Iterator[B]:
    return (draft.body for draft in outcome.messages if isinstance(draft.body, kind))


def entry(outcome: Outcome) -> FeedbackLogged:
    """The one feedback entry of an outcome."""
    (found,) = bodies(outcome, FeedbackLogged)
    return found
