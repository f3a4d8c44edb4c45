"""The state machine of bus_machine.py beside an archiver that is killed now and then: what the archive adds up to is what the
server holds, and what a server that lost everything is given back."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from bus_machine import FIELDS, INBOXES, BusMachine
from hypothesis.stateful import invariant, rule

from callboard.bus.archive import FileArchive
from callboard.bus.archiver import EVERYTHING, Archiver
from callboard.bus.board import AgentDoc, Change
from callboard.bus.caps import Caps, OpenCall, Spent
from callboard.bus.run_state import RunState, Waiting

WIDE = Caps(tokens=10**9, micro_usd=10**9, minutes=1, attempts=1)


def comparable(state: RunState) -> RunState:
    """Without what the journal does not say: the time, deliveries behind which nothing was emitted, who committed, and the ids of
    board changes outside any message, which nobody can repeat."""
    inboxes = {
        name: {id: Waiting(each.raw) for id, each in waiting.items()}
        for name, waiting in state.inboxes.items()
        if waiting
    }
    done = {mark: 0 for mark in state.done if "/" not in mark and not mark.startswith("s:0")}
    return RunState(state.seq, 0, state.board, inboxes, state.timers, state.dead, state.spend, state.reserved, done)


def folded(archive: FileArchive) -> RunState:
    state = RunState()
    for row in archive.rows():
        state.apply(row)
    return state


class ArchiveMachine(BusMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="cb-archive-"))
        self.said: list[str] = []
        self.calls = 0
        self.settled = 0
        self.archiver = self.new_archiver()

    def new_archiver(self) -> Archiver:
        self.archive = FileArchive(self.folder)
        return Archiver(self.bus.store, self.archive, inboxes=INBOXES, say=self.said.append)

    def teardown(self) -> None:
        try:
            self.everything_is_lost_and_comes_back()
        finally:
            shutil.rmtree(self.folder)
            super().teardown()

    def archive_all(self) -> None:
        while self.runner.run(self.archiver.step()):
            pass

    @rule()
    def archiver_works(self) -> None:
        self.archive_all()

    @rule(torn=st.sampled_from([b"", b"{", b'{"seq":99,"at":1,"hash":"']))
    def archiver_is_killed(self, torn: bytes) -> None:
        if self.archive.path.exists():
            with self.archive.path.open("ab") as file:
                file.write(torn)
        self.archiver = self.new_archiver()

    @rule(tokens=st.integers(0, 50), usd=st.one_of(st.none(), st.integers(0, 50)))
    def a_call_is_reserved(self, tokens: int, usd: int | None) -> None:
        self.calls += 1
        call = OpenCall(id=str(self.calls), agent="a", task="T-1", model="m", tokens=tokens, micro_usd=usd)
        self.runner.run(self.bus.spending.reserve(call, {"run": WIDE}, []))
        self.model.steps.append("reserve")

    @rule(number=st.integers(1, 9), tokens=st.integers(0, 50))
    def a_call_is_settled(self, number: int, tokens: int) -> None:
        if self.runner.run(self.bus.spending.settle(str(number), Spent(calls=1, output_tokens=tokens))):
            self.model.steps.append("settle")

    @rule(field=st.sampled_from(FIELDS))
    def the_board_is_changed_outside_any_message(self, field: str) -> None:
        version = self.model.board.get(field, 0) + 1
        self.runner.run(self.bus.change([Change(field, AgentDoc(version=version))], sender="launcher"))
        self.model.board[field] = version
        self.model.steps.append("send")

    @invariant()
    def nothing_is_told_as_lost(self) -> None:
        assert self.said == []

    def everything_is_lost_and_comes_back(self) -> None:
        self.archive_all()
        before = self.runner.run(self.bus.store.whole(INBOXES))
        assert comparable(folded(self.archive)) == comparable(before)
        if not before.seq:
            return
        self.runner.run(self.bus.data.remove(INBOXES))
        self.archive_all()
        after = self.runner.run(self.bus.store.whole(INBOXES))
        assert comparable(after) == comparable(before)
        assert [restored.lost for restored in self.archiver.restored] == [(EVERYTHING,)]
        assert self.runner.run(self.bus.seq()) == before.seq
        assert self.server.ask("XLEN", self.bus.keys.journal) == 0
