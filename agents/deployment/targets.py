"""Which target an environment has."""

from __future__ import annotations

from collections.abc import Callable

from callboard.agents.deployment.command_target import CommandTarget
from callboard.agents.deployment.compose_target import ComposeTarget
from callboard.agents.deployment.place import Place
from callboard.agents.deployment.process_target import ProcessTarget
from callboard.agents.deployment.target import Target


def make_target(place: Place) -> Target:
    """The target of one environment, as its settings say."""
    kinds: dict[str, Callable[[Place], Target]] = {
        "process": ProcessTarget,
        "compose": ComposeTarget,
        "command": CommandTarget,
    }
    return kinds[place.settings.target](place)
