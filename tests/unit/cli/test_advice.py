from __future__ import annotations

from boards import BASE, NOW, agent_doc, board_of, question_doc, run_doc, task_doc

from callboard.bus.board import Doc, TaskDoc, TaskState
from callboard.bus.task import Source
from callboard.cli.advice import ending, next_steps
from callboard.launch.summarise import summarise
from callboard.launch.summary import NO_RUN, Launcher


def advice(*docs: Doc, running: bool = False) -> str:
    launcher = Launcher(pid=1, host="here", since=NOW) if running else None
    return "\n".join(next_steps(summarise(board_of(*docs), launcher=launcher)))


def test_a_new_workspace_is_told_to_write_tasks_and_launch() -> None:
    assert "`callboard launch`" in "\n".join(next_steps(NO_RUN))


def test_while_agents_are_at_it_nobody_is_told_anything() -> None:
    assert advice(run_doc(), agent_doc("driver-1"), task_doc(1, "One", TaskState.WORKING), running=True) == ""


def test_a_stopped_roster_with_work_left_is_launched_again() -> None:
    assert "`callboard launch` goes on" in advice(run_doc(), agent_doc("driver-1"), task_doc(1, "One"))


def test_questions_come_with_their_commands_and_a_long_list_is_cut() -> None:
    asked = [question_doc(number, f"T-{number}", "Which?") for number in range(1, 6)]
    said = advice(run_doc(), *asked, running=True).splitlines()
    assert said[0] == 'q-1 (T-1) waits for you: `callboard answer q-1 "..."`'
    assert said[3] == "2 more: `callboard questions`"


def test_a_paused_run_says_why_and_how_it_goes_on() -> None:
    said = advice(run_doc(state="paused", reason="operator", detail="lunch"), running=True)
    assert said == "the run is paused (lunch): `callboard resume`"
    assert advice(run_doc(state="paused", detail="lunch")).splitlines() == [
        "the run is paused (lunch): `callboard resume`, then `callboard launch` goes on"
    ]


def test_a_run_that_waits_for_people_is_not_to_be_resumed() -> None:
    asked = run_doc(state="paused", reason="question", detail="q-1 (T-1) waits for people", waits=True)
    said = advice(asked, question_doc(1, "T-1", "Which?"))
    assert said == 'q-1 (T-1) waits for you: `callboard answer q-1 "..."`'
    lost = run_doc(state="paused", reason="environment", detail="no agent of the roster can go on with T-1", waits=True)
    assert "resume" not in advice(lost)
    assert "`callboard launch` tries again" in advice(lost)


def test_how_a_launch_ended_says_why_the_run_is_paused() -> None:
    asked = run_doc(state="paused", reason="approval", detail="q-1 (T-1) waits for people", waits=True)
    [head, *_] = ending(summarise(board_of(asked, task_doc(1, "One"))))
    assert head.startswith("run run-1 paused (approval): 0 of 1 tasks done")


def test_a_launch_that_ended_for_dead_letters_names_them_and_how_it_goes_on() -> None:
    held = summarise(board_of(run_doc(), agent_doc("driver-1"), task_doc(1, "One", TaskState.WORKING)), dead_letters=2)
    head, step = ending(held)
    assert head.startswith("run run-1 is stopped, with 2 dead letters: 0 of 1 tasks done")
    assert "2 messages could not be handled" in step
    assert step.endswith("`callboard dead retry ID` sends them again, then `callboard launch` goes on")


def test_what_has_landed_can_be_promoted_once() -> None:
    done = run_doc(state="succeeded", head="c" * 40)
    assert "`callboard promote` moves main to it" in advice(done)
    assert advice(done.model_copy(update={"promoted": "c" * 40})) == ""
    assert "https://x/1 waits to be merged" in advice(done.model_copy(update={"pull_request": "https://x/1"}))
    assert advice(run_doc(state="succeeded", head=BASE)) == ""


def test_a_failed_task_says_how_to_try_it_again() -> None:
    failed = task_doc(1, "One", TaskState.FAILED)
    said = advice(run_doc(state="failed"), failed)
    assert "`callboard launch --again driver-1/one`" in said
    assert said.endswith("or give it up with `callboard cancel T-1`")


