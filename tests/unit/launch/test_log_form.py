"""Lines of process logs are read by people, or by programs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

from loguru import logger

from callboard.bus.envelope import new_id
from callboard.bus.known_secrets import KnownSecret
from callboard.bus.redaction import Redactor
from callboard.launch.log_form import log_form, scrubbed


def line(**facts: object) -> str:
    out = io.StringIO()
    sink = logger.add(out, format=log_form("driver-1"), colorize=False)
    try:
        logger.bind(**facts).warning("message {kind} given back")
    finally:
        logger.remove(sink)
    return out.getvalue()


def test_facts_stand_behind_the_message_each_with_its_name() -> None:
    said = line(agent="driver-1", run="r1", error="no {room} <here>")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z WARNING driver-1 message \{kind\} given back "
        r"\(run='r1' error='no \{room\} <here>'\)\n",
        said,
    )


def test_without_facts_nothing_stands_there() -> None:
    assert line().endswith("given back\n")


def json_line(
    facts: Mapping[str, object] | None = None, *, redactor: Redactor | None = None, error: Exception | None = None
) -> dict[str, object]:
    out = io.StringIO()
    scrub = scrubbed(redactor or Redactor(), "json")
    sink = logger.add(
        lambda said: print(scrub(said), end="", file=out), format=log_form("driver-1", "json"), colorize=False
    )
    try:
        logger.bind(**(facts or {})).opt(exception=error).warning("message {kind} given back <red>\n")
    finally:
        logger.remove(sink)
    [line] = out.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_for_programs_a_line_is_one_object_with_every_id_that_is_known() -> None:
    ids = {"run": "r1", "agent": "driver-1", "task": "T-7", "attempt": 2, "message": new_id(), "trace": "ab" * 16}
    found = json_line({**ids, "path": Path("a{b}<c>"), "text": "bound"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(found.pop("time")))
    said = {"level": "warning", "process": "driver-1", "text": "message {kind} given back <red>\n", "text_": "bound"}
    assert found == ids | said | {"path": "PosixPath('a{b}<c>')"}


def test_a_traceback_stays_in_its_line() -> None:
    try:
        raise ValueError("no\nway")
    except ValueError as error:
        found = json_line(error=error)
    assert str(found["error_trace"]).startswith("Traceback")
    assert str(found["error_trace"]).endswith("ValueError: no\nway\n")


def test_a_secret_of_several_lines_is_found_although_json_writes_it_otherwise() -> None:
    secret = 'first "line" of it\nsecond line \\ of it'
    redactor = Redactor([KnownSecret("KEY", secret)])
    found = json_line({"reason": f"it is {secret}, that is all"}, redactor=redactor)
    assert str(found["reason"]).startswith("it is ")
    assert "second line" not in str(found)
