"""Runs tests against Green in a slot of its own, whose commands may connect to Green's address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.slots import BY_HAND, GateSlots
from callboard.bus.task import CommandResult

SLOT = BY_HAND + 1
"""Its number: no gate and no person has it."""


class SlotTester:
    def __init__(self, slots: GateSlots) -> None:
        self._slots = slots

    async def run(
        self, commit: str, commands: Sequence[str], address: str, variables: Mapping[str, str], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        """As `site.Tester` says."""
        async with self._slots.take() as slot:
            await slot.switch(commit)
            sandbox = slot.sandbox.allowing(connect=tuple(filter(None, [urlsplit(address).netloc])))
            env = {**slot.env, **variables}
            ran = [
                await run_command(
                    command, cwd=slot.path, env=env, sandbox=sandbox, timeout_s=timeout_s, merge_stderr=True
                )
                for command in commands
            ]
            return tuple(one.result for one in ran)
