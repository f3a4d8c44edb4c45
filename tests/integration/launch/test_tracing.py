"""What keeps a collector told beside a roster: it never fails, whoever waits for it does not wait long, and no key shows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator

import pytest
from boards import NOW, task_doc
from collector import Collector
from roster import Workspace as Made

from callboard.app import Workspace
from callboard.bus.archive import Row
from callboard.bus.board import TaskState
from callboard.bus.envelope import new_id
from callboard.bus.journal import encode_entry
from callboard.bus.messages import Draft, TaskAssigned
from callboard.bus.task import Briefing
from callboard.cli.doctor_traces import traces_findings
from callboard.launch.tracing import keep_telling

pytestmark = pytest.mark.anyio
RUN = "20261121-091407"
KEY = "lf_9Qx2Tz7Kw4Rb8"
Opens = Callable[..., Workspace]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Of one run, whose archive has an attempt that was handled."""
    made = Made(tmp_path_factory.mktemp("traced") / "greenroom")
    made.init({})
    spec = task_doc(1, "Do it").task
    body = TaskAssigned(spec=spec, briefing=Briefing(agent="driver-1", version="1"), base="b", start="b")
    sent = Draft("driver-1", body, task="T-1", attempt=1).stamp(id=new_id(), run=RUN, sender="manager", now=NOW)
    done = task_doc(1, "x", TaskState.DONE).model_dump_json()
    entries = (
        encode_entry("commit", sender="manager", messages=[sent.encode()]),
        encode_entry("commit", sender="driver-1", cause=sent.id, changes=[("task:T-1", done)]),
    )
    archive = Workspace.open(made.path, os.environ).archive(RUN)
    archive.path.parent.mkdir(parents=True, exist_ok=True)
    archive.append([Row(n, 1_795_252_000_000 + n, entry) for n, entry in enumerate(entries, 1)])
    return made


@pytest.fixture
def opened(made: Made) -> Iterator[Opens]:
    """With variables; what was told is forgotten again."""

    def opened(**variables: str) -> Workspace:
        return Workspace.open(made.path, {**os.environ, **variables})

    yield opened
    opened().archive(RUN).path.with_name("told.json").unlink(missing_ok=True)


async def told(workspace: Workspace, last_s: float = 600.0) -> list[str]:
    """What people hear of a launch that ends at once."""
    said, stop = list[str](), asyncio.Event()
    stop.set()
    await keep_telling(workspace, RUN, stop, said.append, last_s=last_s)
    await asyncio.sleep(0)
    return said


async def test_a_launch_tells_what_is_archived_with_its_headers(opened: Opens) -> None:
    with Collector() as collector:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{KEY}",
        }
        assert await told(opened(**variables)) == []
        assert sorted(span.name for span in collector.spans) == ["attempt T-1", "task T-1"]
        assert {span.resource["service.namespace"] for span in collector.spans} == {"greenroom"}
        assert collector.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_nothing_is_read_where_nobody_names_a_collector(opened: Opens) -> None:
    assert await told(opened()) == []
    assert not opened().archive(RUN).path.with_name("told.json").exists()


async def test_a_collector_that_hangs_ends_no_later_than_it_may(opened: Opens) -> None:
    with Collector("hangs") as collector:
        assert await told(opened(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url), last_s=0.01) == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "nowhere"}, "write it like http://"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS": KEY},
            "OTEL_EXPORTER_OTLP_HEADERS has no list",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://127.0.0.1:1", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/none.pem"},
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        ),
    ],
)
async def test_what_cannot_be_used_is_said_once_and_nothing_else_happens(
    opened: Opens, variables: dict[str, str], said: str
) -> None:
    [text] = await told(opened(**variables))
    assert said in text
    assert KEY not in text
    [(state, found)] = await asyncio.to_thread(lambda: list(traces_findings(opened(**variables))))
    assert (state, said in found, KEY in found) == ("warn", True, False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={KEY}"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", f"x=1,authorization=Bearer%20{KEY}"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"https://me:{KEY}@collector"),
    ],
)
def test_a_key_for_a_collector_is_redacted_wherever_it_shows_up(opened: Opens, variable: str, value: str) -> None:
    assert KEY not in opened(**{variable: value}).redactor.text(f"I read {KEY} somewhere")


@pytest.mark.parametrize(
    ("ill", "state", "said"),
    [("", "ok", "takes them"), ("401", "warn", "it answers 401"), ("garbage", "warn", "is this its address?")],
)
def test_doctor_asks_the_collector(opened: Opens, ill: str, state: str, said: str) -> None:
    with Collector(ill) as collector:
        url = collector.url.replace("//", f"//me:{KEY}@")
        [(found, text)] = traces_findings(opened(OTEL_EXPORTER_OTLP_ENDPOINT=url))
    assert (found, said in text, KEY in text) == (state, True, False)
    assert f"{collector.url}/v1/traces" in text


def test_doctor_says_nothing_of_what_nobody_wants(opened: Opens) -> None:
    assert list(traces_findings(opened())) == []
