"""Qwen Code (`qwen`), read from 0.15: the same lines as Claude Code's, but for what they say of errors and usage."""

from __future__ import annotations

from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Report, Start, Text, Tool
from callboard.agents.brains.cli.lines import at, cause_of, items_at, openai_usage, read_mapping, text_at

ERROR = "[API Error:"
"""What an answer begins with that is none; the program calls it a success and exits 0."""
_CACHED = "cache_read_input_tokens"
_DETAILS = ("command", "file_path", "absolute_path", "path", "pattern", "description")


def start(order: Order) -> Start:
    """Without a key it uses its own login; headless, it does not choose by itself."""
    auth = "openai" if order.env.get("OPENAI_API_KEY") else "qwen-oauth"
    argv = ("qwen", "--yolo", "--output-format", "stream-json", "--auth-type", auth)
    return Start((*argv, *(["--model", order.model] if order.model else [])))


def read(line: str) -> tuple[Event, ...]:
    found = read_mapping(line)
    match found.get("type"):
        case "assistant":
            return _message(found)
        case "result":
            return _result(found)
    return ()


def _message(found: object) -> tuple[Event, ...]:
    events: list[Event] = []
    for block in items_at(found, "message", "content"):
        match at(block, "type"):
            case "text":
                events.append(Text(text_at(block, "text")))
            case "tool_use":
                details = [text_at(block, "input", key) for key in _DETAILS]
                events.append(Tool(text_at(block, "name"), next(filter(None, details), "")))
    usage = openai_usage(at(found, "message", "usage"), _CACHED)
    return (*events, Report(usage, text_at(found, "message", "model"), text_at(found, "message", "id")))


def _result(found: object) -> tuple[Event, ...]:
    said = text_at(found, "result")
    report = Report(openai_usage(at(found, "usage"), _CACHED), is_total=True)
    failed = at(found, "is_error") is not False or at(found, "subtype") != "success"
    if failed or said.startswith(ERROR):
        error = text_at(found, "error", "message") or said or "it failed, and did not say why"
        return report, End(error=error, cause=cause_of(error))
    return report, End(said)


QWEN = Adapter(
    name="qwen",
    program="qwen",
    start=start,
    read=read,
    keys=("OPENAI_API_KEY",),
    login=(".qwen/oauth_creds.json",),
    base_url=("OPENAI_BASE_URL",),
    hosts=("portal.qwen.ai:443", "chat.qwen.ai:443", "dashscope.aliyuncs.com:443", "dashscope-intl.aliyuncs.com:443"),
    needs_server=True,
    family="qwen",
    install="npm install -g @qwen-code/qwen-code",
)
