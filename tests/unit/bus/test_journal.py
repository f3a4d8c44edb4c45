from __future__ import annotations

from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from callboard.bus.errors import BadMessage
from callboard.bus.journal import DeadNote, JournalEntry, decode_entry, encode_entry
from callboard.bus.messages import Draft, TaskProgressed

NOW = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
texts = st.text(max_size=20)


def fields(entry: str) -> dict[bytes, bytes]:
    return {b"seq": b"7", b"at": b"1795252447123", b"entry": entry.encode()}


@given(texts, texts, st.lists(texts, max_size=3), st.one_of(st.none(), st.builds(DeadNote, inbox=texts, raw=texts)))
def test_an_entry_is_read_back_as_it_was_written(
    sender: str, cause: str, doings: list[str], dead: DeadNote | None
) -> None:
    messages = [
        Draft("manager", TaskProgressed(doing=doing)).stamp(id=str(n), run="r", sender=sender, now=NOW)
        for n, doing in enumerate(doings)
    ]
    raw = encode_entry("commit", sender=sender, cause=cause, messages=[each.encode() for each in messages], dead=dead)
    entry = decode_entry(fields(raw))
    assert entry == JournalEntry(
        seq=7,
        at=datetime(2026, 11, 21, 9, 14, 7, 123_000, UTC),
        step="commit",
        cause=cause,
        sender=sender,
        messages=tuple(messages),
        dead=dead,
    )


@pytest.mark.parametrize("entry", ["", "{", "[]", "7", '{"step":"invented"}', "{}"])
def test_what_is_no_entry_is_said_to_be_none(entry: str) -> None:
    with pytest.raises(BadMessage, match="not a journal entry"):
        decode_entry(fields(entry))
