"""What a benchmark that asks models has got so far, on disk: one that was stopped, or killed, goes on and pays nothing twice.

A folder beside the figures: `what.json` (what is judged, by whom), `done.jsonl` (changes that were judged), `calls/` (call logs, in
which a review that was interrupted finds what was said already), `spent.jsonl` (what was held back and paid).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.review.changes import Case
from benchmarks.review.trio import Reviewed
from pydantic import BaseModel, ConfigDict

from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.purse import Purse
from callboard.bus.caps import Spent
from callboard.bus.reviews import Standing, Verdict


class _Line(BaseModel):
    """One change in `done.jsonl`."""

    model_config = ConfigDict(frozen=True)

    case: str
    outcome: str
    open: tuple[Standing, ...]
    verdicts: dict[str, Verdict]
    had_second_round: bool


class _Spending(BaseModel):
    """One line of `spent.jsonl`: what is held back for a call, or what the call did cost."""

    model_config = ConfigDict(frozen=True)

    id: str
    held: CallEstimate | None = None
    paid: Usage | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    folder: Path

    @classmethod
    def open(cls, folder: Path, what: Mapping[str, object]) -> Kept:
        """The folder of these changes and these reviewers, new or with what an earlier run left.

        Raises:
            ValueError: It is of others.
        """
        path, text = folder / "what.json", json.dumps(what, sort_keys=True)
        if path.exists() and path.read_text("utf-8") != text:
            raise ValueError(
                f"{folder} holds a run of other changes or reviewers: finish that, remove it, or give --out"
            )
        (folder / "calls").mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return cls(folder)

    @property
    def calls(self) -> Path:
        return self.folder / "calls"

    def reviewed(self, cases: Sequence[Case]) -> dict[str, Reviewed]:
        """Id -> what was said, of those that were judged to their end."""
        known = {case.id: case for case in cases}
        lines = [_Line.model_validate_json(line) for line in _lines(self.folder / "done.jsonl")]
        return {
            it.case: Reviewed(known[it.case], it.outcome, it.open, it.verdicts, it.had_second_round) for it in lines
        }

    def add(self, it: Reviewed) -> None:
        line = _Line(
            case=it.case.id,
            outcome=it.outcome,
            open=it.open,
            verdicts=dict(it.verdicts),
            had_second_round=it.had_second_round,
        )
        _append(self.folder / "done.jsonl", line.model_dump_json())

    def ledger(self, purse: Purse) -> Ledger:
        """The purse with all that was spent and held back before."""
        path = self.folder / "spent.jsonl"
        for line in map(_Spending.model_validate_json, _lines(path)):
            if line.held is not None:
                purse.held[line.id] = line.held
            if line.paid is not None:
                purse.settled(line.id, line.paid)
        return Ledger(purse, path)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A budget that writes down what it holds back, before the call, and what that did cost. See Budget."""

    purse: Purse
    path: Path

    @property
    def spent(self) -> Spent:
        return self.purse.spent

    async def reserve(self, call: CallEstimate) -> Reservation:
        reservation = await self.purse.reserve(call)
        _append(self.path, _Spending(id=reservation.id, held=call).model_dump_json())
        return reservation

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        if reservation.id in self.purse.held:
            _append(self.path, _Spending(id=reservation.id, paid=usage).model_dump_json())
        self.purse.settled(reservation.id, usage)


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _lines(path: Path) -> Iterator[str]:
    """Whole lines; one that a kill tore is none."""
    if path.exists():
        whole = path.read_text("utf-8").rpartition("\n")[0]
        path.write_text(whole + "\n" if whole else "", "utf-8")
        yield from filter(None, whole.split("\n"))
