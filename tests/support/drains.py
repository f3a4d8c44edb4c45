"""Branches on their way through the merge queue, as a desk's tests need them."""

from __future__ import annotations

from desk_board import Desk, sha, spec

from callboard.bus.board import IntentDoc


def two_drivers() -> Desk:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    return desk


def second_attempt() -> Desk:
    """The first task is on its second attempt, which started from the work of the first."""
    desk = two_drivers()
    desk.hand_in("T-1", "first")
    desk.gate("T-1", "red")
    assert desk.task("T-1").pin == sha("T-1 first")
    return desk


def drain_of(count: int, **values: object) -> Desk:
    """So many branches in one drain, which is stacked; the first is gated, the stack is not."""
    desk = drain_to_stack(count, **values)
    desk.prepare()
    return desk


def drain_to_stack(count: int, **values: object) -> Desk:
    """So many branches in one drain, whose stack is asked for."""
    desk = Desk()
    specs = [spec(f"t{n}", f"driver-{n % 2 + 1}", **values) for n in range(count)]
    desk.directions(*specs)
    ids = [f"T-{n}" for n in range(1, count + 1)]
    for id in ids:
        desk.to_review(id)
    desk.person("pause")
    for id in ids:
        desk.approve(id)
    desk.person("resume")
    assert set(desk.states.values()) == {"merging"}
    return desk


def intents(desk: Desk) -> list[IntentDoc]:
    return list(desk.board.all(IntentDoc))
