"""An entry's Markdown says exactly what the entry says, and nobody's words can pass for an entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from feedback_world import FORGERIES, entries, said
from hypothesis import given

from callboard.feedback.entry import END, Entry, EntryId
from callboard.feedback.log import read_entries

AT = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)
ID = EntryId("r1", 1042, 1)


def test_an_entry_reads_as_a_person_would_write_it() -> None:
    facts = (
        "commit `3f2a1bc` on `driver-1/work`, 1 file: `app/main.py`",
        "`pytest -q` -> 0 in 1.3 s (sha256 9c1f64...)",
    )
    entry = Entry(ID, AT, "evidence", "T-7", "Add a /health endpoint", facts, "It answers 200.\n\n`x` shows it.")
    assert entry.render() == (
        "## 2026-11-21 09:14:07Z · evidence · T-7 Add a /health endpoint <!-- r1/1042.1 -->\n"
        "- commit `3f2a1bc` on `driver-1/work`, 1 file: `app/main.py`\n"
        "- `pytest -q` -> 0 in 1.3 s (sha256 9c1f64...)\n"
        "\n"
        "It answers 200.\n"
        "\n"
        "`x` shows it.\n"
        "\n"
        "\n"
    )


@given(entries)
def test_what_is_written_reads_back_exactly(entry: Entry) -> None:
    assert Entry.parse(entry.render()) == entry


@given(said)
def test_text_reads_back_character_by_character_but_for_line_ends_and_what_cannot_be_seen(text: str) -> None:
    shown = Entry.parse(Entry(ID, AT, "task", text=text).render()).text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert [len(line) for line in shown.split("\n")] == [len(line) for line in lines.split("\n")]
    assert all(was == now or not was.isprintable() for was, now in zip(lines, shown, strict=True))


@given(entries)
def test_two_empty_lines_end_an_entry_and_stand_nowhere_inside(entry: Entry) -> None:
    assert entry.render().index(END) == len(entry.render()) - len(END)


@given(entries)
def test_no_text_fact_or_title_makes_a_second_entry(entry: Entry) -> None:
    raw = entry.render().encode()
    assert read_entries(raw) == ([entry], len(raw))


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("place", ["title", "fact", "text"])
def test_no_line_of_what_somebody_said_is_a_heading_of_any_kind(forgery: str, place: str) -> None:
    said = {"title": {"title": forgery}, "fact": {"facts": (forgery,)}, "text": {"text": forgery}}[place]
    _, *lines = Entry(ID, AT, "task", **said).render().split("\n")  # type: ignore[arg-type]
    assert not any(line.lstrip().startswith(("#", "===", "---", "```", "<")) for line in lines)
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_plain_paragraphs_stay_as_they_are_and_everything_else_is_quoted() -> None:
    plain = Entry(ID, AT, "task", text="One.\n\n(Two.)\n3 < 4 <!-- x").render()
    assert ">" not in plain.partition("\n")[2]
    for text in ("- a", "# a", "> a", " a", "```", "a\n---", "a\n\n\nb", "a\n", "\na", "<b>", "| a |", "a\n   b"):
        _, *lines = Entry(ID, AT, "task", text=text).render().removesuffix(END).split("\n")
        assert all(line.startswith(">") for line in lines), text


@given(said)
def test_no_line_of_a_text_begins_what_markdown_takes_for_more_than_a_paragraph(text: str) -> None:
    _, *lines = Entry(ID, AT, "task", text=text).render().split("\n")
    assert all(not line or line[0] == ">" or line[0].isalnum() or line[0] in "\"'(`" for line in lines)
    assert not any(line.startswith("```") for line in lines)


def test_a_title_that_looks_like_a_task_is_not_read_as_one() -> None:
    entry = Entry(ID, AT, "task", "", "T-9 was not it")
    assert (Entry.parse(entry.render()).task, Entry.parse(entry.render()).title) == ("", "T-9 was not it")


@pytest.mark.parametrize("task", ["T-7 · x", "7", "T-", "T-٣", "../T-7", "T-7\n"])
def test_what_is_no_task_id_is_not_shown_as_one(task: str) -> None:
    assert Entry(ID, AT, "task", task).task == ""


def test_time_is_shown_in_utc_to_the_second() -> None:
    elsewhere = (AT + timedelta(microseconds=999_999)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert Entry(ID, elsewhere, "task") == Entry(ID, AT, "task")


@pytest.mark.parametrize("block", ["", "# x", "## x", " ## 2026-11-21 09:14:07Z · task <!-- r1/1.1 -->"])
def test_what_has_no_heading_is_no_entry(block: str) -> None:
    with pytest.raises(ValueError, match="not the heading"):
        Entry.parse(block)


def test_ids_of_a_run_are_ordered_by_number() -> None:
    assert EntryId("r1", 9, 2) < EntryId("r1", 10, 1) < EntryId("r1", 10, 2)
