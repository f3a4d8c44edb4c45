"""Codex (`codex exec`), read from 0.169: `--json`, one JSON object a line."""

from __future__ import annotations

import json

from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Report, Start, Text, Told, Tool, Trouble
from callboard.agents.brains.cli.lines import at, cause_of, items_at, openai_usage, read_mapping, text_at

_TOOLS = ("command_execution", "mcp_tool_call", "web_search", "file_change")


def start(order: Order) -> Start:
    """Its own sandbox is used where ours is not around it: one inside another fails, and it exits 0 all the same."""
    mode = "danger-full-access" if order.is_confined else "workspace-write"
    argv = ["codex", "exec", "--json", "--skip-git-repo-check", "--sandbox", mode]
    argv += order.model_option
    url = order.env.get("OPENAI_BASE_URL", "")
    if url:
        provider = f'{{name="callboard",base_url={json.dumps(url)},env_key="OPENAI_API_KEY",wire_api="responses"}}'
        argv += ["-c", "model_provider=callboard", "-c", f"model_providers.callboard={provider}"]
    # the name that `codex exec` reads a key from without a login
    key = order.env.get("CODEX_API_KEY") or order.env.get("OPENAI_API_KEY", "")
    return Start((*argv, "-"), {"CODEX_API_KEY": key} if key else {})


def read(line: str) -> tuple[Event, ...]:
    found = read_mapping(line)
    match found.get("type"):
        case "item.started":
            return _tool(found)
        case "item.completed":
            return _completed(found)
        case "error":
            said = text_at(found, "message")
            return (Trouble(said, cause_of(said)),)
        case "turn.failed":
            said = text_at(found, "error", "message") or "its turn failed, and it did not say why"
            return (End(error=said, cause=cause_of(said)),)
        case "turn.completed":
            return Report(openai_usage(at(found, "usage"), "cached_input_tokens"), is_total=True), End()
    return ()


def _completed(found: object) -> tuple[Event, ...]:
    match at(found, "item", "type"):
        case "agent_message":
            return (Text(text_at(found, "item", "text")),)
        case "error":
            return (Trouble(text_at(found, "item", "message")),)
        case kind if kind in _TOOLS:
            return (_told(found),)
    return ()


def _told(found: object) -> Told:
    text = text_at(found, "item", "aggregated_output") or text_at(found, "item", "error", "message") or _paths(found)
    has_failed = at(found, "item", "status") == "failed" or at(found, "item", "exit_code") not in (None, 0)
    return Told(text, not has_failed, text_at(found, "item", "id"), text_at(found, "item", "type"))


def _paths(found: object) -> str:
    return " ".join(text_at(change, "path") for change in items_at(found, "item", "changes"))


def _tool(found: object) -> tuple[Event, ...]:
    kind = text_at(found, "item", "type")
    if kind not in _TOOLS:
        return ()
    details = [*(text_at(found, "item", key) for key in ("command", "tool", "query")), _paths(found)]
    return (Tool(kind, next(filter(None, details), ""), text_at(found, "item", "id")),)


CODEX = Adapter(
    name="codex",
    program="codex",
    start=start,
    read=read,
    keys=("CODEX_API_KEY", "OPENAI_API_KEY"),
    login=(".codex/auth.json",),
    base_url=("OPENAI_BASE_URL",),
    hosts=("api.openai.com:443", "chatgpt.com:443", "auth.openai.com:443"),
    provider="openai",
    family="gpt",
    install="npm install -g @openai/codex",
)
