"""How single requirements are told in files that people wrote."""

from __future__ import annotations

import pytest

from callboard.agents.reviewer.numbered import MOST, numbered


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "# Needs\n\n- It answers.\n- [x] It is   fast.\n  * It says why.\n",
            ["It answers.", "It is fast.", "It says why."],
        ),
        ("1. One\n2) Two\nsome words between\n", ["One", "Two"]),
        ("# Needs\nIt answers\nwith its release.\n\nIt is fast.\n", ["It answers with its release.", "It is fast."]),
        ("- It answers.\n\n```\n- no requirement\n```\n", ["It answers."]),
        ("# Only a heading\n", []),
        ("", []),
    ],
)
def test_list_items_are_requirements_and_without_lists_paragraphs_are(text: str, found: list[str]) -> None:
    assert list(numbered([text])) == found


def test_numbers_run_over_all_files_and_end_somewhere() -> None:
    assert numbered(["- a\n- b\n", "c\n"]) == ("a", "b", "c")
    assert len(numbered(["- a\n" * (MOST + 9)])) == MOST
