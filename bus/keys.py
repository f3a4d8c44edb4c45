"""Every Redis key. The braces are literal: they are the cluster's hash tag, so one run's keys share a slot.

| key                     | type    | holds                                                    | lifetime      | writer |
|-------------------------|---------|----------------------------------------------------------|---------------|--------|
| cb:{run}:inbox:<name>   | stream  | `m` = envelope JSON, `d` = deliveries in former lives; group `agent`; acked = deleted | the run | commit, emit, send, due, unbury |
| cb:{run}:journal        | stream  | `seq`, `at` (ms, server), `entry` = bus/journal.py; one per step | until archived | commit, emit, send, due, bury, unbury, reserve, settle, trim |
| cb:{run}:seq            | integer | the run's count of journal entries                        | the run       | the same scripts |
| cb:{run}:dead           | stream  | `seq`, `m`, `inbox`, `reason`, `error`, `failures`, `lives`, `at` | until a person decides | bury, unbury |
| cb:{run}:board          | hash    | field (bus/board.py) -> JSON that starts with its version | the run       | commit, send |
| cb:{run}:timers         | zset    | envelope JSON by due time, ms of the server's clock; one with a key begins with that (bus/timer_keys.py) | until due     | commit, due |
| cb:{run}:done           | zset    | `c:` committed (the message; the delivery), `e:` emitted, `s:` sent, `d:` dead letters taken away, by the time they may be forgotten, ms | 1 h; 24 h from outside | commit, emit, send, unbury |
| cb:{run}:failures       | hash    | `<inbox>/<entry id>` -> `<raised> <died> <last error>`    | until acked   | take_over, fail, release, emit, commit, bury |
| cb:{run}:held           | hash    | `<inbox>/<entry id>` -> `1` emitted since delivery, `w` suspected and not begun, `p<ms>` put back until then | until acked | emit, begin, fail, release, take_over, commit, bury |
| cb:{run}:counts         | hash    | `redelivered`, `fenced` -> how often that happened (bus/gauges.py) | the run | take_over; commit, emit, fail, bury, release |
| cb:{run}:spend          | hash    | `<scope> <what>` -> integer, of settled calls (bus/caps.py) | the run     | settle |
| cb:{run}:reserved       | hash    | reservation id -> the call's JSON, of calls that are not settled | until settled | reserve, settle |
| cb:{run}:readers        | hash    | reader of the journal -> the entry it has read to; `archive`: what the archive has confirmed | the run | trim |
| cb:{run}:mark           | string  | nothing: written in front of each WAIT (bus/replicas.py)  | the run       | link |

What a server has lost of these is written by restore alone (bus/archiver.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

GROUP = "agent"
"""The one consumer group of every inbox."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one run."""

    run: str

    def _key(self, name: str) -> str:
        return f"cb:{{{self.run}}}:{name}"

    def inbox(self, name: str) -> str:
        return self._key(f"inbox:{name}")

    def every(self, inboxes: Iterable[str]) -> tuple[str, ...]:
        """All keys of the run, given the names of its inboxes."""
        others = (self.journal, self.seq, self.dead, self.board, self.timers, self.done, self.failures, self.held)
        return (*map(self.inbox, inboxes), *others, self.counts, self.spend, self.reserved, self.readers, self.mark)

    @property
    def journal(self) -> str:
        return self._key("journal")

    @property
    def seq(self) -> str:
        return self._key("seq")

    @property
    def dead(self) -> str:
        return self._key("dead")

    @property
    def board(self) -> str:
        return self._key("board")

    @property
    def timers(self) -> str:
        return self._key("timers")

    @property
    def done(self) -> str:
        return self._key("done")

    @property
    def failures(self) -> str:
        return self._key("failures")

    @property
    def held(self) -> str:
        return self._key("held")

    @property
    def counts(self) -> str:
        return self._key("counts")

    @property
    def spend(self) -> str:
        return self._key("spend")

    @property
    def reserved(self) -> str:
        return self._key("reserved")

    @property
    def readers(self) -> str:
        return self._key("readers")

    @property
    def mark(self) -> str:
        return self._key("mark")
