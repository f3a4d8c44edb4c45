"""What pages show, from rows and boards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from boards import NOW, task_doc

from callboard.bus.board import Board, TaskState
from callboard.launch.review_rows import FindingRow
from callboard.launch.summarise import summarise
from callboard.launch.summary import Spend
from callboard.web.dashboard.drawing import LONGEST, ago, commands, drawn, shorten, tone
from callboard.web.dashboard.views import AROUND, about, columns, in_code, meters

CODE = [f"line {n}" for n in range(1, 21)]


def finding(place: str, quote: str = "line") -> FindingRow:
    return FindingRow("senior", "major", "what", place, quote, "", "", "stands", "")


def test_every_task_stands_in_one_column_whatever_its_state() -> None:
    docs = [task_doc(n, f"Task {n}", state) for n, state in enumerate(TaskState, 1)]
    found = columns(summarise(Board({f"task:{doc.id}": doc for doc in docs})).tasks)
    ids = [row.id for column in found for row in column.tasks]
    assert sorted(ids) == sorted(doc.id for doc in docs)


def test_the_most_urgent_stand_first_and_what_ended_last() -> None:
    docs = [
        task_doc(1, "Later", priority=4),
        task_doc(2, "Now", priority=0),
        task_doc(3, "Old", TaskState.DONE, changed_at=NOW - timedelta(hours=1)),
        task_doc(4, "New", TaskState.DONE),
    ]
    found = columns(summarise(Board({f"task:{doc.id}": doc for doc in docs})).tasks)
    assert [row.id for row in found[0].tasks] == ["T-2", "T-1"]
    assert [row.id for row in found[-1].tasks] == ["T-4", "T-3"]


@pytest.mark.parametrize(
    ("used", "tone", "share"), [(10, "good", 10.0), (80, "warn", 80.0), (100, "bad", 100.0), (250, "bad", 100.0)]
)
def test_a_meter_is_full_at_its_cap(used: int, tone: str, share: float) -> None:
    [tokens, *_] = meters(Spend(tokens=used, caps={"tokens": 100.0}))
    assert (tokens.tone, tokens.share, tokens.percent) == (tone, share, used)


def test_what_is_unknown_is_not_told_as_nothing() -> None:
    money = meters(Spend(tokens=5, usd=None, known_usd=1.5))[1]
    assert (money.used, money.cap, money.share) == ("$1.50 and unknown", "", None)


def test_a_quote_is_shown_in_its_code() -> None:
    lines = in_code(finding("app/x.py:10", "line 10\nline 11"), CODE)
    assert [line.number for line in lines] == list(range(10 - AROUND, 11 + AROUND + 1))
    assert [line.text for line in lines if line.quoted] == ["line 10", "line 11"]
    assert [line.number for line in in_code(finding("x:1"), CODE)] == [1, 2, 3, 4]
    assert [line.number for line in in_code(finding("x:20"), CODE)] == [17, 18, 19, 20]
    for place in ("x", "x:0", "x:21", "", "a:b:c"):
        assert in_code(finding(place), CODE) == ()


def test_what_agents_wrote_is_text_on_a_page() -> None:
    page = bytes(drawn("login.html", values={"at": "", "fault": "<script>alert(1)</script>\x1b[31m‮"}).body).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "‮" not in page


def test_words_of_time_and_length() -> None:
    spans = ((5, "just now"), (90, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago"))
    assert [ago(NOW - timedelta(seconds=s), NOW) for s, _ in spans] == [text for _, text in spans]
    assert shorten("x" * LONGEST) == "x" * LONGEST
    assert shorten("x" * (LONGEST + 5)).endswith("5 more characters")
    assert (tone("done"), tone("failed"), tone("anything")) == ("good", "bad", "soft")


def test_commands_in_a_sentence_are_shown_as_such() -> None:
    assert commands("run `a < b` twice") == "run <code>a &lt; b</code> twice"
    assert commands("`a` and a ` alone") == "<code>a</code> and a ` alone"


def test_a_transcript_is_named_by_what_it_is_of() -> None:
    named = {
        "": "Attempt 2",
        "T-4.2.1": "Review T-4.2.1",
        "T-4.2.1-synthesis": "Synthesis of review T-4.2.1",
        "T-4.2.1-vote": "Vote in review T-4.2.1",
        "B-1.trio": "Consult about B-1",
    }
    assert {review: about(2, review) for review in named} == named
