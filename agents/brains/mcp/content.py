"""What a server says, as a model may see it: bounded, as text, never trusted. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from mcp import types
from pydantic import BaseModel, ConfigDict, JsonValue

from callboard.agents.brains import reading
from callboard.agents.brains.answer import plain
from callboard.agents.brains.mcp.servers import Server
from callboard.bus.task import SERVER_MARK

MAX_TOOLS = 64
"""Of one server; each is sent to the model with each call."""
MAX_NAME = 64
"""OpenAI's limit; Anthropic's is higher."""
MAX_ABOUT = 2_000
MAX_SCHEMA = 20_000
"""Characters of JSON."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_NOT_ON_TOP = ("oneOf", "anyOf", "allOf", "$ref")
"""What providers refuse at the top of a tool's schema; the whole request then."""


class Offered(BaseModel):
    """One tool of a server, as it is offered to a model, and written down in the call log."""

    model_config = ConfigDict(frozen=True)

    server: str
    tool: str
    """As the server calls it."""
    name: str
    """As the model does."""
    about: str
    takes: dict[str, JsonValue]
    """JSON schema."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is offered of one server, and what is not and why."""

    offered: tuple[Offered, ...] = ()
    problems: tuple[str, ...] = ()


def choose(server: Server, tools: Sequence[types.Tool]) -> Choice:
    """Those that may be called, under names that no other tool has."""
    offered: dict[str, Offered] = {}
    problems: list[str] = []
    wanted = [tool for tool in tools if server.offers(tool.name)]
    for tool in wanted[:MAX_TOOLS]:
        name = f"{server.name}{SERVER_MARK}{_NOT_IN_NAMES.sub('_', tool.name)}"
        problem = _problem(tool, name, offered)
        if problem:
            problems.append(f"{server.name} offers {plain(tool.name, 80)!r}, which is left out: {problem}")
            continue
        about = plain(tool.description or tool.title or "", MAX_ABOUT)
        offered[name] = Offered(
            server=server.name,
            tool=tool.name,
            name=name,
            about=f"A tool of the MCP server {server.name}, which describes it so: {about}",
            takes=tool.input_schema,
        )
    if len(wanted) > MAX_TOOLS:
        problems.append(f"{server.name} offers {len(wanted)} tools; the first {MAX_TOOLS} are used: name some in tools")
    if not wanted:
        there = ", ".join(plain(tool.name, 80) for tool in tools[:20])
        problems.append(f"{server.name} offers none of {', '.join(server.tools)}; it offers {there or 'nothing'}")
    return Choice(tuple(offered.values()), tuple(problems))


def _problem(tool: types.Tool, name: str, taken: dict[str, Offered]) -> str:
    if name in taken:
        return f"{taken[name].tool!r} has its name {name}"
    if len(name) > MAX_NAME:
        return f"its name {name} has more than {MAX_NAME} characters"
    schema = tool.input_schema
    if schema.get("type") != "object" or any(key in schema for key in _NOT_ON_TOP):
        return "its arguments are described by no plain object"
    if len(json.dumps(schema)) > MAX_SCHEMA:
        return f"its schema has more than {MAX_SCHEMA:,} characters"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"its schema is none: {plain(error.message, 200)}"
    return ""


def as_text(result: types.CallToolResult) -> str:
    """A result as text, cut as any tool's output is."""
    said = "\n".join(_blocks(result.content))
    if not said.strip() and result.structured_content is not None:
        said = json.dumps(result.structured_content, ensure_ascii=False, indent=1)
    shown = reading.cut_output(said)
    return plain(shown, len(shown)) or "[it said nothing]"


def _blocks(blocks: Iterable[types.ContentBlock]) -> Iterator[str]:
    for block in blocks:
        match block:
            case types.TextContent(text=text):
                yield text
            case types.ImageContent() | types.AudioContent():
                yield f"[{block.type} of type {plain(block.mime_type, 80)}, which is not shown]"
            case types.ResourceLink():
                yield f"[a link to {plain(str(block.uri), 500)}]"
            case types.EmbeddedResource(resource=types.TextResourceContents(text=text)):
                yield text
            case types.EmbeddedResource():
                yield f"[the resource {plain(str(block.resource.uri), 500)}, which is no text]"
