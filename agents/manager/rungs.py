"""What both halves of the ladder write: a problem's document, its rungs, and what the two logs say of them."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import problem_id
from callboard.bus.board import BlockerDoc, ProblemDoc, TaskDoc
from callboard.bus.messages import BlockerClimbed
from callboard.bus.problems import Rung, RungName


def problem_of(decision: Decision, blocker: BlockerDoc) -> ProblemDoc:
    """What is known of a blocker's problem; a new blocker about it begins where the last one ended."""
    id = problem_id(blocker.task, blocker.what, blocker.needs)
    known = decision.board.get(f"problem:{id}", ProblemDoc)
    if known.blocker == blocker.id:
        return known
    fresh = {"id": id, "task": blocker.task, "blocker": blocker.id, "consult": "", "asked": (), "heard": {}}
    return put(decision, known.model_copy(update=fresh))


def task_of(decision: Decision, problem: ProblemDoc) -> TaskDoc:
    return decision.board.task(problem.task)


def put(decision: Decision, problem: ProblemDoc, **values: object) -> ProblemDoc:
    doc = problem.model_copy(update=values)
    decision.put(f"problem:{doc.id}", doc)
    return decision.board.get(f"problem:{doc.id}", ProblemDoc)


def step(decision: Decision, problem: ProblemDoc, rung: Rung) -> ProblemDoc:
    others = tuple(known for known in problem.rungs if known.name != rung.name)
    return put(decision, problem, rungs=(*others, rung))


def tell(decision: Decision, blocker: BlockerDoc, rung: RungName, facts: tuple[str, ...]) -> None:
    """Both logs say on which rung a blocker is, and why not on an earlier one."""
    task = decision.board.task(blocker.task)
    decision.send(blocker.agent, BlockerClimbed(blocker=blocker.id, what=blocker.what, rung=rung, facts=facts), task)
    said = [f"blocks: {blocker.what}", f"needs: {blocker.needs}", *facts]
    decision.log(
        "blocker", f"{blocker.id} is with the {rung}" if rung != "canon" else f"{blocker.id}: canon", said, task=task
    )
