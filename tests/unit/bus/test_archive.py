from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.bus.archive import FileArchive, Row
from callboard.bus.errors import ArchiveBroken, BusError


def row(seq: int, text: str = "") -> Row:
    return Row(seq, 1_000 + seq, json.dumps({"step": "send", "text": text}))


def rows(first: int, last: int, text: str = "") -> list[Row]:
    return [row(seq, text) for seq in range(first, last + 1)]


@pytest.fixture
def archive(tmp_path: Path) -> FileArchive:
    return FileArchive(tmp_path / "run")


def test_what_was_appended_is_read_back_from_any_number_on(archive: FileArchive) -> None:
    """Long enough to be searched by halving, with lines of many lengths."""
    kept = [row(seq, "ä" * (seq % 7 * 90)) for seq in range(1, 1_201)]
    archive.append(kept[:500])
    archive.append(kept[500:])
    assert archive.path.stat().st_size > 4 * 64 * 1024
    for after in (0, 1, 2, 499, 500, 501, 800, 1_198, 1_199, 1_200, 5_000):
        assert list(archive.rows(after)) == kept[after:]
    assert FileArchive(archive.path.parent).last() == kept[-1]


def test_an_archive_that_is_not_there_is_empty(archive: FileArchive) -> None:
    assert (archive.last(), list(archive.rows())) == (None, [])


def test_rows_that_are_there_already_are_passed_over(archive: FileArchive) -> None:
    archive.append(rows(1, 5))
    FileArchive(archive.path.parent).append(rows(3, 8))
    assert list(archive.rows()) == rows(1, 8)


def test_a_row_may_not_be_left_out(archive: FileArchive) -> None:
    archive.append(rows(1, 5))
    with pytest.raises(BusError, match="ends with entry 5, so entry 7 cannot follow"):
        archive.append([row(7)])
    assert list(archive.rows()) == rows(1, 5)


@given(cut=st.integers(0, 10_000))
@settings(max_examples=40)
def test_a_file_that_ends_anywhere_is_continued_from_its_last_whole_line(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = FileArchive(tmp_path_factory.mktemp("archive"))
    archive.append(rows(1, 9))
    whole = archive.path.read_bytes()
    torn = whole[: cut % (len(whole) + 1)]
    archive.path.write_bytes(torn)
    count = torn.count(b"\n")
    assert list(archive.rows()) == rows(1, count)
    later = FileArchive(archive.path.parent)
    later.append(rows(1, 9))
    assert archive.path.read_bytes() == whole


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (4, lambda line: line.replace(b'"text": ""', b'"text": "x"')),
        (4, lambda line: line.replace(b'"at":1004', b'"at":1005')),
        (4, lambda line: b""),
        (4, lambda line: line + line),
        (4, lambda line: b"not a line\n"),
        (9, lambda line: line.replace(b'"hash":"', b'"hash":"0')),
    ],
)
def test_a_broken_chain_is_named_with_its_line(archive: FileArchive, number: int, change: object) -> None:
    archive.append(rows(1, 9))
    lines = archive.path.read_bytes().splitlines(keepends=True)
    assert callable(change)
    lines[number - 1] = change(lines[number - 1])
    archive.path.write_bytes(b"".join(lines))
    with pytest.raises(ArchiveBroken) as found:
        list(archive.rows())
    assert found.value.path == str(archive.path)
    assert found.value.line in (number, number + 1)
    assert f"journal.jsonl:{found.value.line}: " in str(found.value)


def test_with_a_chain_of_its_own_a_changed_row_is_read(archive: FileArchive, tmp_path: Path) -> None:
    """The wall off: it is the chain by which it is found. Who may write the file may make all of it anew."""
    archive.append(rows(1, 9))
    forged = FileArchive(tmp_path / "forged")
    forged.append([*rows(1, 3), row(4, "x"), *rows(5, 9)])
    assert forged.head() != archive.head(), "whoever knows the last hash, from an export, sees that"
    archive.path.write_bytes(forged.path.read_bytes())
    assert list(archive.rows())[3] == row(4, "x")


def test_an_archive_whose_end_was_changed_is_not_continued(archive: FileArchive) -> None:
    archive.append(rows(1, 9))
    raw = archive.path.read_bytes()
    archive.path.write_bytes(raw.replace(b'"at":1009', b'"at":1008'))
    with pytest.raises(ArchiveBroken):
        FileArchive(archive.path.parent).append([row(10)])


def test_numbers_may_be_missing_before_a_snapshot_alone(archive: FileArchive) -> None:
    archive.append(rows(1, 3))
    archive.append([Row(9, 1_009, '{"step":"snapshot","state":{}}'), row(10)])
    assert [kept.seq for kept in archive.rows()] == [1, 2, 3, 9, 10]
    assert [kept.seq for kept in FileArchive(archive.path.parent).rows(9)] == [10]
