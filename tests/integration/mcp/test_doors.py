"""Every tool, through both doors: a server of the client's own on stdin and stdout, and one over streamable HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from hand_manager import Manager
from outside_agent import NEW_B, OutsideAgent

from callboard.bus.messages import ConsultAnswered, VerdictGiven

pytestmark = pytest.mark.long
Door = Callable[[str], AbstractAsyncContextManager[OutsideAgent]]
TOOLS = [
    "accept",
    "answer",
    "ask",
    "blocker",
    "board",
    "evidence",
    "feedback",
    "give_up",
    "next_task",
    "progress",
    "verdict",
]


async def drives(manager: Manager, door: Door, ids: list[str]) -> dict[str, list[str]]:
    """What a driver does with each tool of its own; what the manager heard of each task."""
    async with door("driver-1") as agent:
        assert sorted(tool.name for tool in (await agent.client.list_tools()).tools) == TOOLS
        for id in ids:
            await manager.assign("driver-1", id)
        for id, (tool, arguments) in zip(
            ids,
            (
                ("evidence", {"notes": "b is there", "diff": NEW_B}),
                ("blocker", {"what": "no key"}),
                ("ask", {"question": "Which?"}),
                ("give_up", {"reason": "too hard"}),
            ),
            strict=True,
        ):
            task = await agent.next()
            assert (task["task"], task["kind"]) == (id, "task")
            await agent.call("progress", work=task["work"], doing="looking")
            assert (await agent.call(tool, work=task["work"], **arguments))["state"] == "handed in"
        assert "said by me" in (await agent.call("feedback", text="said by me"))["entries"][-1]
        assert (await agent.call("board"))["agent"] == "driver-1"
    return {id: await manager.kinds("driver-1", id) for id in ids}


async def judges(manager: Manager, door: Door, ids: list[str]) -> None:
    async with door("senior") as agent:
        await manager.ask_review("senior", ids[0], manager.base)
        review = await agent.next("review")
        assert "is a review" in await agent.refused("answer", work=review["work"], answer={})
        await agent.call("verdict", work=review["work"], vote="needs_revision", notes="not yet")
        await manager.consult("senior", ids[1])
        question = await agent.next("question")
        assert "says" in question["answer_schema"]["properties"]
        assert "is a question" in await agent.refused("verdict", work=question["work"], vote="approved")
        await agent.call("answer", work=question["work"], answer={"says": "answer", "text": "left"})
    [verdict] = [it.body for it in await manager.said("senior", ids[0]) if isinstance(it.body, VerdictGiven)]
    [answer] = [it.body for it in await manager.said("senior", ids[1]) if isinstance(it.body, ConsultAnswered)]
    assert (verdict.vote, verdict.notes, answer.advice.text) == ("needs_revision", "not yet", "left")


def test_every_tool_does_the_same_through_both_doors(manager: Manager) -> None:
    async def scenario() -> None:
        # over HTTP last: that server stays in the agents' places
        for number, door in enumerate((manager.over_stdio, manager.agent)):
            ids = [f"T-{10 * number + one}" for one in range(1, 7)]
            heard = await drives(manager, door, ids[:4])
            begun = ["task.accepted", "task.progressed"]
            ends = {id: [kind for kind in kinds if kind not in begun] for id, kinds in heard.items()}
            assert list(ends.values()) == [
                ["evidence.submitted"],
                ["blocker.raised"],
                ["question.asked"],
                ["attempt.failed"],
            ]
            assert all(kinds[0] == "task.accepted" for kinds in heard.values())
            await judges(manager, door, ids[4:])
        async with manager.over_stdio("senior") as second:
            assert "somebody works for senior already: process" in await second.refused("board"), (
                "one client at a time works for an agent"
            )

    asyncio.run(scenario())
