"""What a run has counted is what was handed out and what came of it, whatever happens on the way."""

from __future__ import annotations

import pytest
from boards import NOW, task_doc
from simulation.schedule import Schedule

from callboard.agents.manager.tally import counted
from callboard.bus.board import Board, Change, QueueDoc, TaskState
from callboard.bus.doc import Doc
from callboard.bus.merges import Left, QueueRun
from callboard.bus.tally import TallyDoc

S = TaskState


def after(before: Board, field: str, doc: Doc) -> TallyDoc:
    changed = before.with_changes([Change(field, doc)])
    return counted(before, changed, (field,))


def board(state: TaskState, attempt: int, *, rounds: int = 0, tally: TallyDoc | None = None) -> Board:
    known = tally or TallyDoc(executions_started=attempt, under_way=("T-1",) if attempt else ())
    task = task_doc(1, "Greet", state, attempt=attempt, rounds=rounds)
    return Board().with_changes([Change("task:T-1", task), Change("tally", known)])


def moved(before: Board, state: TaskState, attempt: int, rounds: int = 0) -> tuple[int, int, int, int]:
    doc = after(before, "task:T-1", task_doc(1, "Greet", state, attempt=attempt, rounds=rounds))
    return doc.executions_started, doc.executions_completed, doc.executions_failed, len(doc.under_way)


def test_an_attempt_is_begun_goes_on_and_lands() -> None:
    assert moved(board(S.QUEUED, 0), S.ASSIGNED, 1) == (1, 0, 0, 1)
    for was, now in ((S.ASSIGNED, S.WORKING), (S.WORKING, S.GATE), (S.REVIEW, S.BLOCKED), (S.BLOCKED, S.APPROVED)):
        assert moved(board(was, 1), now, 1) == (1, 0, 0, 1)
    assert moved(board(S.MERGING, 1), S.DONE, 1) == (1, 1, 0, 0)


@pytest.mark.parametrize("state", [S.QUEUED, S.CHANGES_REQUESTED, S.FAILED, S.CANCELLED, S.SKIPPED])
def test_what_ends_in_anything_else_has_failed_once(state: TaskState) -> None:
    assert moved(board(S.WORKING, 2), state, 2) == (2, 0, 1, 0)
    ended = board(state, 2, tally=TallyDoc(executions_started=2, executions_failed=2))
    assert moved(ended, S.DONE, 2) == (2, 0, 2, 0), "closed by a person: no attempt has done it"


def test_sent_back_and_handed_out_again_in_one_decision_is_one_failed_and_one_begun() -> None:
    assert moved(board(S.REVIEW, 1), S.ASSIGNED, 2) == (2, 0, 1, 1)


def test_a_round_of_standing_work_is_an_attempt_that_was_completed() -> None:
    assert moved(board(S.MERGING, 3, rounds=1), S.QUEUED, 3, rounds=2) == (3, 1, 0, 0)


def test_what_says_nothing_of_an_attempt_counts_nothing() -> None:
    before = board(S.WORKING, 1)
    known = before.get("tally", TallyDoc)
    assert after(before, "task:T-1", task_doc(1, "Greet again", S.WORKING, attempt=1)) is known
    assert after(before, "queue", QueueDoc(drain=1)) is known


def test_merge_runs_and_evictions_are_counted_beyond_what_the_queue_remembers() -> None:
    run = QueueRun(drain=1, tasks=("T-1",), tree="t", gate_hash="g", verdict="red", at=NOW)
    out = Left(drain=1, task="T-1", how="evicted", at=NOW)
    was = QueueDoc(runs=(run,) * 60, left=(out,) * 60)
    before = Board().with_changes([Change("queue", was), Change("tally", TallyDoc(merge_runs=70, evictions=65))])
    fresh, known = run.model_copy(), run.model_copy(update={"known": True})
    rows = (*was.runs[2:], fresh, known)
    left = (*was.left[2:], out.model_copy(), out.model_copy(update={"how": "landed"}))
    doc = after(before, "queue", was.model_copy(update={"runs": rows, "left": left}))
    assert (doc.merge_runs, doc.evictions) == (71, 66)


def test_whatever_goes_wrong_on_the_way_the_tally_is_what_the_run_came_to(seed: int) -> None:
    for n in range(6):
        schedule = Schedule(seed + n)
        end = schedule.run()
        found, queue = schedule.world.board.get("tally", TallyDoc), schedule.world.board.queue
        assert found.executions_started == sum(attempts for _, _, attempts in end.tasks)
        assert found.executions_completed == sum(state == "done" for _, state, _ in end.tasks)
        assert found.executions_failed == found.executions_started - found.executions_completed
        assert found.under_way == ()
        assert found.merge_runs == sum(not run.known for run in queue.runs)
        assert found.evictions == sum(left.how == "evicted" for left in queue.left)
