"""What the demo's visitors count."""

from __future__ import annotations

import asyncio

from callboard.demo.visitors import RATE, TURN, Visitors, Visits

ENOUGH = 3 * len(TURN)


async def visited(spoils: frozenset[int], *, closes: bool = False) -> tuple[Visits, int, list[str]]:
    """Requests until there were enough; who opened how many connections, and what was asked.

    Args:
        spoils: Numbers of the requests, from 1, that are answered 503; 0 of them: none.
    """
    enough, asked, opened = asyncio.Event(), list[str](), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                body = await reader.readexactly(int(head.partition("Content-Length: ")[2].split()[0]))
                asked.append(head.split()[0])
                wanted = next(one.wanted for one in TURN if (one.method, one.body) == (asked[-1], body))
                status = 503 if len(asked) in spoils else wanted
                if closes and len(asked) == 2:
                    writer.close()
                    return
                writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\n{{}}".encode())
                if len(asked) == ENOUGH:
                    enough.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    visitors = Visitors(server.sockets[0].getsockname()[1])
    visitors.come()
    visitors.come()
    await enough.wait()
    await visitors.leave()
    await visitors.leave()
    server.close()
    return visitors.visits, opened, asked


def test_right_answers_are_counted_over_connections_that_stay_open() -> None:
    visits, opened, asked = asyncio.run(visited(frozenset()))
    assert (visits.answered, visits.failed) == (visits.sent, 0)
    assert visits.sent >= ENOUGH
    assert opened < len(asked)
    assert visits.seconds >= (ENOUGH - 1) / RATE


def test_a_request_that_is_answered_wrongly_has_failed() -> None:
    visits, _, _ = asyncio.run(visited(frozenset({2, 3})))
    assert (visits.failed, visits.answered) == (2, visits.sent - 2)


def test_a_request_that_is_not_answered_has_failed() -> None:
    visits, _, _ = asyncio.run(visited(frozenset(), closes=True))
    assert (visits.failed, visits.answered) == (1, visits.sent - 1)


def test_who_never_came_has_asked_nothing() -> None:
    visitors = Visitors(1)
    asyncio.run(visitors.leave())
    assert visitors.visits == Visits()
