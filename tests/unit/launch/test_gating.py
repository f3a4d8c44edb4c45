"""Which work of a task a gate by hand judges."""

from __future__ import annotations

import pytest
from boards import BASE, board_of, run_doc, task_doc

from callboard.bus.board import TaskState
from callboard.bus.errors import RosterError
from callboard.launch.gating import of_task


def commit(**values: object) -> str | None:
    return of_task(board_of(run_doc(), task_doc(1, "One", **values)), "T-1").commit  # type: ignore[arg-type]


def test_what_was_handed_in_comes_before_what_landed_and_what_was_kept() -> None:
    assert commit(head="h", landed="l", pin="p") == "h"
    assert commit(landed="l", pin="p") == "l"
    assert commit(pin="p") == "p"


def test_of_evidence_alone_the_checks_run_on_what_it_was_given() -> None:
    found = of_task(board_of(run_doc(), task_doc(1, "One", TaskState.REVIEW, base="b", gate_hash="g")), "T-1")
    assert (found.commit, found.base) == (None, "b")


def test_work_whose_base_is_forgotten_is_judged_against_the_runs() -> None:
    assert of_task(board_of(run_doc(), task_doc(1, "One", head="h")), "T-1").base == BASE


@pytest.mark.parametrize(("id", "why"), [("T-1", "handed in nothing yet"), ("T-2", "no task 'T-2'")])
def test_where_there_is_nothing_to_judge_it_says_so(id: str, why: str) -> None:
    with pytest.raises(RosterError, match=why):
        of_task(board_of(run_doc(), task_doc(1, "One", base="b")), id)
