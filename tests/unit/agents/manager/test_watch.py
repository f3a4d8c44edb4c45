"""What the desk is told of direction files: what keeps tasks from being done, and nothing of style."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.agents.manager.watch import read_directions


def problems(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    read = read_directions(folder, "directions", ["ann", "ben"], {})
    return [problem for file in read.files for problem in file.problems]


@pytest.mark.parametrize(
    ("depends", "said"),
    [
        ("ben/two", ["directions/ann.md:1: these depend on one another", "directions/ben.md:1: these depend on one"]),
        ("ben/three", ["directions/ann.md:1: 'One' depends on ben/three, which the direction of ben does not have"]),
        ("cy/four", ["directions/ann.md:1: 'One' depends on cy/four, and no agent is called cy"]),
        ("none", []),
    ],
)
def test_tasks_at_odds_over_files_are_told_as_they_are_by_the_check(
    tmp_path: Path, depends: str, said: list[str]
) -> None:
    found = problems(
        tmp_path,
        ann=f"### Task 1 - One\n**Depends**: {depends}\n",
        ben="### Task 1 - Two\n**Depends**: ann/one\n",
    )
    assert len(found) == len(said)
    assert [text for text, begin in zip(found, said, strict=True) if not text.startswith(begin)] == []


def test_a_file_that_cannot_be_read_makes_nobody_miss_what_may_stand_in_it(tmp_path: Path) -> None:
    (tmp_path / "ben.md").mkdir()
    (one,) = problems(tmp_path, ann="### Task 1 - One\n**Depends**: ben/two\n")
    assert one.startswith("directions/ben.md")
