"""Drafting tasks for a roster: what is asked, and what is made of the answers. Pure but for the brain that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from callboard.agents.brains.answer import plain, read_shape
from callboard.agents.brains.brain import Inquiry, Judge, Seat
from callboard.bus.categories import category_name
from callboard.bus.errors import BrainError
from callboard.directions.document import Category, Direction
from callboard.directions.parse import parse_direction
from callboard.directions.proposal import Asked, ProposedTask, fit

MOST = 40
"""Tasks of one goal: more than a person would read at once."""
BATCH = 10
"""Tasks of one answer: a model's reply holds some 4,000 tokens well, and a task takes some 200."""
TRIES = 3
"""Answers to one question: who was told twice what is wrong will not learn it."""
LONG_TASK = (120, 300)
"""Minutes that a task of a roadmap is estimated at: 2-5 hours, as direction files ask for."""
_GOOD_TASK = """\
A good task can be done by one agent without asking, touches few files, and is finished when its checks pass. Its `checks` are shell commands that fail
before it is done; its `evidence` says what a reviewer looks at; `serves` says who is better off. Two tasks that touch the same files depend on one
another. `depends_on` names titles of the same agent's tasks, or agent/key. Look at the repository before you propose anything; leave out what is
there already. You only propose: a person reads every task before any agent does."""


class PlanAnswer(BaseModel):
    """What a planning brain answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Annotated[tuple[ProposedTask, ...], Field(min_length=1, max_length=MOST)]
    notes: Annotated[str, Field(max_length=2_000, description="What the person who reads this should know.")] = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to plan: a goal, or some tasks of one category of a roadmap."""

    text: str
    """What is asked, as Markdown."""
    asked: Asked
    most: int
    """Tasks of the answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    tasks: tuple[ProposedTask, ...]
    notes: str = ""


Files = Mapping[str, tuple[str, str]]
"""Agent -> path and text of its direction file, "" where it has none yet; of all that tasks can be given to."""


def goal_part(goal: str, files: Files, agents: Sequence[str]) -> Part:
    text = (
        f"# Plan this goal\n\n{goal.strip()}\n\nPropose at most {MOST} tasks that reach it, and no more than it takes."
    )
    return Part(_whole(text, files), Asked(agents), MOST)


def category_part(category: Category, agent: str, count: int, files: Files) -> Part:
    """
    Args:
        count: At most BATCH.
    """
    about = f": {category.text}" if category.text else ""
    low, high = LONG_TASK
    text = (
        f"# Plan {count} tasks of the category {category.title!r}{about}\n\nThey are all for {agent}, and each takes {low} to {high} minutes. "
        f"Propose exactly {count}, the most useful first."
    )
    return Part(_whole(text, files), Asked([agent], LONG_TASK, category.title), count)


def missing_tasks(direction: Direction, category: Category, count: int | None) -> int:
    """How many tasks a category still needs: up to its lowest number, or to `count`; tasks say theirs in the field Category."""
    wanted = category_name(category.title).casefold()
    have = sum(task.category.casefold() == wanted for task in direction.tasks)
    return max(0, (category.low if count is None else count) - have)


async def ask(brain: Judge, seat: Seat, part: Part, files: Files, *, name: str, number: int, today: date) -> Answered:
    """Ask until the drafts can go into the files as they are.

    Args:
        name: Whose plan, for the call logs and the budget.
        number: Of the question in it, from 1.

    Raises:
        BrainError: None of its answers could be used; the message has what was wrong with the last.
        BrainParked, BudgetSpent
    """
    said = ""
    for attempt in range(1, TRIES + 1):
        inquiry = Inquiry(
            seat=seat,
            task=name,
            attempt=attempt,
            kind="plan",
            id=f"plan.{number}",
            text=part.text + said,
            shape=PlanAnswer,
            facts={"agents": list(part.asked.agents), "most": part.most, "category": part.asked.category},
        )
        problems, drafted = _judged((await brain.answer(inquiry)).text, part, files, today)
        if drafted is not None:
            return drafted
        wrong = "\n".join(f"- {plain(problem, 300)}" for problem in problems[:20])
        said = f"\n\n# What was wrong with your last answer\n\n{wrong}\n\nAnswer again, the whole of it."
    raise BrainError(f"{TRIES} answers, and none could be used; the last: {'; '.join(problems[:3])}")


def _judged(text: str, part: Part, files: Files, today: date) -> tuple[Sequence[str], Answered | None]:
    try:
        answer = read_shape(text, PlanAnswer)
    except BrainError as error:
        return [str(error)], None
    if len(answer.tasks) > part.most:
        return [f"{len(answer.tasks)} tasks were proposed, and at most {part.most} were asked for"], None
    problems = fit(answer.tasks, files, part.asked, today=today).problems
    return problems, None if problems else Answered(answer.tasks, plain(answer.notes, 2_000))


def _whole(question: str, files: Files) -> str:
    known = [parse_direction(text, agent=agent, path=path) for agent, (path, text) in files.items()]
    return "\n\n".join([question, _GOOD_TASK, "# The roster's directions", *map(_told, known)])


def _told(direction: Direction) -> str:
    said = [("Mission", direction.mission), ("Focus", direction.focus)]
    lines = [f"{name}: {text}" for name, text in said if text]
    lines += [f"Canon: {text}" for text in direction.canon]
    lines += [f"Rule: {lock}" for rule in direction.rules for lock in rule.locks]
    lines += [f"Has the task {task.key}: {task.title}" for task in direction.tasks]
    return f"## {direction.agent}\n\n" + ("\n".join(lines) or "Nothing is said.")
