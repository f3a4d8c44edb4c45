"""opencode (`opencode run`), read from 1.18: `--format json`, one JSON object a line."""

from __future__ import annotations

import json

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Report, Start, Text, Told, Tool
from callboard.agents.brains.cli.lines import at, cause_of, read_mapping, text_at, tokens_at

OWN_SERVER = "openai-compatible"
"""The provider's name in `cli_model` for the server at OPENAI_BASE_URL."""
_QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_SHARE": "1",
}


def start(order: Order) -> Start:
    argv = ["opencode", "run", "--format", "json", "--pure", "--title", "callboard"]
    config: dict[str, object] = {
        "autoupdate": False,
        "share": "disabled",
        "permission": {"edit": "allow", "bash": "allow", "webfetch": "deny"},
    }
    model = order.model
    if order.env.get("OPENAI_BASE_URL") and model:
        name = model.removeprefix(f"{OWN_SERVER}/")
        model = f"{OWN_SERVER}/{name}"
        config["provider"] = {OWN_SERVER: _server(order.env["OPENAI_BASE_URL"], name)}
    env = {**_QUIET, "OPENCODE_CONFIG_CONTENT": json.dumps(config)}
    return Start((*argv, *(["--model", model] if model else [])), env)


def _server(url: str, model: str) -> dict[str, object]:
    options = {"baseURL": url, "apiKey": "{env:OPENAI_API_KEY}"}
    return {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {model: {}}}


def read(line: str) -> tuple[Event, ...]:
    found = read_mapping(line)
    match found.get("type"):
        case "text":
            return (Text(text_at(found, "part", "text")),)
        case "tool_use":
            return _tool(at(found, "part"))
        case "step_finish":
            report = Report(_usage(at(found, "part", "tokens")), message=text_at(found, "part", "id"))
            return (report, End()) if text_at(found, "part", "reason") == "stop" else (report,)
        case "error":
            return (_error(found),)
    return ()


def _tool(part: object) -> tuple[Event, ...]:
    id = text_at(part, "callID")
    text = text_at(part, "state", "output") or text_at(part, "state", "error")
    return (
        Tool(text_at(part, "tool"), text_at(part, "state", "title"), id),
        Told(text, at(part, "state", "status") != "error", id),
    )


def _usage(tokens: object) -> Usage:
    """The cache, and what was thought, are counted beside input and output."""
    read, written = tokens_at(tokens, "cache", "read"), tokens_at(tokens, "cache", "write")
    return Usage(
        input_tokens=tokens_at(tokens, "input") + read + written,
        output_tokens=tokens_at(tokens, "output") + tokens_at(tokens, "reasoning"),
        cached_tokens=read,
        cache_write_tokens=written,
    )


def _error(found: object) -> End:
    said = text_at(found, "error", "data", "message") or text_at(found, "error", "name") or "it failed"
    return End(error=said, cause=cause_of(said, at(found, "error", "data", "statusCode")))


OPENCODE = Adapter(
    name="opencode",
    program="opencode",
    start=start,
    read=read,
    keys=("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY"),
    login=(".local/share/opencode/auth.json",),
    base_url=("OPENAI_BASE_URL",),
    hosts=("opencode.ai:443", "models.dev:443", "api.anthropic.com:443", "api.openai.com:443", "openrouter.ai:443"),
    install="npm install -g opencode-ai",
)
