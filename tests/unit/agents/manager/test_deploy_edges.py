"""What an edge leaves behind it: a name for each try, and no question that nobody waits for."""

from __future__ import annotations

from deploy_desk import Deployments

from callboard.bus.board import QuestionDoc


def test_green_has_another_name_after_a_fix_and_no_address_before_it_is_up() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("green_up")
    first = desk.doc().release
    desk.step(address="http://green:80")
    desk.step("failed", reason="red")
    desk.finish(desk.doc().task)
    again = desk.doc()
    assert (again.state, again.step, again.address) == ("green_up", "up", "")
    assert again.release != first
    assert again.release.startswith(first)


def test_a_question_that_nobody_waits_for_any_more_is_closed() -> None:
    desk = Deployments()
    desk.deploy("production")
    desk.until("eligible")
    desk.step()
    [question] = desk.board.all(QuestionDoc)
    assert (question.state, question.id) == ("open", desk.doc().question)
    desk.roll_back("production")
    [question] = desk.board.all(QuestionDoc)
    assert question.state != "open"
