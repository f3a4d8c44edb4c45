"""What timers a run has once an outcome is committed, as commit.lua has it."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.bus.messages import Outcome, Timer


def timers_left(waiting: Sequence[Timer], outcome: Outcome) -> list[Timer]:
    keys = [key for key in (*outcome.cancelled, *(timer.key for timer in outcome.timers)) if key]
    return [*(timer for timer in waiting if timer.key not in keys), *outcome.timers]
