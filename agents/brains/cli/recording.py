"""Writes a session of an agent CLI down as a call log: what it says becomes calls with their usage, tools, and events."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import JsonValue

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import CallRecord, EventRecord, ToolRecord
from callboard.agents.brains.cli.adapter import End, Event, Text, Told, Tool, Trouble
from callboard.agents.brains.cli.meter import Spending
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.reading import MAX_OUTPUT, cut_output

MAX_CHARACTERS = 8_000_000
"""Of one session; what is said after that is left out, what was used never is. A long day's work stays below it."""
RECORD_CHARACTERS = 250
"""What a record takes beside its text."""
MAX_UNSAID = 200_000
"""Characters of text that wait for a usage; more than is kept of one text."""
MAX_DETAIL = 2_000
"""Characters of a tool's arguments."""


@dataclass(slots=True)
class Recording:
    """One session. What it says is kept until its usage or a tool's result shows that it is whole.

    Args:
        log: At its end; sessions that were broken off may stand before.
        redact: Takes secrets out of what is written.
    """

    log: CallFile
    name: str
    """As the CLI is called."""
    now: Callable[[], datetime]
    redact: Callable[[str], str] = str
    prices: Prices = field(default_factory=Prices)
    clock: Callable[[], float] = time.monotonic
    room: int = MAX_CHARACTERS
    """Characters that may still be written."""
    _texts: list[str] = field(default_factory=list)
    _calls: list[Tool] = field(default_factory=list)
    _used: dict[str, Tool] = field(default_factory=dict)
    _last_text: str = ""
    _is_full: bool = False
    _since: float = 0.0

    def begin(self, prompt: str) -> None:
        self._since = self.clock()
        self._event("prompt", prompt)

    def hear(self, event: Event) -> None:
        """Note what the CLI says."""
        match event:
            case Text(text=text) if sum(map(len, self._texts)) < MAX_UNSAID:
                self._texts.append(text)
            case Tool() if self.room > 0:
                self._calls.append(event)
                self._used[event.id] = event
            case Told():
                self._flush()
                self._tell(event)
            case Trouble(text=text):
                self._flush()
                self._event("trouble", text, ok=False)
            case End(text=text, error=error):
                self._flush()
                said = error or ("" if text is None or self._last_text.endswith(text.strip()) else text)
                self._event("end", said, ok=not error)

    def note(self, spent: Spending) -> None:
        """Write a call down; it is on disk when this returns, so it may be settled."""
        usage = replace(spent.usage, usd=self.prices.of(spent.model, spent.usage))
        self.log.append(
            CallRecord(
                digest="",
                model=spent.model,
                response=self._response(),
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cached_tokens=usage.cached_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                usd=usage.usd,
                reservation=spent.reservation.id,
                duration_s=self._took_s(),
                at=self.now(),
            )
        )

    def exit(self, how: str) -> None:
        """The program has ended."""
        self._flush()
        self.room = max(self.room, MAX_DETAIL)
        self._event("exit", how)

    def _tell(self, told: Told) -> None:
        tool = self._used.pop(told.id, Tool(told.name or "tool"))
        self._say(
            ToolRecord(
                digest="",
                name=tool.name,
                arguments=self._detail(tool),
                result=self._clean(told.text),
                ok=told.ok,
                duration_s=self._took_s(),
                at=self.now(),
            )
        )

    def _flush(self) -> None:
        """What was said without a usage of its own."""
        text, calls = self._taken()
        if text or calls:
            named = tuple(f"{tool.name} {self._detail(tool)}".strip() for tool in calls)
            self._say(EventRecord(name=self.name, text=text, calls=named, duration_s=self._took_s(), at=self.now()))

    def _response(self) -> JsonValue:
        """In the shape of a model's reply."""
        text, calls = self._taken()
        said: list[JsonValue] = [{"part_kind": "text", "content": text}] if text else []
        used: list[JsonValue] = [
            {"part_kind": "tool-call", "tool_name": tool.name, "args": self._detail(tool)} for tool in calls
        ]
        return {"parts": [*said, *used]}

    def _taken(self) -> tuple[str, list[Tool]]:
        text, calls, self._texts, self._calls = "\n".join(self._texts).strip(), self._calls, [], []
        self._last_text = text or self._last_text
        return self._clean(text), calls

    def _detail(self, tool: Tool) -> str:
        detail = self.redact(tool.detail[:MAX_DETAIL])
        self.room -= len(detail)
        return detail

    def _event(self, name: str, text: str, *, ok: bool = True) -> None:
        self._say(EventRecord(name=name, text=self._clean(text), ok=ok, duration_s=self._took_s(), at=self.now()))

    def _say(self, record: EventRecord | ToolRecord) -> None:
        self.room -= RECORD_CHARACTERS
        if self.room > 0:
            self.log.append(record)
        elif not self._is_full:
            self._is_full = True
            text = f"what it said from here on is left out: about {MAX_CHARACTERS:,} characters are kept of one session"
            self.log.append(EventRecord(name="log", text=text, ok=False, at=self.now()))

    def _clean(self, text: str) -> str:
        """Without secrets, and cut in the middle."""
        if self.room <= 0:
            return ""
        shown = cut_output(self.redact(text[: 4 * MAX_OUTPUT]))
        self.room -= len(shown)
        return shown

    def _took_s(self) -> float:
        before, self._since = self._since, self.clock()
        return round(self._since - before, 3)
