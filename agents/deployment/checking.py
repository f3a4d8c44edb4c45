"""The step `ready`: the production checklist of what is about to get traffic, made while Green runs and has none."""

from __future__ import annotations

from callboard.agents.deployment.readiness import Item, checklist
from callboard.agents.deployment.ready_facts import gather
from callboard.agents.deployment.site import Site
from callboard.agents.threads import run_to_end
from callboard.bus.deployments import ReadyItem
from callboard.bus.messages import DeploymentRequested

SAID = 400
"""Characters of a fact that go into a message."""


async def check(site: Site, request: DeploymentRequested) -> tuple[ReadyItem, ...]:
    """Each item, with the fact behind it and where that comes from."""
    board = await site.board()
    green = await run_to_end(site.found, request.release)
    known = await gather(
        board,
        site.settings,
        site.environment,
        request.commit,
        green.address if green else "",
        repository=site.repository,
        root=site.root,
        environ=site.environ,
    )
    return tuple(map(_item, checklist(known)))


def _item(item: Item) -> ReadyItem:
    return ReadyItem(name=item.name, state=item.state, fact=item.fact[:SAID], source=item.source[:SAID])


def line(item: ReadyItem) -> str:
    return f"{item.state} {item.name}: {item.fact} ({item.source})"
