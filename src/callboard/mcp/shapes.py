"""What the tools take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Inquiry, Job, ReviewJob
from callboard.agents.brains.prompt import inquiry_prompt, review_prompt, task_prompt
from callboard.agents.outside.hatch import Piece
from callboard.agents.reviewer.verdict import MAX_FINDINGS, SaidFinding
from callboard.bus.messages import Draft, EvidenceSubmitted, FeedbackLogged, ReviewRequested
from callboard.launch.summary import AgentRow, BlockerRow, QuestionRow, Status, TaskRow

Kind = Literal["task", "review", "question"]
WorkId = Annotated[str, Field(max_length=100, description="What next_task called it, such as T-1.1.")]
SaidFindings = Annotated[
    tuple[SaidFinding, ...],
    Field(max_length=MAX_FINDINGS, description="What is wrong; a quote has to stand at its file and line."),
]


class Next(BaseModel):
    """What waits for the agent."""

    state: Literal["offered", "in hand", "nothing"]
    text: str
    """What to do now."""
    work: str = ""
    kind: Kind = "task"
    task: str = ""
    attempt: int = 0
    title: str = ""


class Accepted(BaseModel):
    """A piece of work, whole."""

    work: str
    kind: Kind
    task: str
    attempt: int
    folder: str
    """On the machine of the MCP server: a task's clone to work in, or a checkout of what is judged."""
    base: str
    """The commit that a diff has to fit, or that is judged against; in the user's repository."""
    text: str
    """What is asked, as people and the gate have said it, and how to end it."""
    answer_schema: dict[str, object] | None = None
    """Of a question: what `answer` takes."""


class Taken(BaseModel):
    """What became of what was given."""

    work: str
    state: Literal["handed in", "under way"]
    """under way: the checks of the task still run, or its message is still on its way; next_task waits for the end."""
    said: list[str]
    """The messages that went to the manager, by their kinds."""
    commit: str = ""
    files: list[str] = []
    commands: list[str] = []
    """The task's own checks, each with its exit code. The gate runs them again."""


class Noted(BaseModel):
    """The agent's own log."""

    entries: list[str]
    """The newest last, each as one text of facts."""


class Seen(BaseModel):
    """The board, as the agent may see it."""

    agent: str
    run: str
    run_state: str
    integration: str
    head: str
    tasks: list[TaskRow]
    agents: list[AgentRow]
    blockers: list[BlockerRow]
    questions: list[QuestionRow]


ENDINGS: dict[Kind, str] = {
    "task": (
        "Work in the folder above, or in a checkout of your own at the base. Say what you do with `progress`, at least every "
        "{minutes} minutes. End it with `evidence` (with `diff`, if you did not work in the folder), `blocker`, `ask` or `give_up`. Do "
        "not commit; the gate and three reviewers judge what you hand in."
    ),
    "review": "The folder is a checkout of it; what you change there is thrown away. End it with `verdict`.",
    "question": "What you change in the folder is thrown away. End it with `answer`, whose argument fits answer_schema.",
}


def kind_of(piece: Piece) -> Kind:
    """Known from the message alone: what is offered has no job yet."""
    return "task" if piece.is_task else "review" if isinstance(piece.envelope.body, ReviewRequested) else "question"


def shown(piece: Piece, stuck_s: float) -> Accepted:
    """A piece that is open.

    Args:
        stuck_s: After how long without progress a task counts as stuck.
    """
    job, kind = piece.job, kind_of(piece)
    base = ""
    match job:
        case Job():
            text, base = task_prompt(job), job.base
        case ReviewJob():
            text, base = review_prompt(job), job.request.base
        case Inquiry():
            text = inquiry_prompt(job)
        case None:
            raise AssertionError("an open piece has a job")
    schema = job.shape.model_json_schema() if isinstance(job, Inquiry) else None
    ending = ENDINGS[kind].format(minutes=max(1, int(stuck_s / 120)))
    return Accepted(
        work=piece.id,
        kind=kind,
        task=piece.envelope.task,
        attempt=piece.envelope.attempt,
        folder=str(job.seat.cwd),
        base=base,
        text=f"{text}\n# How to end it\n\n{ending}\n",
        answer_schema=schema,
    )


def taken(piece: Piece, *, is_committed: bool) -> Taken:
    """What was said to the manager of it."""
    drafts: tuple[Draft, ...] = piece.outcome.messages if piece.outcome else ()
    bodies = [draft.body for draft in drafts if not isinstance(draft.body, FeedbackLogged)]
    found = Taken(
        work=piece.id, state="handed in" if is_committed else "under way", said=[body.kind for body in bodies]
    )
    for body in bodies:
        if isinstance(body, EvidenceSubmitted):
            found.commit, found.files = body.head or "", list(body.files)
            found.commands = [plain(f"{it.command} -> {it.exit_code}", 500) for it in body.commands]
    return found


def seen(status: Status, agent: str) -> Seen:
    run = status.run
    return Seen(
        agent=agent,
        run=run.id if run else "",
        run_state=run.state if run else "",
        integration=run.integration if run else "",
        head=run.head if run else "",
        tasks=list(status.tasks),
        agents=list(status.agents),
        blockers=list(status.blockers),
        questions=list(status.questions),
    )
