"""Values that are read elsewhere: of Prometheus over HTTP, of processes, of what Green prints, of a command."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from loopback_http import Answer, LoopbackServer, Request
from watched_target import GREEN, Time, WatchedTarget

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.analysis_settings import AnalysisSettings, MetricSettings
from callboard.agents.deployment.readers import ReaderPlace, readers
from callboard.agents.deployment.samples import Reading


class Prometheus:
    """What is asked, and what every query gets."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer = Answer()
        self.server = LoopbackServer(self._answered)

    async def _answered(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answer

    def says(self, result: object, *, kind: str = "vector", status: int = 200, said: str = "success") -> None:
        body = {"status": said, "error": "no such thing", "data": {"resultType": kind, "result": result}}
        self.answer = Answer(status, body=json.dumps(body).encode())


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    one = Prometheus()
    one.server.start()
    yield one
    one.server.stop()


@dataclass
class ProcessTarget(WatchedTarget):
    """Whose releases print to a file and are one process."""

    printed: Path = Path("/nowhere")
    pid: int = 0

    def output(self, release: str) -> Path:
        return self.printed

    def process(self, release: str) -> int:
        return self.pid


def place(target: WatchedTarget, **environ: str) -> ReaderPlace:
    green = target.running()[1]
    return ReaderPlace(target, green, "staging", Path.cwd(), {"PATH": os.environ["PATH"], **environ}, target.time)


def read(own: MetricSettings, at: ReaderPlace) -> Reading:
    settings = AnalysisSettings(metrics=("it",), own={"it": own})
    return asyncio.run(_once(settings, at))


async def _once(settings: AnalysisSettings, at: ReaderPlace) -> Reading:
    (reader,) = readers(settings, at)
    return await reader()


def queue(prometheus: Prometheus, **more: str) -> MetricSettings:
    url = f"http://127.0.0.1:{prometheus.server.port}"
    query = "queue{release='{release}',slot='{slot}'}"
    return MetricSettings(kind="prometheus", url=url, query=query, most=10.0, **more)  # type: ignore[arg-type]


def test_prometheus_is_asked_about_green_with_the_token_that_is_named(prometheus: Prometheus) -> None:
    time = Time()
    prometheus.says([{"metric": {}, "value": [time(), "7.5"]}])
    found = read(queue(prometheus, token_env="METRICS"), place(WatchedTarget(time), METRICS="s3cret"))
    assert (found.value, found.metric, found.at) == (7.5, "it", time())
    (asked,) = prometheus.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/query")
    assert parse_qs(asked.query) == {"query": [f"queue{{release='{GREEN}',slot='b'}}"]}
    assert asked.headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("result", "more", "said"),
    [
        ([], {}, "0 series: is its metric's name right?"),
        ([{"value": [1e6, "1"]}, {"value": [1e6, "2"]}], {}, "2 series"),
        ([{"value": [1e6, "NaN"]}], {}, "NaN"),
        ([{"value": [1e6, "+Inf"]}], {}, "+Inf"),
        ([{"value": [1e6 - 3600, "1"]}], {}, "3600 s old"),
        ([{"value": ["NaN", "1"]}], {}, "old"),
        ([{"value": [1e6, "many"]}], {}, "no value"),
        ([{"value": []}], {}, "no value"),
        (["x"], {}, "no value"),
        ([], {"kind": "matrix"}, "gives a matrix"),
        ([], {"said": "error", "status": 400}, "no such thing"),
        ("x", {}, "gives a vector"),
    ],
)
def test_whatever_is_not_one_number_of_now_is_none(
    prometheus: Prometheus, result: object, more: dict[str, str], said: str
) -> None:
    prometheus.says(result, **more)  # type: ignore[arg-type]
    own, at = queue(prometheus), place(WatchedTarget(Time()))
    found = read(own, at)
    assert math.isnan(found.value)
    assert said in found.said
    plan = AnalysisSettings(metrics=("it",), own={"it": own}).plan()
    assert analyse(plan, None, GREEN, [], at.clock(), [found]).outcome == "inconclusive"


