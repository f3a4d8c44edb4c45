from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from callboard.bus.gauges import BusGauges, InboxGauge
from callboard.cli.advice import next_steps
from callboard.launch.pressure import changes, full_places
from callboard.launch.summary import NO_RUN

ROOM = BusGauges(
    at=datetime(2026, 1, 1, tzinfo=UTC),
    seq=1,
    dead=0,
    timers=0,
    failing=0,
    redeliveries=0,
    fenced=0,
    memory_bytes=97_000_000,
    memory_limit_bytes=100_000_000,
    clients=1,
    disk_failed=False,
    inboxes=(InboxGauge("driver-1", waiting=6, held=3, oldest_s=1.0, redelivered=0, sent=9),),
)


def test_where_there_is_room_nothing_is_said() -> None:
    assert full_places(ROOM, 10) == {}
    assert full_places(ROOM, 0) == {}
    assert full_places(replace(ROOM, memory_limit_bytes=0), 10) == {}


def test_a_server_at_its_maxmemory_is_full() -> None:
    [(place, text)] = full_places(replace(ROOM, memory_bytes=98_000_000), 10).items()
    assert place == "the bus's server"
    assert "98.0 of 100.0 MB are used" in text
    assert "raise its maxmemory" in text


def test_a_server_that_cannot_write_is_full() -> None:
    [text] = full_places(replace(ROOM, disk_failed=True), 10).values()
    assert "free some space there" in text


def test_an_inbox_at_its_limit_is_full_held_messages_included() -> None:
    [(place, text)] = full_places(ROOM, 9).items()
    assert place == "the inbox of driver-1"
    assert "9 messages wait" in text


def test_each_change_is_said_once() -> None:
    full = full_places(ROOM, 9)
    assert changes({}, full) == [*full.values()]
    assert changes(full, full) == []
    assert changes(full, {}) == ["the inbox of driver-1 has room again: work goes on"]


def test_a_status_without_a_run_has_no_bus_that_could_be_full() -> None:
    assert len(next_steps(NO_RUN)) == 1
