"""A feedback log on disk: appended, read, followed, searched, rotated, mended at whatever byte it was cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from feedback_world import entries, entry, ids_of
from hypothesis import given
from hypothesis import strategies as st

from callboard.bus.errors import WorkspaceError
from callboard.feedback.entry import END, Entry
from callboard.feedback.log import FeedbackLog, exclude_lines, is_log_name, logs_in, read_entries, search

OURS = "r2"
EARLIER = "r1"


def a_log(folder: Path, *, rotate_bytes: int = 10**6) -> FeedbackLog:
    return FeedbackLog(folder, "driver-1", rotate_bytes=rotate_bytes)


def test_what_was_appended_reads_back_in_order(tmp_path: Path) -> None:
    log = a_log(tmp_path / "feedback")
    log.append([entry(1), entry(2)])
    log.append([entry(3)])
    assert list(log.entries()) == [entry(1), entry(2), entry(3)]


def test_a_log_that_was_never_written_is_empty(tmp_path: Path) -> None:
    log = a_log(tmp_path / "feedback")
    log.mend(OURS)
    assert list(log.entries()) == []
    assert log.last_id(OURS) is None
    assert not (tmp_path / "feedback").exists()


def test_a_log_begins_with_whose_it_is(tmp_path: Path) -> None:
    a_log(tmp_path).append([entry(1)])
    assert (tmp_path / "driver-1.md").read_text().startswith("# Feedback log of driver-1\n\n")


@given(st.lists(entries, max_size=4))
def test_any_entries_read_back_from_one_file(written: list[Entry]) -> None:
    raw = "".join(entry.render() for entry in written).encode()
    assert read_entries(raw) == (written, len(raw))


@given(st.lists(entries, min_size=1, max_size=2), st.data())
def test_a_file_cut_anywhere_gives_its_whole_entries_only(written: list[Entry], data: st.DataObject) -> None:
    raw = "".join(entry.render() for entry in written).encode()
    cut = data.draw(st.integers(0, len(raw)))
    found, read = read_entries(raw[:cut])
    assert found == written[: len(found)]
    assert read == len("".join(entry.render() for entry in found).encode())
    assert cut < read + len(written[len(found)].render().encode()) if len(found) < len(written) else read == cut


# --- mending ----------------------------------------------------------------------------------------


def test_a_log_cut_at_every_byte_of_its_last_entry_goes_on_without_gap_or_repeat(tmp_path: Path) -> None:
    for last in (entry(3, "> a\n## b é", run=OURS), entry(3, "One.\n\nTwo.", run=OURS), entry(3, run=OURS)):
        log = a_log(tmp_path)
        log.path.unlink(missing_ok=True)
        log.append([entry(1, run=OURS), entry(2, run=OURS)])
        kept = log.path.stat().st_size
        log.append([last])
        whole = log.path.read_bytes()
        for cut in range(kept, len(whole)):
            log.path.write_bytes(whole[:cut])
            log.mend(OURS)
            assert log.path.read_bytes() == whole[:kept]
            assert log.last_id(OURS) == entry(2, run=OURS).id
        log.append([last])
        assert log.path.read_bytes() == whole


def test_a_first_write_cut_at_every_byte_leaves_nothing_half_made(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([entry(1, run=OURS)])
    whole = log.path.read_bytes()
    for cut in range(len(whole)):
        log.path.write_bytes(whole[:cut])
        log.mend(OURS)
        log.append([entry(1, run=OURS)])
        assert log.path.read_bytes() == whole


def test_zeros_that_a_power_cut_left_are_cut_away(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([entry(1, run=OURS)])
    whole = log.path.read_bytes()
    for torn in (b"\0" * 100, entry(2, run=OURS).render().encode()[:20] + b"\0" * 9, b"\0" + b"x" * 9):
        log.path.write_bytes(whole + torn)
        log.mend(OURS)
        assert log.path.read_bytes() == whole


def test_mending_a_whole_log_changes_nothing(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([entry(1, run=OURS), entry(2, run=OURS)])
    whole = log.path.read_bytes()
    log.mend(OURS)
    log.mend(EARLIER)
    assert log.path.read_bytes() == whole


def test_the_torn_last_entry_of_an_earlier_run_is_kept_and_closed(tmp_path: Path) -> None:
    """Its journal may be gone, so what there is of it is all there will be."""
    log = a_log(tmp_path)
    log.append([entry(7, "One line. Another one.", run=EARLIER)])
    whole = log.path.read_bytes()
    for cut in range(whole.index(b"-->") + 3, len(whole)):
        log.path.write_bytes(whole[:cut])
        log.mend(OURS)
        log.append([entry(1, run=OURS)])
        assert log.path.read_bytes().startswith(whole[:cut])
        assert ids_of(log) == ["r1/7.1", "r2/1.1"]


@pytest.mark.parametrize("note", ["My note.", "## my heading\nand a line\n", "# Title\n\n", "é".encode("latin-1")])
def test_what_a_person_wrote_at_the_end_stays(tmp_path: Path, note: str | bytes) -> None:
    raw = note if isinstance(note, bytes) else note.encode()
    log = a_log(tmp_path)
    for before in (b"", entry(1, run=OURS).render().encode()):
        log.path.write_bytes(before + raw)
        log.mend(OURS)
        log.append([entry(2, run=OURS)])
        assert log.path.read_bytes().startswith(before + raw)
        assert ids_of(log)[-1] == "r2/2.1"


def test_a_heading_that_a_person_broke_is_passed_over(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([entry(1), entry(2)])
    log.path.write_text(log.path.read_text().replace("2026-11-21 12:00:01Z", "2026-99-99 12:00:01Z"))
    assert ids_of(log) == ["r1/2.1"]


# --- rotation -----------------------------------------------------------------------------------------


def test_a_full_log_moves_to_the_archive_and_reads_on_as_one(tmp_path: Path) -> None:
    log = a_log(tmp_path, rotate_bytes=500)
    written = [entry(seq, "words " * 10) for seq in range(1, 12)]
    for one in written:
        log.append([one])
    assert [number for number, _ in log.archived()] == [1, 2, 3]
    assert list(log.entries()) == written
    assert "`archive/driver-1.3.md`" in log.path.read_text().split(END)[0]
    assert all(path.stat().st_size < 1_000 for _, path in log.archived())


def test_the_last_id_is_found_in_the_archive_when_the_log_has_none_of_its_run(tmp_path: Path) -> None:
    log = a_log(tmp_path, rotate_bytes=1)
    log.append([entry(5, run=OURS)])
    log.append([entry(1, run="r3")])
    log.append([entry(2, run="r3")])
    assert log.last_id(OURS) == entry(5, run=OURS).id


def test_a_scribe_killed_right_after_a_rotation_goes_on_from_the_archive(tmp_path: Path) -> None:
    log = a_log(tmp_path, rotate_bytes=1)
    log.append([entry(1, run=OURS)])
    (tmp_path / "archive").mkdir()
    log.path.rename(tmp_path / "archive" / "driver-1.1.md")
    log.mend(OURS)
    assert log.last_id(OURS) == entry(1, run=OURS).id
    log.append([entry(2, run=OURS)])
    assert ids_of(log) == ["r2/1.1", "r2/2.1"]


def test_archive_files_of_an_agent_with_a_longer_name_are_not_its_own(tmp_path: Path) -> None:
    log = a_log(tmp_path, rotate_bytes=1)
    log.append([entry(1)])
    log.append([entry(2)])
    FeedbackLog(tmp_path, "driver-11", rotate_bytes=1).append([entry(3)])
    FeedbackLog(tmp_path, "driver-11", rotate_bytes=1).append([entry(4)])
    assert ids_of(log) == ["r1/1.1", "r1/2.1"]


# --- following ----------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), max_size=8), st.sampled_from([1, 300, 10**6]))
def test_who_follows_sees_every_entry_once_whatever_was_rotated_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], rotate_bytes: int
) -> None:
    log = a_log(tmp_path_factory.mktemp("log"), rotate_bytes=rotate_bytes)
    coming = iter(batches)
    written: list[Entry] = []

    def more_is_written() -> None:
        for _ in range(next(coming, 1)):
            written.append(entry(len(written) + 1, "words " * 10))
            log.append(written[-1:])

    seen = list(islice(log.follow(more_is_written), sum(batches) + 1))
    assert seen == written[: len(seen)]


def test_who_follows_sees_no_half_entry(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([entry(1)])
    whole = log.path.read_bytes()
    rest = entry(2, "More.").render().encode()
    pieces: Iterator[int] = iter(range(1, len(rest) + 1))

    def a_byte_is_written() -> None:
        log.path.write_bytes(whole + rest[: next(pieces)])

    following = log.follow(a_byte_is_written)
    assert [next(following), next(following)] == [entry(1), entry(2, "More.")]
    assert next(pieces, None) is None


# --- what cannot be, and the rest ------------------------------------------------------------------------


def test_a_write_that_fails_half_way_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """With a limit on the size of files, as with a full disk, the first bytes are written and the rest is not."""
    log = a_log(tmp_path)
    log.append([entry(1)])
    before = log.path.read_bytes()
    child = os.fork()
    if child == 0:
        os._exit(_append_with_room_for(log, len(before) + 10))
    assert os.waitpid(child, 0)[1] == 0
    assert log.path.read_bytes() == before


def _append_with_room_for(log: FeedbackLog, size: int) -> int:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        log.append([entry(2)])
    except WorkspaceError as error:
        return 0 if "could not write" in str(error) else 2
    return 1


def test_a_link_in_a_logs_place_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "driver-1.md").symlink_to(tmp_path / "target")
    with pytest.raises(WorkspaceError, match=r"driver-1\.md"):
        a_log(tmp_path).append([entry(1)])
    assert (tmp_path / "target").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "README", "readme", "a.1", "-x", "a b", "a\n", "x" * 65]
)
def test_a_name_that_is_no_file_of_its_own_can_have_no_log(tmp_path: Path, name: str) -> None:
    assert not is_log_name(name)
    with pytest.raises(WorkspaceError, match="cannot have a feedback log"):
        FeedbackLog(tmp_path, name)


def test_search_finds_entries_that_have_every_word_somewhere() -> None:
    found = search([entry(1, "The Gate was red."), entry(2, "green gate")], "gate RED")
    assert [one.id.seq for one in found] == [1]


def test_the_logs_of_a_folder_are_its_agents_only(tmp_path: Path) -> None:
    for name in ("README.md", "senior.md", "driver-1.md", "notes.txt"):
        (tmp_path / name).touch()
    assert logs_in(tmp_path) == ["driver-1", "senior"]
    assert logs_in(tmp_path / "absent") == []


@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        ("feedback", ("/feedback/*.md", "/feedback/archive/")),
        ("notes/agents [1]", (r"/notes/agents \[1\]/*.md", r"/notes/agents \[1\]/archive/")),
    ],
)
def test_the_logs_are_kept_out_of_the_product_by_their_path(
    tmp_path: Path, folder: str, lines: tuple[str, ...]
) -> None:
    assert exclude_lines(tmp_path, tmp_path / folder) == lines


def test_a_folder_outside_of_the_repository_needs_no_exclusion(tmp_path: Path) -> None:
    assert exclude_lines(tmp_path / "repository", tmp_path / "feedback") == ()
