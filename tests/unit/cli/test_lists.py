from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from boards import NOW, board_of, question_doc, run_doc, task_doc
from rich.console import Console
from rich.table import Table

from callboard.bus.board import TaskState
from callboard.bus.dead_letters import DeadLetter
from callboard.cli.lists import dead_letters_table, kept_table, questions_table, runs_table
from callboard.cli.recover import KeptWork
from callboard.launch.summarise import question, summarise

LONG = "a text that is much too long to stand beside anything else on a terminal of eighty columns"


def drawn(table: Table, width: int = 80) -> str:
    out = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    out.print(table)
    assert isinstance(out.file, io.StringIO)
    lines = out.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return " ".join(out.file.getvalue().split())


def kept(**values: object) -> KeptWork:
    fields: dict[str, object] = {
        "name": "20261121-091407/tasks/T-123/2",
        "ref": "refs/callboard/x",
        "source": ".",
        "agent": "driver-1",
        "commit": "c" * 40,
        "at": NOW,
        "subject": LONG,
        "on_branch": False,
        "command": "git branch x",
    }
    return KeptWork(**{**fields, **values})  # type: ignore[arg-type]


def test_a_question_is_shown_whole_with_its_options_and_its_answer() -> None:
    rows = [
        question(question_doc(1, "T-1", LONG, options=("yes", "no"))),
        question(question_doc(2, "T-2", "Why?", state="answered", answer="Because")),
        question(question_doc(3, "T-3", "When?", state="closed")),
    ]
    rows.append(question(question_doc(4, "T-4", "Now?", is_overdue=True, deadline=NOW, may_answer=("lead",))))
    rows.append(question(question_doc(5, "T-5", "So?", state="answered", answer="x", is_default=True)))
    rows.append(question(question_doc(6, "T-6", "How?", default="x", deadline=NOW)))
    said = drawn(questions_table(rows))
    assert f"Now? overdue since {NOW:%m-%d %H:%MZ}, for lead" in said
    assert "So? answered by nobody, so by its default: x" in said
    assert f"How? takes 'x' at {NOW:%m-%d %H:%MZ}" in said
    assert f"q-1 T-1 driver-1 {LONG[:20]}" in said
    assert "[yes | no]" in said
    assert "Why? answered: Because" in said
    assert "closed: its task has ended" in said


def test_a_promoted_run_says_so() -> None:
    tasks = [task_doc(1, "One", TaskState.DONE), task_doc(2, "Two")]
    run = summarise(board_of(run_doc(state="succeeded", head="c" * 40, promoted="c" * 40), *tasks)).run
    assert run is not None
    assert "run-1 succeeded, promoted ccccccc 1 of 2 done, 1 queued" in drawn(runs_table([run]))


@pytest.mark.parametrize("width", [80, 200])
def test_kept_work_can_be_named_after_the_table_however_narrow_it_is(width: int) -> None:
    said = drawn(kept_table([kept(), kept(on_branch=True, subject="short")]), width)
    assert "20261121-091407/tasks/T-123/2" in said
    assert "short on a branch" in said


def test_a_dead_letter_that_cannot_be_read_has_no_kind() -> None:
    letter = DeadLetter(
        id="7",
        inbox="manager",
        reason="unreadable",
        error="\x1b[31mno JSON",
        failures=1,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        raw="x",
        envelope=None,
    )
    assert "7 01-02 00:00:00Z manager unreadable unreadable ␛[31mno JSON" in drawn(dead_letters_table([letter]))
