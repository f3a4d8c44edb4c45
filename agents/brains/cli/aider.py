"""aider, read from 0.86: it prints text alone, so what is a line of the answer is told from what is not."""

from __future__ import annotations

import re

from callboard.agents.brains.budget import MAX_TOKENS, Usage
from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Report, Start, Text, Tool, Trouble
from callboard.agents.brains.cli.lines import cause_of

_TOKENS = re.compile(
    r"Tokens: (?P<sent>[\d.]{1,9})(?P<sent_k>[kM]?) sent,(?:[^,]{1,40},){0,2}? (?P<back>[\d.]{1,9})(?P<back_k>[kM]?) received"
)
_APPLIED = re.compile(r"Applied edit to (.{1,300})")
_ERROR = re.compile(r"(?:litellm\.[A-Za-z]+: |Unable to .{1,60} edit|Error: )")
_SCALE = {"": 1, "k": 1_000, "M": 1_000_000}


def start(order: Order) -> Start:
    """Nothing of its own goes into the clone or its history; a review is only talked about."""
    temporary = order.env.get("TMPDIR", "/tmp")
    argv = ["aider", "--yes-always", "--no-stream", "--no-pretty", "--no-fancy-input", "--no-auto-commits"]
    argv += ["--no-dirty-commits", "--no-gitignore", "--no-check-update", "--no-show-release-notes"]
    argv += ["--no-show-model-warnings", "--no-detect-urls", "--analytics-disable", "--no-restore-chat-history"]
    argv += ["--input-history-file", f"{temporary}/aider.input", "--chat-history-file", f"{temporary}/aider.chat"]
    argv += ["--env-file", "/dev/null"]
    argv += ["--chat-mode", "ask"] if order.kind == "review" else []
    argv += order.model_option
    argv += ["--message-file", "/dev/stdin", "--", *order.files]
    url = order.env.get("OPENAI_BASE_URL", "")
    return Start(tuple(argv), {"OPENAI_API_BASE": url} if url else {})


def read(line: str) -> tuple[Event, ...]:
    head = line[:400]
    if tokens := _TOKENS.match(head):
        usage = Usage(_count(tokens["sent"], tokens["sent_k"]), _count(tokens["back"], tokens["back_k"]))
        return Report(usage), End()
    if applied := _APPLIED.match(head):
        return (Tool("edit", applied[1]),)
    if _ERROR.match(head):
        return (Trouble(head, cause_of(head)),)
    return (Text(line, is_line=True),)


def _count(number: str, scale: str) -> int:
    try:
        return min(round(float(number) * _SCALE[scale]), MAX_TOKENS)
    except ValueError:
        return 0


AIDER = Adapter(
    name="aider",
    program="aider",
    start=start,
    read=read,
    keys=("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY"),
    base_url=("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL"),
    hosts=(
        "api.anthropic.com:443",
        "api.openai.com:443",
        "openrouter.ai:443",
        "api.deepseek.com:443",
        "generativelanguage.googleapis.com:443",
    ),
    litter=(".aider.tags.cache.v4",),
    install="pip install aider-chat",
)
