"""Settings and calls for a loopback model server."""

from __future__ import annotations

from model_server import ModelServer
from model_wire import Format
from pydantic_ai.messages import ModelRequest, UserPromptPart
from pydantic_ai.tools import ToolDefinition

from callboard.agents.brains.model.calling import ModelCall
from callboard.agents.brains.settings import ModelSettings

NAMES: dict[Format, str] = {"messages": "claude-opus-4-5", "chat": "gpt-5-mini", "responses": "gpt-5-mini"}
READ = ToolDefinition(
    name="read",
    description="Read a file.",
    parameters_json_schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)


def model_settings(server: ModelServer, wire: Format, **more: object) -> ModelSettings:
    anthropic = wire == "messages"
    table = {
        "provider": "anthropic" if anthropic else "openai",
        "model": NAMES[wire],
        "wire": wire,
        "base_url": server.url if anthropic else f"{server.url}/v1",
        "timeout_s": 20.0,
        **more,
    }
    return ModelSettings.model_validate(table)


def a_call(text: str = "Hello", *, instructions: str = "Be brief.") -> ModelCall:
    request = ModelRequest(parts=[UserPromptPart(content=text)], instructions=instructions)
    return ModelCall("T-1", (request,), (READ,))


async def nobody(_: str) -> None:
    return None
