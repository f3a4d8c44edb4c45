"""Qwen Code (`qwen`), read from 0.15: the same lines as Claude Code's, but for what they say of errors and usage."""

from __future__ import annotations

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Start
from callboard.agents.brains.cli.lines import cause_of, openai_usage, read_mapping, text_at
from callboard.agents.brains.cli.stream_json import has_failed, read_stream

ERROR = "[API Error:"
"""What an answer begins with that is none; the program calls it a success and exits 0."""


def start(order: Order) -> Start:
    """Without a key it uses its own login; headless, it does not choose by itself."""
    auth = "openai" if order.env.get("OPENAI_API_KEY") else "qwen-oauth"
    argv = ("qwen", "--yolo", "--output-format", "stream-json", "--auth-type", auth)
    return Start((*argv, *order.model_option))


def read(line: str) -> tuple[Event, ...]:
    return read_stream(read_mapping(line), _usage, _end)


def _usage(found: object) -> Usage:
    return openai_usage(found, "cache_read_input_tokens")


def _end(found: object, said: str) -> End:
    if not has_failed(found) and not said.startswith(ERROR):
        return End(said)
    error = text_at(found, "error", "message") or said or "it failed, and did not say why"
    return End(error=error, cause=cause_of(error))


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
