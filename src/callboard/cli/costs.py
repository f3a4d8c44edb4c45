"""`callboard costs`: what the newest run has cost, by run, tier, agent, task and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.cli.options import Json
from callboard.cli.output import print_json, say, show
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.launch.cost_rows import Costs


def costs(json: Json = False) -> None:
    """What the run has cost: calls, tokens, money, and how much of each cap.

    A price that nobody knows is unknown, never 0; such calls are held to the cap on tokens.
    """
    found = wait_for(_read(open_workspace()))
    if json:
        print_json(found)
        return
    from callboard.cli.lists import costs_table

    show(costs_table(found.rows))
    if any(row.unpriced_calls for row in found.rows):
        say('unknown prices: name them in callboard.toml, [prices."MODEL"]')
    if found.rows[0].open_calls:
        say("open: reserved for calls that run now, or whose process was killed")


async def _read(workspace: Workspace) -> Costs:
    from callboard.launch.cost_rows import costs
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return costs(await bus.board(), await bus.spending.seen())
