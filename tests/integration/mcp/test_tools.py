"""What an agent from outside does with the tools, and what the manager hears of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hand_manager import Manager
from outside_agent import NEW_B, OutsideAgent

from callboard.app import Workspace
from callboard.bus.messages import (
    BlockerRaised,
    EvidenceSubmitted,
    FeedbackLogged,
    QuestionAsked,
    TaskCancelled,
    VerdictGiven,
)


def test_a_task_is_accepted_worked_on_and_handed_in_as_a_diff(manager: Manager, workspace: Workspace) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as agent:
            await manager.assign("driver-1", "T-1")
            found = await agent.call("next_task", wait_s=50)
            assert (found["state"], found["work"], found["title"]) == ("offered", "T-1.1", "Write b")
            assert await manager.kinds("driver-1", "T-1") == [], "nothing begins before it is accepted"
            assert "was not accepted yet" in await agent.refused("progress", work="T-1.1", doing="reading")
            task = await agent.call("accept", work="T-1.1")
            assert task["base"] == manager.base
            assert "test -e b.txt" in task["text"]
            assert (Path(task["folder"]) / "README").exists()
            assert await manager.kinds("driver-1", "T-1") == ["task.accepted"]
            await agent.call("progress", work="T-1.1", doing="writing b")
            (Path(task["folder"]) / "stray.txt").write_text("not of the diff\n")
            taken = await agent.call("evidence", work="T-1.1", notes="b is there", diff=NEW_B)
            assert taken["state"] == "handed in"
            assert (taken["files"], taken["commands"]) == (["b.txt"], ["test -e b.txt -> 0"])
            assert "has ended with evidence.submitted" in await agent.refused("evidence", work="T-1.1", diff=NEW_B)
        said = await manager.said("driver-1", "T-1")
        evidence = said[-1].body
        assert isinstance(evidence, EvidenceSubmitted)
        assert (evidence.head, evidence.notes, evidence.files) == (taken["commit"], "b is there", ("b.txt",))

    asyncio.run(scenario())


@pytest.mark.long
def test_what_lies_in_the_folder_is_handed_in_where_no_diff_is_given(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as agent:
            await manager.assign("driver-1", "T-2")
            task = await agent.next()
            (Path(task["folder"]) / "b.txt").write_text("b\n")
            taken = await agent.call("evidence", work="T-2.1")
            assert taken["files"] == ["b.txt"]

    asyncio.run(scenario())


@pytest.mark.long
def test_a_blocker_a_question_and_giving_up_keep_the_work(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as agent:
            ends: dict[str, dict[str, object]] = {
                "blocker": {"what": "no key", "tried": "asking", "needs": "a key"},
                "ask": {"question": "Which?", "options": ["a", "b"], "default": "b"},
                "give_up": {"reason": "too hard"},
            }
            for number, (tool, arguments) in enumerate(ends.items(), 3):
                await manager.assign("driver-1", f"T-{number}")
                task = await agent.next()
                (Path(task["folder"]) / "half.txt").write_text(f"half of {tool}\n")
                if tool == "ask":
                    wrong = arguments | {"default": "c"}
                    assert "none of the options" in await agent.refused("ask", work=task["work"], **wrong)
                await agent.call(tool, work=task["work"], **arguments)
        blocked = (await manager.said("driver-1", "T-3"))[-1].body
        asked = (await manager.said("driver-1", "T-4"))[-1].body
        assert isinstance(blocked, BlockerRaised)
        assert (blocked.what, blocked.tried, blocked.needs, bool(blocked.head)) == ("no key", "asking", "a key", True)
        assert isinstance(asked, QuestionAsked)
        assert (asked.text, asked.options, asked.default) == ("Which?", ("a", "b"), "b")
        assert (await manager.kinds("driver-1", "T-5"))[-1] == "attempt.failed"

    asyncio.run(scenario())


@pytest.mark.long
def test_a_review_is_given_as_a_verdict_and_its_quote_is_held_against_the_tree(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("senior") as agent:
            await manager.ask_review("senior", "T-6", manager.base)
            review = await agent.next("review")
            wrong = await agent.refused("evidence", work=review["work"])
            assert "is a review, and this is for a task; end it with verdict" in wrong
            there = {"severity": "minor", "file": "README", "line": 1, "quote": "a project"}
            found = [there, there | {"quote": "nowhere"}]
            await agent.call("verdict", work=review["work"], vote="approved", findings=found, notes="read it")
        verdict = (await manager.said("senior", "T-6"))[-1].body
        assert isinstance(verdict, VerdictGiven)
        assert verdict.vote == "approved"
        assert [finding.verified for finding in verdict.findings] == [True, False]

    asyncio.run(scenario())


@pytest.mark.long
def test_a_task_that_is_taken_away_is_in_nobodys_hands_and_its_late_result_counts_for_nothing(
    manager: Manager,
) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as agent:
            await manager.assign("driver-1", "T-7")
            await agent.next()
            await manager.send("driver-1", TaskCancelled(reason="not wanted any more"), "T-7", 1)
            late = await _until_gone(agent, "T-7.1")
            assert "T-7.1 was taken away from you by the manager" in late
            assert "evidence.submitted" not in await manager.kinds("driver-1", "T-7")
            await manager.assign("driver-1", "T-7", attempt=2)
            assert (await agent.next())["work"] == "T-7.2"
            zombie = await agent.refused("evidence", work="T-7.1", diff=NEW_B)
            assert "T-7.2 is now" in zombie
            assert await manager.kinds("driver-1", "T-7", 2) == ["task.accepted"]
            await agent.call("evidence", work="T-7.2", diff=NEW_B)

    asyncio.run(scenario())


@pytest.mark.long
def test_a_task_that_is_taken_away_before_it_was_accepted_does_not_hold_up_the_next(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as agent:
            await manager.assign("driver-1", "T-8")
            await agent.call("next_task", wait_s=50)
            await manager.send("driver-1", TaskCancelled(reason="not wanted any more"), "T-8", 1)
            await manager.assign("driver-1", "T-9")
            while (await agent.call("next_task", wait_s=1))["work"] != "T-9.1":
                pass
            assert "taken away" in await agent.refused("accept", work="T-8.1")
            await agent.call("accept", work="T-9.1")
            await agent.call("evidence", work="T-9.1", diff=NEW_B)

    asyncio.run(scenario())


def test_what_is_another_agents_or_nobodys_is_refused_and_changes_nothing(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-1") as one, manager.agent("driver-2") as other:
            await manager.assign("driver-1", "T-10")
            await one.next()
            stolen = await other.refused("evidence", work="T-10.1", diff=NEW_B)
            assert "T-10.1 is not in your hands" in stolen
            assert "T-90 is not yours: driver-7 has it" in await one.refused("accept", work="T-90.1")
            assert await manager.kinds("driver-1", "T-10") == ["task.accepted"]
            assert await manager.kinds("driver-2", "T-10") == []
            for diff, why in {
                "nonsense": "unreadable patch",
                NEW_B.replace("new file mode 100644\n--- /dev/null", "--- a/b.txt"): "it does not fit",
                NEW_B.replace("b.txt", ".git/hooks/pre-commit"): "was not taken",
                "x" * 100_001: "intake takes 100000 at most",
            }.items():
                assert why in await one.refused("evidence", work="T-10.1", diff=diff), diff[:80]
            assert "T-10.1" in (await one.call("next_task", wait_s=0))["work"], "it is still in hand"
            await one.call("evidence", work="T-10.1", diff=NEW_B)

    asyncio.run(scenario())


def test_an_own_note_and_the_board_are_read_back(manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-2") as agent:
            log = await agent.call("feedback", text="I looked around \x1b[31m")
            assert log["entries"][-1].endswith("a note\nI looked around")
            board = await agent.call("board")
            assert (board["agent"], board["run"]) == ("driver-2", manager.run)
            assert "T-90" in [task["id"] for task in board["tasks"]]
        async with manager.bus() as bus:
            bodies = [message.body async for entry in bus.journal() for message in entry.messages]
        notes = [it for it in bodies if isinstance(it, FeedbackLogged) and it.title == "a note"]
        assert [it.log for it in notes] == ["driver-2"]

    asyncio.run(scenario())


async def _until_gone(agent: OutsideAgent, work: str) -> str:
    """The sentence that says what became of a piece, once its handler has ended."""
    while True:
        said = await agent.call("next_task", wait_s=0)
        if said["work"] != work and "is being taken" not in (
            why := await agent.refused("evidence", work=work, diff=NEW_B)
        ):
            return why
