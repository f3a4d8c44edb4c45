"""A run's journal as server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading

from event_stream import Stream
from served import Served
from servers import Server

from callboard.bus.bus import Bus
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged


def log(server_url: str, run: str, count: int) -> None:
    async def send() -> None:
        async with await Bus.connect(server_url, run) as bus:
            for n in range(count):
                note = FeedbackLogged(log="driver-1", entry="task", title=f"entry {n}")
                await bus.send(Draft(JOURNAL, note), sender="driver-1")

    asyncio.run(send())


def test_the_past_comes_first_then_what_is_written(served: Served, board: str, reader: str, server: Server) -> None:
    stream = Stream(served, board, reader)
    past = stream.take(4)
    assert [event["id"] for event in past] == ["1", "2", "3", "4"]
    assert json.loads(past[2]["data"])["messages"][0]["kind"] == "task.accepted"
    log(server.url, board, 3)
    assert [event["id"] for event in stream.take(3)] == ["5", "6", "7"]
    stream.close()


def test_who_lost_the_connection_goes_on_after_what_it_had(
    served: Served, board: str, reader: str, server: Server
) -> None:
    first = Stream(served, board, reader)
    last = first.take(3)[-1]["id"]
    first.close()
    log(server.url, board, 2)
    again = Stream(served, board, reader, last=last)
    assert [int(event["id"]) for event in again.take(3)] == [int(last) + n for n in (1, 2, 3)]
    again.close()


def test_everybody_who_follows_hears_all_of_it(served: Served, board: str, reader: str, server: Server) -> None:
    streams = [Stream(served, board, reader) for _ in range(4)]
    start = [stream.take(1) for stream in streams]
    assert [[event["id"] for event in found] for found in start] == [["1"]] * 4
    writing = threading.Thread(target=log, args=(server.url, board, 20))
    writing.start()
    found = [[int(event["id"]) for event in stream.take(20)] for stream in streams]
    writing.join()
    assert found == [list(range(2, 22))] * 4
    for stream in streams:
        stream.close()


def test_events_of_nobody_and_without_a_token_are_not_told(served: Served, board: str, reader: str) -> None:
    assert served.ask("/runs/20200101-000000/events", reader).status == 404
    assert served.ask(f"/runs/{board}/events").status == 401
