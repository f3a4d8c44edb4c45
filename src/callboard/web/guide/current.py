"""The ledger, once it has what the journals of the runs that are or were hosted here had when somebody asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from callboard.ledger import store
from callboard.ledger.database import Database
from callboard.web.house import House

PATIENCE_S = 10.0
"""How long an answer waits for the ledger, which is some tenths of a second behind; then it is of an earlier moment."""
LOOK_EVERY_S = 0.05


async def catch_up(house: House, run: str = "") -> None:
    """Wait until the ledger is as current as it gets.

    Args:
        run: Asked about, beside the runs that are hosted here.
    """
    wanted = dict(house.hosts.left)
    for name in {*house.hosts.names, *([run] if run and house.is_served else [])}:
        async with house.bus(name) as bus:
            wanted[name] = await bus.seq()
    for _ in range(int(PATIENCE_S / LOOK_EVERY_S)):
        if not await house.books.ask(partial(_lacks, wanted)):
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _lacks(wanted: Mapping[str, int], database: Database) -> bool:
    with database.reading() as connection:
        heads = store.heads(connection)
    return any((head := heads.get(run)) is None or head.seq < seq for run, seq in wanted.items())
