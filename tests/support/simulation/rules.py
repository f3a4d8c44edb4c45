"""What holds at every moment of every schedule."""

from __future__ import annotations

from manager_world import World
from review_worlds import must_have_passed

from callboard.bus.board import GateDoc, IntentDoc


def check_landings(world: World) -> None:
    """Each commit of the integration line has one intent, a green gate for its tree, and an approved review of its task.

    Raises:
        AssertionError: One has not.
    """
    repository, board = world.repository, world.board
    commit = repository.refs.get("refs/heads/callboard/r", "")
    while commit and commit != board.run.base:
        tree, parents = repository.commits[commit]
        intents = [intent for intent in board.all(IntentDoc) if intent.new == commit]
        assert len(intents) == 1, "a landing without exactly one intent"
        assert any(doc.tree == tree and doc.verdict == "green" for doc in board.all(GateDoc)), (
            "a tree without a verdict"
        )
        for task in map(board.task, intents[0].tasks):
            must_have_passed(board, task)
        commit = parents[0]
