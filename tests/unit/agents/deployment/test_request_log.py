"""What the proxy's lines about requests say of releases."""

from __future__ import annotations

from callboard.agents.deployment.request_log import read_line, samples
from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.state import ReleaseRecord

RELEASES = (
    ReleaseRecord(id="r-1", commit="1" * 40, slot="a", since=100.0),
    ReleaseRecord(id="r-2", commit="2" * 40, slot="b", since=200.0),
    ReleaseRecord(id="r-3", commit="3" * 40, slot="a", since=300.0),
)


def line(at: int, slot: str, status: int = 200, ending: str = "----", sent_on: str = "0", seconds: float = 0.5) -> str:
    took = int(seconds * 1000)
    return f"{at} 250 {took} {took} {slot} {status} {ending} {sent_on}"


def test_a_request_is_of_the_release_that_was_in_the_slot_when_it_began() -> None:
    log = "\n".join([line(50, "a"), line(150, "a"), line(250, "b", 503), line(299, "a", seconds=3.0), line(300, "a")])
    assert samples(log, 0.0, RELEASES) == (
        Sample(at=150.75, release="r-1", ok=True, seconds=0.5, status=200),
        Sample(at=250.75, release="r-2", ok=False, seconds=0.5, status=503),
        Sample(at=300.75, release="r-3", ok=True, seconds=0.5, status=200),
        Sample(at=302.25, release="r-1", ok=True, seconds=3.0, status=200),
    )


def test_a_request_that_reached_nobody_where_it_was_sent_first_is_a_failure_there_too() -> None:
    found = samples(line(400, "b", sent_on="+1"), 0.0, RELEASES)
    assert [(one.release, one.ok, one.status) for one in found] == [("r-2", True, 200), ("r-3", False, 0)]


def test_who_hangs_up_says_nothing_about_who_was_to_answer() -> None:
    assert samples(line(400, "b", -1, "CD--"), 0.0, RELEASES) == ()
    [cut_off] = samples(line(400, "b", -1, "SD--"), 0.0, RELEASES)
    assert (cut_off.ok, cut_off.status) == (False, 0)


def test_only_what_ended_since_counts_also_where_a_long_one_is_written_late() -> None:
    log = "\n".join([line(400, "b"), line(390, "b", seconds=20.0), line(401, "b")])
    assert [one.at for one in samples(log, 401.0, RELEASES)] == [401.75, 410.25]


def test_what_is_no_request_is_passed_over() -> None:
    assert read_line("Proxy app started.") is None
    assert read_line("x 250 500 500 a 200 ---- 0") is None
    assert samples("Proxy app started.\n\n" + line(400, "<NOSRV>", 503), 0.0, RELEASES) == ()
