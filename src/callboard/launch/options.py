"""What somebody asks of a launch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from callboard.app import Workspace
from callboard.bus.issue_caps import Safety


class Beside(Protocol):
    """What runs beside a roster, from when its agents were started until they are stopped: the dashboard."""

    def __call__(self, workspace: Workspace, say: Callable[[str], None], /) -> AbstractAsyncContextManager[None]:
        """It never disturbs the run: what goes wrong is said.

        Args:
            say: Told, as a sentence, what a person should hear.
        """
        ...


def nothing(_: Workspace, __: Callable[[str], None], /) -> AbstractAsyncContextManager[None]:
    """Nothing runs beside it."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    stay: bool = False
    """Go on when all work is done."""
    new: bool = False
    from_: str = ""
    """Where a new run starts: `target` or an earlier run; "" = not said."""
    only: tuple[str, ...] = ()
    """Agents to start here; empty = all."""
    again: tuple[str, ...] = ()
    """Keys of tasks to do once more although an earlier run did them."""
    goal: str = ""
    """What a new run is for, as a sentence."""
    safety: Safety | None = None
    """A new run's profile; None = normal."""
    web: bool = True
    """Whoever launches may start a dashboard beside it, where callboard.toml has it so."""
    holds: Callable[[], bool] = bool
    """True: whoever looks on has something left to ask for, so it does not end by itself yet."""
    beside: Beside = nothing
