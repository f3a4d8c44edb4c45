"""What is read beside samples: one reader for each metric of `[deploy.analysis.own]` that a plan names."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.deployment.analysis_settings import AnalysisSettings, MetricSettings
from callboard.agents.deployment.log_lines import LogLines
from callboard.agents.deployment.prometheus import Prometheus
from callboard.agents.deployment.samples import Reading, Value
from callboard.agents.deployment.saturation import Saturation
from callboard.agents.deployment.target import Release, Target
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.errors import CommandFailed

Read = Callable[[], Awaitable[Reading]]


@dataclass(frozen=True, slots=True)
class ReaderPlace:
    """What readers look at, and from where."""

    target: Target
    green: Release
    environment: str
    cwd: Path
    """Where commands run."""
    environ: Mapping[str, str]
    """Of the agent: where tokens are, and what commands get."""
    clock: Callable[[], float]


def readers(settings: AnalysisSettings, place: ReaderPlace) -> tuple[Read, ...]:
    """One for each metric of the plan that is not measured by samples. They begin to count when they are made."""
    return tuple(_reader(name, own, place) for name in settings.metrics if (own := settings.own.get(name)) is not None)


def _reader(name: str, own: MetricSettings, place: ReaderPlace) -> Read:
    value = _value(own, place)

    async def read() -> Reading:
        number, said = await value()
        return Reading(place.clock(), name, number, said)

    return read


def _value(own: MetricSettings, place: ReaderPlace) -> Callable[[], Awaitable[Value]]:
    match own.kind:
        case "command":
            return lambda: _command(own, place)
        case "prometheus":
            return _threaded(Prometheus(own, place.green, place.environ, place.clock).read)
        case "log":
            return _threaded(LogLines(place.target.output(place.green.id), own.pattern).read)
        case "saturation":
            assert own.of is not None
            return _threaded(Saturation(place.target, place.green.id, own.of).read)


def _threaded(read: Callable[[], Value]) -> Callable[[], Awaitable[Value]]:
    return lambda: asyncio.to_thread(read)


async def _command(own: MetricSettings, place: ReaderPlace) -> Value:
    """A command that the author of callboard.toml wrote, run with their rights: outside of any sandbox."""
    env = {**place.environ, "CALLBOARD_URL": place.green.address, "CALLBOARD_ENV": place.environment}
    try:
        done = await run_command(own.command, cwd=place.cwd, env=env, sandbox=OFF, timeout_s=own.timeout_s)
    except CommandFailed as error:
        return math.nan, str(error)
    if done.result.exit_code:
        return math.nan, f"`{own.command}` exited {done.result.exit_code}"
    last = (done.stdout.decode("utf-8", "replace").strip().splitlines() or [""])[-1].strip()
    try:
        return float(last), ""
    except ValueError:
        return math.nan, f"`{own.command}` printed {last[:40]!r} and no number"
