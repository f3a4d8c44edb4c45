from __future__ import annotations

import json

import pytest
from boards import NOW, agent_doc, blocker_doc, board_of, intent_doc, question_doc, run_doc, task_doc

from callboard.launch.rows import from_json, to_json
from callboard.launch.summarise import summarise
from callboard.launch.summary import NO_RUN, Launcher, Status


def test_a_status_comes_back_from_its_json_as_it_was() -> None:
    docs = (
        run_doc(),
        agent_doc("driver-1", since=NOW),
        task_doc(1, "One"),
        question_doc(1, "T-1", "Which?"),
        blocker_doc(1, "T-1", "No port"),
    )
    launcher = Launcher(pid=7, host="here", since=NOW)
    status = summarise(board_of(*docs, intent_doc(1, "T-1")), launcher=launcher, branches={"driver-1/work": "a" * 40})
    assert from_json(Status, json.loads(json.dumps(to_json(status)))) == status
    assert from_json(Status, to_json(NO_RUN)) == NO_RUN


@pytest.mark.parametrize("value", [None, [], {}, {"run": {}}, {"run": None, "agents": 3}, "text"])
def test_what_is_no_status_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        from_json(Status, value)
