"""Lines of process logs are read by people."""

from __future__ import annotations

import io
import re

from loguru import logger

from callboard.launch.log_form import log_form


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