def deployed(number: int, title: str, key: str) -> TaskDoc:
    return task_doc(number, title, TaskState.FAILED, key=key, source=Source(kind="deployment"))


def test_what_a_run_left_that_was_stopped_at_its_cap_says_how_it_goes_on() -> None:
    stopped = run_doc(state="failed", reason="budget_exhausted", detail="its budget is spent, and a person said stop")
    left = [task_doc(1, "One", TaskState.DONE), task_doc(2, "Two", TaskState.REVIEW), task_doc(3, "Three")]
    assert advice(stopped, *left, task_doc(4, "Watch", standing=True)) == (
        "T-2, T-3, T-4 were left: raise [budget] in callboard.toml, and `callboard launch` goes on with them"
    )
    assert advice(stopped, left[0]) == ""


def test_a_failed_task_that_a_deployment_made_is_not_to_be_done_again_by_a_launch() -> None:
    made = [
        deployed(1, "Fix d-2 in the code, 1", "driver-1/d-2-fix-1"),
        deployed(2, "Make abc fit for production", "driver-1/d-12-development"),
        deployed(3, "Note d-1", "deployment/d-1-notes"),
    ]
    lines = advice(run_doc(state="failed"), *made, task_doc(4, "Own", TaskState.FAILED)).splitlines()
    assert len(lines) == 4
    assert "T-4 failed" in lines[0]
    assert "launch --again driver-1/own" in lines[0]
    assert not any("--again" in line for line in lines[1:])
    assert lines[1].startswith(
        "T-1 failed, a task of deployment d-2 (Fix d-2 in the code, 1): `callboard deployments d-2` says"
    )
    assert lines[1].endswith("`callboard deploy` tries anew")
    assert "a task of deployment d-12 (Make" in lines[2]
    assert "its notes are not in the repository" in lines[3]
    assert advice(run_doc(state="succeeded", base=BASE, head=BASE), *made) == "", "a later deployment is done there"


def test_every_failed_task_is_named() -> None:
    failed = [task_doc(1, "One", TaskState.FAILED), task_doc(2, "Two", TaskState.FAILED)]
    said = advice(run_doc(state="failed"), *failed)
    assert "T-1, T-2 failed" in said
    assert "`callboard launch --again driver-1/one --again driver-1/two`" in said


def test_a_question_with_options_comes_with_a_command_for_each_and_says_what_becomes_of_it() -> None:
    asked = question_doc(1, "T-1", "Which?", options=("yes", "not yet"), default="yes", deadline=NOW)
    assert advice(run_doc(), asked, running=True) == (
        "q-1 (T-1) waits for you: `callboard answer q-1 yes` or `callboard answer q-1 'not yet'`; `callboard answer q-1 "
        f"--default` takes 'yes', which counts by itself from {NOW:%m-%d %H:%MZ} on"
    )


def test_an_overdue_question_says_so_and_one_for_certain_people_names_them() -> None:
    overdue = question_doc(1, "T-1", "Which?", is_overdue=True, deadline=NOW)
    assert advice(run_doc(), overdue, running=True) == 'q-1 (T-1) is overdue: `callboard answer q-1 "..."`'
    theirs = question_doc(1, "", "Which?", may_answer=("lead", "Ada"))
    assert advice(run_doc(), theirs, running=True).startswith("q-1 (the run) waits for lead or Ada: ")


def test_a_roster_without_a_task_says_how_tasks_are_written() -> None:
    assert "### Task 1 - Its title" in "\n".join(ending(summarise(board_of(run_doc(), agent_doc("driver-1")))))
    assert "### Task 1" not in advice(run_doc(), agent_doc("driver-1"), running=True)
    assert "### Task 1" not in advice(run_doc(), task_doc(1, "One"))


def test_a_launch_that_was_stopped_before_the_directions_were_read_does_not_say_that_they_hold_no_task() -> None:
    for unread in (run_doc(state="created"), run_doc(awaits_directions=True)):
        said = advice(unread, agent_doc("driver-1"))
        assert "hold no task" not in said
        assert "`callboard launch` goes on" in said
