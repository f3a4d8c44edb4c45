"""Claude Code (`claude`), read from 2.1: `--output-format stream-json`, one JSON object a line."""

from __future__ import annotations

from callboard.agents.brains.cli.adapter import Adapter, End, Event, Limit, Order, Start, Trouble
from callboard.agents.brains.cli.lines import anthropic_usage, at, cause_of, read_mapping, text_at, time_at
from callboard.agents.brains.cli.stream_json import has_failed, read_stream

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


def start(order: Order) -> Start:
    """Without the settings, hooks and servers that the clone brings along: what is in it may be hostile."""
    argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits"]
    argv += ["--allowedTools", ",".join(TOOLS), "--setting-sources", "user", "--strict-mcp-config"]
    argv += ["--disable-slash-commands", "--no-session-persistence"]
    return Start((*argv, *order.model_option), _QUIET)


def read(line: str) -> tuple[Event, ...]:
    found = read_mapping(line)
    if at(found, "message", "model") == SYNTHETIC:
        return ()
    if (found.get("type"), found.get("subtype")) == ("system", "api_retry"):
        return (_retry(found),)
    if found.get("type") == "rate_limit_event" and at(found, "rate_limit_info", "status") == "rejected":
        until = time_at(found, "rate_limit_info", "resetsAt")
        return () if until is None else (Limit(until),)
    return read_stream(found, anthropic_usage, _end)


def _retry(found: object) -> Trouble:
    said = text_at(found, "error") or "no answer"
    return Trouble(f"the provider did not answer ({said}); trying again", cause_of(said, at(found, "error_status")))


def _end(found: object, said: str) -> End:
    if not has_failed(found):
        return End(said)
    error = said or text_at(found, "subtype") or "it failed, and did not say why"
    return End(error=error, cause=cause_of(error, at(found, "api_error_status")))


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
