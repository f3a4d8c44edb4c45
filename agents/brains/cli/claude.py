"""Claude Code (`claude`), read from 2.1: `--output-format stream-json`, one JSON object a line."""

from __future__ import annotations

from callboard.agents.brains.cli.adapter import Adapter, End, Event, Order, Report, Start, Text, Tool, Trouble
from callboard.agents.brains.cli.lines import anthropic_usage, at, cause_of, items_at, read_mapping, text_at

TOOLS = ("Bash", "Edit", "Write", "Read", "Glob", "Grep", "TodoWrite")
"""What it may use without asking; whatever else it wants to do, nobody is there to allow."""
SYNTHETIC = "<synthetic>"
"""The model of a message that the program itself made up, such as for an error."""
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
_DETAILS = ("command", "file_path", "path", "pattern", "description")


def start(order: Order) -> Start:
    """Without the settings, hooks and servers that the clone brings along: what is in it may be hostile."""
    argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits"]
    argv += ["--allowedTools", ",".join(TOOLS), "--setting-sources", "user", "--strict-mcp-config"]
    argv += ["--disable-slash-commands", "--no-session-persistence"]
    return Start((*argv, *(["--model", order.model] if order.model else [])), _QUIET)


def read(line: str) -> tuple[Event, ...]:
    found = read_mapping(line)
    match found.get("type"):
        case "assistant":
            return _message(found)
        case "result":
            return _result(found)
        case "system" if found.get("subtype") == "api_retry":
            said = text_at(found, "error") or "no answer"
            return (
                Trouble(
                    f"the provider did not answer ({said}); trying again", cause_of(said, at(found, "error_status"))
                ),
            )
    return ()


def _message(found: object) -> tuple[Event, ...]:
    model = text_at(found, "message", "model")
    if model == SYNTHETIC:
        return ()
    events: list[Event] = []
    for block in items_at(found, "message", "content"):
        match at(block, "type"):
            case "text":
                events.append(Text(text_at(block, "text")))
            case "tool_use":
                details = [text_at(block, "input", key) for key in _DETAILS]
                events.append(Tool(text_at(block, "name"), next(filter(None, details), "")))
    usage = anthropic_usage(at(found, "message", "usage"))
    return (*events, Report(usage, model, text_at(found, "message", "id")))


def _result(found: object) -> tuple[Event, ...]:
    said = text_at(found, "result")
    report = Report(anthropic_usage(at(found, "usage")), is_total=True)
    if at(found, "is_error") is not False or at(found, "subtype") != "success":
        error = said or text_at(found, "subtype") or "it failed, and did not say why"
        return report, End(error=error, cause=cause_of(error, at(found, "api_error_status")))
    return report, End(said)


CLAUDE = Adapter(
    name="claude",
    program="claude",
    start=start,
    read=read,
    keys=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN"),
    login=(".claude/.credentials.json",),
    base_url=("ANTHROPIC_BASE_URL",),
    hosts=("api.anthropic.com:443", "console.anthropic.com:443", "platform.claude.com:443", "claude.ai:443"),
    provider="anthropic",
    family="claude",
    install="npm install -g @anthropic-ai/claude-code",
)
