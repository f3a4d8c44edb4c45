"""What a run's journal adds up to: board, inboxes, timers, dead letters, spend. Pure; what a rebuild writes to a server."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, get_args

from callboard.bus.archive import Row
from callboard.bus.caps import OpenCall, Spent, amounts
from callboard.bus.envelope import JOURNAL
from callboard.bus.journal import Step
from callboard.bus.parcel import KEEP_MS, KEEP_OUTSIDE_MS
from callboard.bus.timer_keys import timer_key

STEPS = frozenset(get_args(Step))
FORGET_EVERY = 1_000
"""Entries after which what need not be remembered any more is dropped."""
_Doc = dict[str, Any]
_MESSAGES = '"messages":['
_DECODER = json.JSONDecoder()
_VERSION = re.compile(r'\{"version":([0-9]+)[,}]')


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not handled yet."""

    raw: str
    """Byte for byte as it was sent."""
    lives: int = 0
    """Deliveries behind which something was emitted; what it emits next must not repeat their ids."""


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter, as its stream holds it."""

    raw: str
    inbox: str
    reason: str
    error: str
    failures: int
    lives: int
    at: int


@dataclass(slots=True)
class RunState:
    """A run at one entry of its journal. Give it every entry in order: `apply`."""

    seq: int = 0
    at: int = 0
    """Of that entry, ms of the server's clock."""
    board: dict[str, str] = field(default_factory=dict)
    """Field -> the document's JSON."""
    inboxes: dict[str, dict[str, Waiting]] = field(default_factory=dict)
    """Inbox -> message id -> message, the oldest first. One that has been emptied stays."""
    timers: dict[str, int] = field(default_factory=dict)
    """Message JSON -> when it is due, ms."""
    dead: dict[int, Buried] = field(default_factory=dict)
    """By the number of the entry that buried it."""
    spend: dict[str, int] = field(default_factory=dict)
    reserved: dict[str, str] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    """What the server remembers to recognise a repeat -> until when, ms (bus/keys.py); deliveries are not in the journal."""
    knows_all: bool = True
    """Every step was of a kind that this program knows: nothing else can have taken anything away."""

    def apply(self, row: Row) -> None:
        """Take the next entry; from steps of a kind that this program does not know only what is sent and changed."""
        doc: _Doc = json.loads(row.entry)
        self.seq, self.at = row.seq, row.at
        self.knows_all = self.knows_all and doc.get("step") in STEPS
        if row.is_snapshot:
            self._restore(doc["state"])
            return
        cause, messages = str(doc.get("cause", "")), raw_messages(row.entry)
        self._take_away(doc, cause, messages)
        for raw in messages:
            envelope = json.loads(raw)
            # what is handled already is forgotten when it is delivered once more, without an entry
            if envelope["recipient"] != JOURNAL and self.done.get(f"c:{envelope['id']}", 0) <= row.at:
                self.inboxes.setdefault(envelope["recipient"], {})[envelope["id"]] = Waiting(raw)
        for change in doc.get("changes", ()):
            self.board[change["field"]] = change["doc"]
        for begins in doc.get("cancelled", ()):
            self._forget(begins)
        for timer in doc.get("timers", ()):
            if begins := timer_key(timer["message"]):
                self._forget(begins)
            self.timers[timer["message"]] = row.at + int(timer["after_ms"])
        self._count(doc)
        self._remember(doc, cause, messages)

    def refusal(self, row: Row) -> str:
        """Why the server would not take this step now; "" when it would.

        For entries that were written to a server whose data had just been lost: their scripts had nothing to check against.
        """
        doc: _Doc = json.loads(row.entry)
        for change in doc.get("changes", ()):
            if _version(change["doc"]) != _version(self.board.get(change["field"], "")) + 1:
                return f"board field {change['field']} has another version"
        cause, messages = str(doc.get("cause", "")), raw_messages(row.entry)
        if any(self.done.get(mark, 0) > row.at for mark in _marks(doc, cause, messages)):
            return "it was done before"
        match doc.get("step"):
            case "commit" | "emit" if cause not in self.inboxes.get(str(doc.get("sender", "")), {}):
                return "its message was handled before"
            case "timer" if not all(raw in self.timers for raw in messages):
                return "its timer was sent before"
            case "settle" if doc["paid"]["call"]["id"] not in self.reserved:
                return "its call was settled before"
            case "retry" | "drop" if not self._is_letter(doc["dead"]):
                return "its dead letter was taken away before"
        return ""

    def _is_letter(self, note: _Doc) -> bool:
        letter = self.dead.get(note["letter"])
        return letter is not None and letter.raw == note["raw"]

    def snapshot(self) -> str:
        """All of it as an entry, from which `apply` makes it again."""
        inboxes = {
            name: [[id, each.raw, each.lives] for id, each in waiting.items()] for name, waiting in self.inboxes.items()
        }
        dead = [
            [seq, each.raw, each.inbox, each.reason, each.error, each.failures, each.lives, each.at]
            for seq, each in self.dead.items()
        ]
        state = {
            "board": self.board,
            "inboxes": inboxes,
            "timers": self.timers,
            "dead": dead,
            "spend": self.spend,
            "reserved": self.reserved,
            "done": self.done,
        }
        head = '{"step":"snapshot","cause":"","sender":"archive","messages":[],"changes":[],"timers":[],"state":'
        return head + json.dumps(state, ensure_ascii=False, separators=(",", ":")) + "}"

    def _restore(self, state: _Doc) -> None:
        self.board, self.timers, self.spend = state["board"], state["timers"], state["spend"]
        self.reserved, self.done = state["reserved"], state["done"]
        self.inboxes = {
            name: {id: Waiting(raw, lives) for id, raw, lives in rows} for name, rows in state["inboxes"].items()
        }
        self.dead = {seq: Buried(*rest) for seq, *rest in state["dead"]}

    def _take_away(self, doc: _Doc, cause: str, messages: list[str]) -> None:
        sender = str(doc.get("sender", ""))
        match doc.get("step"):
            case "commit":
                self.inboxes.setdefault(sender, {}).pop(cause, None)
            case "emit" if (waiting := self.inboxes.get(sender, {}).get(cause)) is not None:
                lives = max(waiting.lives, int(doc.get("deliveries", 0)))
                self.inboxes[sender][cause] = Waiting(waiting.raw, lives)
            case "timer":
                for raw in messages:
                    self.timers.pop(raw, None)
            case "bury":
                self._bury(cause, doc["dead"])
            case "retry" | "drop" as step:
                self._unbury(step, cause, doc["dead"])

    def _bury(self, cause: str, dead: _Doc) -> None:
        self.inboxes.setdefault(dead["inbox"], {}).pop(cause, None)
        details = (dead["reason"], dead["error"], dead["failures"], dead.get("lives", 0))
        self.dead[self.seq] = Buried(dead["raw"], dead["inbox"], *details, self.at)

    def _unbury(self, step: str, cause: str, dead: _Doc) -> None:
        letter = self.dead.pop(dead["letter"], None)
        if step == "retry" and letter is not None:
            inbox = self.inboxes.setdefault(letter.inbox, {})
            inbox.pop(cause, None)
            inbox[cause] = Waiting(letter.raw, letter.lives)

    def _forget(self, begins: str) -> None:
        self.timers = {raw: due for raw, due in self.timers.items() if not raw.startswith(begins)}

    def _count(self, doc: _Doc) -> None:
        """What calls hold back and did cost."""
        match doc.get("step"):
            case "reserve":
                call = OpenCall.model_validate(doc["call"])
                self.reserved[call.id] = call.model_dump_json()
            case "settle":
                call, paid = OpenCall.model_validate(doc["paid"]["call"]), Spent.model_validate(doc["paid"]["paid"])
                self.reserved.pop(call.id, None)
                for name, amount in amounts(call, paid):
                    self.spend[name] = self.spend.get(name, 0) + amount

    def _remember(self, doc: _Doc, cause: str, messages: list[str]) -> None:
        step = doc.get("step")
        for mark in _marks(doc, cause, messages):
            self.done[mark] = self.at + (KEEP_OUTSIDE_MS if step == "send" else KEEP_MS)
        if self.seq % FORGET_EVERY == 0:
            self.done = {mark: until for mark, until in self.done.items() if until > self.at}


def raw_messages(entry: str) -> list[str]:
    """The messages of a journal entry, each byte for byte as it was sent."""
    # In a JSON string every quote is escaped, so this cannot stand inside of one.
    place = entry.find(_MESSAGES)
    found: list[str] = []
    if place < 0:
        return found
    place += len(_MESSAGES)
    while entry[place] != "]":
        place += entry[place] == ","
        _, end = _DECODER.raw_decode(entry, place)
        found.append(entry[place:end])
        place = end
    return found


def _marks(doc: _Doc, cause: str, messages: list[str]) -> list[str]:
    """By which the server recognises a repeat of the step."""
    first = [json.loads(raw)["id"] for raw in messages[:1]]
    match doc.get("step"):
        case "commit":
            return [f"c:{cause}"]
        case "send":
            return [f"s:{id}" for id in first]
        case "emit":
            return [f"e:{id}" for id in first]
        case "retry" | "drop":
            return [f"d:{doc['dead']['letter']}"]
    return []


def _version(doc: str) -> int:
    found = _VERSION.match(doc)
    return int(found[1]) if found else 0
