"""The lifecycle on autogen-core's runtime: five agents in one process, messages in memory; nothing of it is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from autogen_core import AgentId, MessageContext, RoutedAgent, SingleThreadedAgentRuntime, message_handler
from benchmarks.bus.job import Report
from benchmarks.bus.stages import FILES, HEAD, NAMES, NOTES, REVIEWERS, timed


@dataclass
class Step:
    kind: str
    task: str
    commit: str = ""
    files: tuple[str, ...] = ()
    notes: str = ""


MERGED = asyncio.Event()
VOTES: dict[str, int] = {}


class Agent(RoutedAgent):
    @message_handler
    async def on_step(self, message: Step, ctx: MessageContext) -> None:
        match message.kind:
            case "assigned":
                await self._tell("manager", Step("accepted", message.task))
                await self._tell("manager", Step("evidence", message.task, HEAD, FILES, NOTES))
            case "evidence":
                for name in REVIEWERS:
                    await self._tell(name, Step("review", message.task, HEAD, notes=NOTES))
            case "review":
                await self._tell("manager", Step("verdict", message.task, HEAD))
            case "verdict":
                VOTES[message.task] = VOTES.get(message.task, 0) + 1
                if VOTES[message.task] == len(REVIEWERS):
                    await self._tell("driver", Step("merged", message.task, HEAD))
            case "merged":
                MERGED.set()

    async def _tell(self, name: str, step: Step) -> None:
        # Not awaited for an answer: as a message that is sent.
        TASKS.add(task := asyncio.ensure_future(self.send_message(step, AgentId(name, "default"))))
        task.add_done_callback(TASKS.discard)


TASKS: set[asyncio.Future[object]] = set()


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(count, report))


async def _run(count: int, report: Report) -> None:
    runtime = SingleThreadedAgentRuntime()
    for name in NAMES:
        await Agent.register(runtime, name, lambda name=name: Agent(name))
    runtime.start()

    async def one(n: int) -> None:
        MERGED.clear()
        await runtime.send_message(Step("assigned", f"T-{n}"), AgentId("driver", "default"))
        await MERGED.wait()

    await timed(one, count, report)
