"""A real collector on loopback gets a run's spans: all of them, also after it was away, and after a restart only new ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from boards import NOW, task_doc
from collector import Collector

from callboard.bus.archive import FileArchive, Row
from callboard.bus.board import TaskState
from callboard.bus.envelope import new_id
from callboard.bus.errors import ConfigError
from callboard.bus.journal import encode_entry
from callboard.bus.messages import Draft, TaskAssigned
from callboard.bus.task import Briefing
from callboard.telemetry.destination import Destination
from callboard.telemetry.sender import Sender
from callboard.telemetry.spans import Span
from callboard.telemetry.teller import BATCH, Teller

RUN = "20261121-091407"


def rows(tasks: range) -> list[Row]:
    """Two entries for each task: it is assigned; it was handled, and is done."""
    found = list[Row]()
    for n in tasks:
        spec = task_doc(n, f"Do {n}").task
        body = TaskAssigned(spec=spec, briefing=Briefing(agent="driver-1", version="1"), base="b", start="b")
        sent = Draft("driver-1", body, task=f"T-{n}", attempt=1).stamp(id=new_id(), run=RUN, sender="manager", now=NOW)
        begun = encode_entry("commit", sender="manager", messages=[sent.encode()])
        done = task_doc(n, "x", TaskState.DONE).model_dump_json()
        ended = encode_entry("commit", sender="driver-1", cause=sent.id, changes=[(f"task:T-{n}", done)])
        found += [Row(2 * n - 1, 1_795_252_000_000 + n, begun), Row(2 * n, 1_795_252_001_000 + n, ended)]
    return found


def sender(collector: Collector, timeout_s: float = 600.0) -> Sender:
    return Sender(Destination(f"{collector.url}/v1/traces", {"authorization": "k"}, timeout_s), project="shop")


def teller(folder: Path, collector: Collector, said: list[str]) -> Teller:
    return Teller(RUN, FileArchive(folder), folder / "told.json", sender(collector), said.append)


def stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


def test_a_collector_gets_each_span_once_also_over_a_restart(tmp_path: Path) -> None:
    with Collector() as collector:
        FileArchive(tmp_path).append(rows(range(1, 4)))
        teller(tmp_path, collector, []).tell(stopped())
        assert sorted(span.name for span in collector.spans) == [
            *(f"attempt T-{n}" for n in (1, 2, 3)),
            *(f"task T-{n}" for n in (1, 2, 3)),
        ]
        assert {request.headers["authorization"] for request in collector.requests} == {"k"}
        assert {request.path for request in collector.requests} == {"/v1/traces"}
        FileArchive(tmp_path).append(rows(range(4, 5)))
        teller(tmp_path, collector, []).tell(stopped())
        assert sorted(span.name for span in collector.spans[6:]) == ["attempt T-4", "task T-4"]


@pytest.mark.parametrize("ill", ["302", "400", "401", "404", "429", "500", "503", "garbage"])
def test_what_a_collector_does_not_take_is_said_once_and_told_when_it_does(tmp_path: Path, ill: str) -> None:
    said = list[str]()
    with Collector(ill) as collector:
        FileArchive(tmp_path).append(rows(range(1, 3)))
        ours = teller(tmp_path, collector, said)
        ours.tell(stopped())
        ours.tell(stopped())
        assert collector.spans == []
        assert len(collector.requests) == 2
        [text] = said
        assert text.startswith("the collector takes no traces: it answers ")
        collector.ill = ""
        ours.tell(stopped())
        assert len(collector.spans) == 4
        assert said[1:] == ["the collector takes traces again"]


def test_a_collector_whose_answer_never_ends_is_left_alone(tmp_path: Path) -> None:
    FileArchive(tmp_path).append(rows(range(1, 2)))
    with Collector("endless") as collector:
        teller(tmp_path, collector, []).tell(stopped())
        assert len(collector.requests) == 1


def test_a_collector_that_hangs_is_said_and_told_later(tmp_path: Path) -> None:
    FileArchive(tmp_path).append(rows(range(1, 2)))
    with Collector("hangs") as collector:
        with sender(collector, 0.05) as impatient:
            assert impatient.send([]) == "ReadTimeout"
        collector.ill = ""
        teller(tmp_path, collector, []).tell(stopped())
        assert len(collector.spans) == 2


def test_where_nobody_listens_it_is_said_once_and_told_later(tmp_path: Path) -> None:
    said = list[str]()
    FileArchive(tmp_path).append(rows(range(1, 2)))
    with Collector() as collector:
        pass
    gone = teller(tmp_path, collector, said)
    gone.tell(stopped())
    gone.tell(stopped())
    [text] = said
    assert text.startswith("the collector takes no traces: ConnectError")
    with Collector() as back:
        teller(tmp_path, back, []).tell(stopped())
        assert len(back.spans) == 2


class Picky:
    """Takes nothing until it was asked so often, and counts."""

    def __init__(self, refuses: int = 0, look: Callable[[], None] = lambda: None) -> None:
        self.refuses, self.look = refuses, look
        self.most = self.taken = 0

    def send(self, spans: Sequence[Span]) -> str:
        self.look()
        self.most = max(self.most, len(spans))
        if self.refuses:
            self.refuses -= 1
            return "it answers 503"
        self.taken += len(spans)
        return ""


def test_however_long_a_collector_is_away_no_more_than_one_request_is_in_memory(tmp_path: Path) -> None:
    archive, said, stop, waiting = FileArchive(tmp_path), list[str](), threading.Event(), set[int]()
    archive.append(rows(range(1, 3 * BATCH)))

    def look() -> None:
        waiting.add(len(ours.waiting))
        if not picky.refuses:
            stop.set()

    picky = Picky(20, look)
    ours = Teller(RUN, archive, tmp_path / "told.json", picky, said.append)
    ours.tell(stop, again_s=0)
    assert max(waiting) <= BATCH + 1, "an entry ends two spans at most here"
    assert (picky.most, picky.taken, len(said)) == (BATCH, 2 * (3 * BATCH - 1), 2)
    assert json.loads((tmp_path / "told.json").read_text()) == {"seq": 2 * (3 * BATCH - 1)}


def test_a_place_that_cannot_be_read_means_that_all_is_told_anew(tmp_path: Path) -> None:
    archive, picky = FileArchive(tmp_path), Picky()
    (tmp_path / "told.json").write_text("no json")
    archive.append(rows(range(1, 2)))
    Teller(RUN, archive, tmp_path / "told.json", picky, list[str]().append).tell(stopped())
    assert picky.taken == 2


def test_zipped_bodies_resource_and_errors_arrive_as_they_were_sent(tmp_path: Path) -> None:
    said = {"service.name": "roster", "deployment.environment.name": "here"}
    with Collector() as collector:
        to = Destination(f"{collector.url}/v1/traces", zips=True, resource=said)
        at = datetime(2026, 11, 21, tzinfo=UTC)
        span = Span("1" * 32, "2" * 16, "3" * 16, "chat m", "gate", at, at, "client", "refused", {"n": 7, "text": "x"})
        with Sender(to, project="shop") as ours:
            assert ours.send([span]) == ""
        [found] = collector.spans
        assert (found.trace, found.id, found.parent, found.is_error) == ("1" * 32, "2" * 16, "3" * 16, True)
        assert found.attributes == {"n": "7", "text": "x", "error.type": "refused"}
        assert found.resource == {"service.namespace": "shop", "service.instance.id": "manager", **said}
        assert collector.requests[0].headers["content-encoding"] == "gzip"


def test_a_certificate_that_is_not_there_is_an_error_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_CERTIFICATE"):
        Sender(Destination("https://127.0.0.1:1/v1/traces", certificate=str(tmp_path / "none.pem")), project="shop")
