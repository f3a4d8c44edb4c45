"""The bare loop: one read and one call of the commit script per batch, on the same client, with plain dicts.

The server does the same as for us: it deduplicates, checks the fence and the board, sends, writes the journal, acknowledges.
What is missing is everything else: types, capabilities, leases that are renewed, handlers that run side by side, retries,
dead letters, timers, a stop that gives back.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from callboard.bus.keys import GROUP, Keys
from callboard.bus.link import Arg, ask, client
from callboard.bus.script import load

KEEP_MS = 3_600_000
Message = dict[str, object]


@dataclass(slots=True)
class Taken:
    """A message in hand, and what follows from it."""

    inbox: str
    id: str
    message: Message
    sends: Sequence[Message] = ()
    change: tuple[str, int, str] | None = None
    """Board field, expected version, document."""


def new(recipient: str, kind: str, cause: str = "", n: int = 0, **body: object) -> Message:
    id = str(uuid.uuid5(uuid.UUID(cause), str(n)) if cause else uuid.uuid4())
    return {"id": id, "recipient": recipient, "kind": kind, "in_reply_to": cause, "body": body}


class BareLoop:
    def __init__(self, url: str, run: str, inboxes: Sequence[str]) -> None:
        self.server = client(url, socket_timeout_s=None)
        self.keys = Keys(run)
        self._inboxes = {self.keys.inbox(name): name for name in inboxes}
        self._script = load("commit")

    async def begin(self) -> None:
        await ask(self.server, "SCRIPT", "LOAD", self._script.text)
        for key in self._inboxes:
            await ask(self.server, "XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM")

    async def put(self, messages: Sequence[Message]) -> None:
        pipe = self.server.pipeline(transaction=False)
        for each in messages:
            pipe.xadd(self.keys.inbox(str(each["recipient"])), {"m": json.dumps(each)})
        await pipe.execute()

    async def read(self, most: int) -> list[Taken]:
        begin = ("XREADGROUP", "GROUP", GROUP, "c.bench.1", "COUNT", most, "BLOCK", 1000, "STREAMS")
        reply = await ask(self.server, *begin, *self._inboxes, *(">" for _ in self._inboxes))
        rows = cast(list[tuple[bytes, list[tuple[bytes, list[bytes]]]]], reply or [])
        return [
            Taken(self._inboxes[key.decode()], id.decode(), json.loads(fields[1]))
            for key, entries in rows
            for id, fields in entries
        ]

    async def commit(self, batch: Sequence[Taken]) -> None:
        places: dict[str, int] = {}
        args: list[Arg] = [KEEP_MS, len(batch)]
        for each in batch:
            cause = str(each.message["id"])
            raw = [json.dumps(one) for one in each.sends]
            sent = [places.setdefault(str(one["recipient"]), len(places) + 1) for one in each.sends]
            place = places.setdefault(each.inbox, len(places) + 1)
            changes = [{"field": each.change[0], "doc": each.change[2]}] if each.change else []
            entry = f'{{"step":"commit","cause":"{cause}","sender":"{each.inbox}","messages":[{",".join(raw)}]'
            entry += f',"changes":{json.dumps(changes)}}}'
            args += [place, "c.bench.1", each.id, 1, f"{each.inbox}/{each.id}", f"c:{cause}", entry, len(raw)]
            for row in zip(sent, raw, strict=True):
                args += row
            args += [1, *each.change] if each.change else [0]
            args += [0, 0]
        keys = self.keys
        shared = [keys.journal, keys.seq, keys.done, keys.failures, keys.held, keys.board, keys.timers, keys.counts]
        streams = [keys.inbox(name) for name in places]
        reply = await ask(
            self.server, "EVALSHA", self._script.sha, len(shared) + len(streams), *shared, *streams, *args
        )
        answers = cast(list[list[bytes]], reply)[1:]
        assert all(answer[0] == b"ok" for answer in answers), answers
