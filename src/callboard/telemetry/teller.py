"""Tells a collector what a run's archive has, from where it was told last. A collector that is away is told later."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Protocol

from callboard.bus.archive import FileArchive, Row
from callboard.bus.journal import decode_entry
from callboard.bus.whole_files import write_whole
from callboard.telemetry.spans import Model, Span, Spans

BATCH = 200
"""Spans of one request, and in memory; the archive has the rest."""
LOOK_EVERY_S = 1.0
LONGEST_AGAIN_S = 60.0


class Sends(Protocol):
    """Where spans go."""

    def send(self, spans: Sequence[Span], /) -> str:
        """ "" when they were taken, else why not."""
        ...


@dataclass(slots=True)
class Teller:
    """Of one run.

    Args:
        place: The file that says to which entry it was told; one that is gone means that it is told anew, as the same spans.
        models: As Spans has it.
        say: Told, as a sentence, why the collector does not take them, once for each reason, and that it does again.
    """

    run: str
    archive: FileArchive
    place: Path
    sends: Sends
    say: Callable[[str], None]
    models: Mapping[str, Model] = field(default_factory=dict)
    metered: frozenset[str] = frozenset()
    """As Spans has it."""
    waiting: deque[tuple[int, Span]] = field(default_factory=deque)
    """Entry's number and span, in order."""
    _said: set[str] = field(default_factory=set)
    _is_away: bool = False

    def tell(self, stop: Event, *, again_s: float = LOOK_EVERY_S) -> None:
        """Until `stop` is set, and then once more what is archived by then, where the collector still listens."""
        spans, told, wait_s = Spans(self.run, self.models, self.metered), self._told(), again_s
        rows = self._rows(0)
        self.waiting.clear()
        while True:
            is_last = stop.is_set()
            while self._take(rows, spans, told) and self._send():
                pass
            if is_last:
                return
            wait_s = min(2 * wait_s, LONGEST_AGAIN_S) if self._is_away else again_s
            stop.wait(wait_s)

    def _rows(self, read: int) -> Iterator[Row | None]:
        """The archive's rows, from the first on; None = there are no more just now."""
        while True:
            for row in self.archive.rows(read):
                read = row.seq
                yield row
            yield None

    def _take(self, rows: Iterator[Row | None], spans: Spans, told: int) -> bool:
        """Read on until there is enough to send or no more to read; whether anything is to be sent."""
        while len(self.waiting) < BATCH and (row := next(rows)) is not None:
            entry = decode_entry({b"seq": b"%d" % row.seq, b"at": b"%d" % row.at, b"entry": row.entry.encode()})
            self.waiting.extend((row.seq, span) for span in spans.take(entry) if row.seq > told)
        return bool(self.waiting)

    def _send(self) -> bool:
        """Whether they were taken."""
        why = self.sends.send([span for _, span in islice(self.waiting, BATCH)])
        if why:
            self._complain(why)
            return False
        for _ in range(min(BATCH, len(self.waiting))):
            last, _span = self.waiting.popleft()
        # of an entry that is told in part all is told again
        self._note(last - 1 if self.waiting and self.waiting[0][0] == last else last)
        if self._is_away:
            self._is_away = False
            self.say("the collector takes traces again")
        return True

    def _complain(self, why: str) -> None:
        self._is_away = True
        if why not in self._said:
            self._said.add(why)
            self.say(f"the collector takes no traces: {why}. The run goes on; it is told when it listens")

    def _told(self) -> int:
        try:
            return int(json.loads(self.place.read_text())["seq"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _note(self, seq: int) -> None:
        write_whole(self.place, json.dumps({"seq": seq}))
