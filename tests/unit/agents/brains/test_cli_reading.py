"""What agent CLIs print, recorded from real ones, and what nobody should ever print."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.brain import Blocked, Done, Failed, Parked, RawVerdict
from callboard.agents.brains.budget import MAX_TOKENS, Usage
from callboard.agents.brains.cli.adapter import Event, Report, Text, Tool
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.session import conclude, doing, events_of, read_session, unfenced, verdict_text
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError, BrainParked

RECORDED = Path(__file__).with_name("recorded")
ENDING = "exited 0; it printed nothing"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.txt").read_bytes()


def events(name: str) -> list[Event]:
    adapter = ADAPTERS[name.partition(".")[0]]
    return list(events_of(adapter, recorded(name).decode().split("\n")))


def ended(cli: str, *lines: str) -> object:
    return conclude(read_session(ADAPTERS[cli], "\n".join(lines).encode()), ENDING, NOW)


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
def test_a_session_that_ended_well_is_done_with_the_notes_of_its_last_line(cli: str) -> None:
    session = read_session(ADAPTERS[cli], recorded(f"{cli}.done"))
    assert conclude(session, ENDING, NOW) == Done("wrote it")


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
def test_its_tools_are_told_as_progress(cli: str) -> None:
    tools = [event for event in events(f"{cli}.done") if isinstance(event, Tool)]
    assert len(tools) == 1
    assert "note.txt" in doing(tools[0])


@pytest.mark.parametrize(
    ("cli", "total"),
    [
        ("claude", Usage(214, 40, 14)),
        ("codex", Usage(200, 40, 14)),
        ("qwen", Usage(200, 40, 14)),
        ("opencode", Usage(200, 40, 14)),
        ("aider", Usage(100, 20)),
    ],
)
def test_its_usage_is_read_with_the_cache_as_part_of_the_input(cli: str, total: Usage) -> None:
    reports = [event for event in events(f"{cli}.done") if isinstance(event, Report)]
    totals = [report.usage for report in reports if report.is_total]
    single = [report.usage for report in reports]
    assert (totals or [_sum(single)]) == [total]


def _sum(usages: list[Usage]) -> Usage:
    given, back = sum(usage.input_tokens for usage in usages), sum(usage.output_tokens for usage in usages)
    return Usage(given, back, sum(usage.cached_tokens for usage in usages))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("claude.no-login", "its session failed: Not logged in · Please run /login"),
        ("codex.refused", "no such thing"),
        ("codex.bad-key", "401 Unauthorized"),
        ("qwen.bad-key", "its session failed: [API Error: 401 bad key]"),
        ("qwen.no-login", "No auth type is selected"),
        ("opencode.bad-key", "its session failed: bad key"),
        ("aider.bad-key", "its session did not end: litellm.AuthenticationError"),
    ],
)
def test_a_session_without_an_answer_has_failed_whatever_it_exits_with(name: str, why: str) -> None:
    session = read_session(ADAPTERS[name.partition(".")[0]], recorded(name))
    result = conclude(session, ENDING, NOW)
    assert isinstance(result, Failed)
    assert why in result.reason
    with pytest.raises(BrainError):
        verdict_text(session, ENDING, NOW)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("claude.rate-limit", "rate_limit"),
        ("aider.rate-limit", "rate_limit"),
        ("codex.cut-off", "provider"),
        ("codex.unreachable", "provider"),
        ("qwen.unreachable", "provider"),
        ("opencode.overloaded", "provider"),
    ],
)
def test_a_provider_that_does_not_answer_parks_the_work(name: str, cause: str) -> None:
    session = read_session(ADAPTERS[name.partition(".")[0]], recorded(name))
    result = conclude(session, ENDING, NOW)
    assert isinstance(result, Parked)
    assert result.cause == cause
    with pytest.raises(BrainParked) as caught:
        verdict_text(session, ENDING, NOW)
    assert caught.value.cause == cause


def test_output_that_stops_in_the_middle_is_no_success() -> None:
    for cli in ("claude", "codex", "qwen", "opencode"):
        half = recorded(f"{cli}.done").splitlines()[:-1]
        assert isinstance(conclude(read_session(ADAPTERS[cli], b"\n".join(half)), "exited 0", NOW), Failed)
    assert conclude(read_session(ADAPTERS["claude"], b""), "exited 137", NOW) == Failed(
        "its session did not end; exited 137"
    )


def test_trouble_that_passed_does_not_fail_a_session() -> None:
    lines = [*recorded("codex.unreachable").decode().splitlines()[:6], *recorded("codex.done").decode().splitlines()]
    assert ended("codex", *lines) == Done("wrote it")


def test_trouble_after_the_answer_does() -> None:
    lines = [*recorded("aider.done").decode().splitlines(), "litellm.BadRequestError: no"]
    assert isinstance(ended("aider", *lines), Failed)


def result_line(text: str) -> str:
    return json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": text})


def test_it_can_be_blocked_and_ask_with_its_last_line() -> None:
    blocked = json.dumps({"status": "blocked", "blocker": {"what": "no key", "needs": "a key"}})
    assert ended("claude", result_line(f"I tried.\n{blocked}")) == Blocked("no key", needs="a key")


def test_an_answer_in_a_fence_is_read_too() -> None:
    fenced = 'All done.\n```json\n{\n  "status": "done",\n  "notes": "x"\n}\n```\n'
    assert ended("claude", result_line(fenced)) == Done("x")
    assert unfenced("```\n```") == "```\n```"
    assert unfenced("no fence\n```") == "no fence\n```"


def test_words_alone_are_its_notes() -> None:
    assert ended("claude", result_line("I added it.")) == Done("I added it.")


def test_what_it_says_last_is_its_verdict() -> None:
    said = 'Looks good.\n{"vote": "approved", "findings": [], "notes": "ok"}'
    raw = RawVerdict(verdict_text(read_session(ADAPTERS["qwen"], result_line(said).encode()), ENDING, NOW))
    assert parse_verdict(raw.text).vote == "approved"


KEYS = st.sampled_from(
    ["type", "subtype", "message", "content", "usage", "item", "part", "result", "is_error", "error", "tokens", "text"]
)
TYPES = st.sampled_from(
    [
        "assistant",
        "result",
        "system",
        "item.completed",
        "item.started",
        "turn.completed",
        "turn.failed",
        "error",
        "text",
        "tool_use",
        "step_finish",
        "agent_message",
        "command_execution",
        "success",
        "api_retry",
        "stop",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | TYPES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
SHAPED = st.dictionaries(KEYS, VALUES, max_size=6).flatmap(
    lambda value: TYPES.map(lambda kind: json.dumps({**value, "type": kind}))
)
RECORDED_LINES = [line for path in sorted(RECORDED.glob("*.txt")) for line in path.read_text().splitlines()]


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A real line with a piece cut out or put in."""
    line = draw(st.sampled_from(RECORDED_LINES))
    begin = draw(st.integers(0, len(line)))
    end = draw(st.integers(begin, len(line)))
    return line[:begin] + draw(st.text(max_size=10)) + line[end:]


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
@given(lines=st.lists(st.text() | SHAPED | broken(), max_size=6))
def test_no_output_breaks_a_reader(cli: str, lines: list[str]) -> None:
    adapter = ADAPTERS[cli]
    for event in events_of(adapter, lines):
        if isinstance(event, Report):
            counts = (event.usage.input_tokens, event.usage.output_tokens, event.usage.cached_tokens)
            assert all(0 <= count <= 3 * MAX_TOKENS for count in counts)
        doing(event).encode()
    session = read_session(adapter, "\n".join(lines).encode("utf-8", "surrogatepass"))
    conclude(session, ENDING, NOW)


@pytest.mark.parametrize("cli", sorted(ADAPTERS))
@given(output=st.binary())
def test_no_bytes_break_a_session(cli: str, output: bytes) -> None:
    conclude(read_session(ADAPTERS[cli], output), ENDING, NOW)


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "result", "is_error": ' + "[" * 100_000,
        '{"type": "result", "result": "' + "x" * 1_000_000,
        '{"type": "assistant", "message": {"content": [{"type": "text", "text": "\\ud800"}]}}',
        '{"type": "result", "usage": {"input_tokens": 1e999, "output_tokens": -5, "cache_read_input_tokens": true}}',
        "\x1b]0;title\x07\x1b[2J" * 1000,
        "Tokens: 9.9.9.9k sent, 1 received.",
        '{"type": "turn.completed", "usage": {"input_tokens": ' + "9" * 5000 + "}}",
    ],
    ids=lambda line: line[:30],
)
def test_hostile_lines_are_nothing_or_little(line: str) -> None:
    for adapter in ADAPTERS.values():
        for event in adapter.read(line):
            assert not isinstance(event, Report) or event.usage.tokens <= 3 * MAX_TOKENS
            assert not isinstance(event, Text) or event.text.encode() is not None
