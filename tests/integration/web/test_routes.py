"""Read routes say what the commands say."""

from __future__ import annotations

import pytest
from served import Served

LISTS = ("/agents", "/tasks", "/questions", "/approvals", "/deployments", "/environments", "/dead-letters")


@pytest.mark.parametrize("path", LISTS)
def test_lists_come_a_page_at_a_time(served: Served, board: str, reader: str, path: str) -> None:
    whole = served.ask(f"{path}?run={board}", reader).json
    assert whole["total"] == len(whole["items"])
    assert served.every(path, reader, 1) == whole["items"]


def test_the_next_page_is_named_in_the_link_too(served: Served, board: str, reader: str) -> None:
    answer = served.ask("/agents?limit=1", reader)
    link = answer.headers["link"]
    assert link.endswith('; rel="next"')
    following = link[1 : link.index(">")].removeprefix(served.url)
    assert [row["name"] for row in served.ask(following, reader).json["items"]] == ["driver-2"]


def test_tasks_by_state_and_one_of_them_whole(served: Served, board: str, reader: str) -> None:
    assert [row["id"] for row in served.ask("/tasks?state=queued", reader).json["items"]] == ["T-1"]
    assert served.ask("/tasks?state=done", reader).json["items"] == []
    assert served.ask("/tasks?state=dnoe", reader).status == 422
    assert served.ask("/tasks/T-1", reader).json["spec"]["title"] == "Greet"
    assert served.ask("/tasks/T-99", reader).status == 404
    assert served.ask("/tasks/..%2FT-1", reader).status in (404, 422)


def test_messages_by_who_said_or_got_them(served: Served, board: str, reader: str) -> None:
    every = served.ask("/messages", reader).json["items"]
    assert {one["kind"] for one in every} == {"task.accepted", "feedback.logged"}
    assert [one["kind"] for one in served.ask("/messages?agent=manager", reader).json["items"]] == ["task.accepted"]
    first = served.ask("/messages?limit=1", reader).json
    rest = served.ask(f"/messages?after={first['next']}", reader).json
    assert [*first["items"], *rest["items"]] == every
    assert served.ask("/messages?after=x", reader).status == 400


def test_an_empty_queue_and_a_log_of_nobody(served: Served, board: str, reader: str) -> None:
    assert served.ask("/queue", reader).json["doing"] == "idle"
    assert served.ask("/feedback/driver-1", reader).json["items"] == []
    assert "there are" in served.ask("/feedback/nobody", reader).problem
    assert served.ask("/feedback/..%2F..%2Fetc", reader).status in (404, 422)


def test_an_answer_that_is_had_already_is_not_sent_again(served: Served, board: str, reader: str) -> None:
    first = served.ask("/tasks", reader)
    again = served.ask("/tasks", reader, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    other = served.ask("/tasks?state=done", reader, headers={"If-None-Match": first.headers["etag"]})
    assert other.status == 200


def test_an_answer_needs_a_text_or_the_default(served: Served, board: str, answerer: str) -> None:
    for body in ({}, {"text": " "}, {"text": "yes", "default": True}, {"txet": "yes"}):
        assert served.ask("/questions/q-1/answer", answerer, body=body).status == 422
    # what curl's -d sends unless it is told otherwise
    as_form = served.ask(
        "/questions/q-1/answer", answerer, body=b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert as_form.status == 422
    assert "Content-Type: application/json" in as_form.problem