def test_a_server_that_speaks_no_json_or_does_not_answer_gives_no_value(prometheus: Prometheus) -> None:
    prometheus.answer = Answer(502, body=b"<html>")
    at = place(WatchedTarget(Time()))
    assert "502 and no JSON" in read(queue(prometheus), at).said
    own = queue(prometheus)
    prometheus.server.stop()
    assert "does not answer" in read(own, at).said


def test_a_token_that_is_not_there_is_told_by_its_name(prometheus: Prometheus) -> None:
    found = read(queue(prometheus, token_env="METRICS"), place(WatchedTarget(Time())))
    assert math.isnan(found.value)
    assert found.said == "METRICS is not set"
    assert not prometheus.asked


def test_lines_that_match_are_counted_from_the_beginning_of_the_watch(tmp_path: Path) -> None:
    printed = tmp_path / "green.log"
    printed.write_text("panic: long ago\n")
    target = ProcessTarget(Time(), printed=printed)
    settings = AnalysisSettings(metrics=("it",), own={"it": MetricSettings(kind="log", pattern="^panic", most=0.0)})

    async def look() -> list[Reading]:
        (reader,) = readers(settings, place(target))
        found = [await reader()]
        with printed.open("a") as file:
            file.write("all is well\npanic: a\nno panic: b\npani")
        found.append(await reader())
        with printed.open("a") as file:
            file.write("c: c\n")
        found.append(await reader())
        printed.write_text("panic: begun anew\n")
        found.append(await reader())
        return found

    found = asyncio.run(look())
    assert [one.value for one in found] == [0, 1, 2, 3]
    assert found[1].said == "panic: a"
    printed.unlink()
    assert math.isnan(read(settings.own["it"], place(target)).value)


@pytest.mark.parametrize(
    ("command", "value", "said"),
    [
        ("echo reading; echo 3.5", 3.5, ""),
        ('test "$CALLBOARD_ENV" = staging && echo 1', 1.0, ""),
        ("echo 3; exit 1", math.nan, "exited 1"),
        ("echo many", math.nan, "printed 'many' and no number"),
        ("true", math.nan, "printed '' and no number"),
        ("echo nan", math.nan, ""),
    ],
)
def test_a_command_prints_its_value_last(command: str, value: float, said: str) -> None:
    found = read(MetricSettings(kind="command", command=command, most=10.0), place(WatchedTarget(Time())))
    assert found.value == value or (math.isnan(value) and math.isnan(found.value))
    assert said in found.said


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_what_a_release_takes_is_that_of_all_its_processes() -> None:
    target = ProcessTarget(Time(), pid=os.getpid())
    memory = MetricSettings(kind="saturation", of="memory", most=1e12)
    files = MetricSettings(kind="saturation", of="files", most=1e6)
    assert read(memory, place(target)).value > 10_000_000
    assert read(files, place(target)).value >= 3


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_busy_cores_are_known_from_the_second_look_on() -> None:
    target = ProcessTarget(Time(), pid=os.getpid())
    settings = AnalysisSettings(metrics=("it",), own={"it": MetricSettings(kind="saturation", of="cpu", most=64.0)})

    async def look() -> list[Reading]:
        (reader,) = readers(settings, place(target))
        first = await reader()
        sum(n * n for n in range(300_000))
        return [first, await reader()]

    first, second = asyncio.run(look())
    assert math.isnan(first.value)
    assert 0 <= second.value < 64


def test_what_is_no_local_process_has_no_saturation() -> None:
    own = MetricSettings(kind="saturation", of="memory", most=1.0)
    assert math.isnan(read(own, place(WatchedTarget(Time()))).value)
    assert math.isnan(read(own, place(ProcessTarget(Time(), pid=0))).value)
