"""Which tools a direction demands, in the words that people use, and which calls meet it."""

from __future__ import annotations

import pytest

from callboard.directions import demands
from callboard.directions.document import Rule
from callboard.directions.parse import parse_direction

SEED = """\
## NON-NEGOTIABLES

### 2. **MCP Tools Mandatory**
Use MCPs for ALL validation. NEVER rely on memory.
**Memory Lock**: "MCPs always, memory never"

### 4. **No New Files Ever**
**Memory Lock**: "Update existing, never create new"

## ACTIVE TASKS

### Task 1 - Deploy
**What**: Deploy to Fly.io, then describe the LlamaIndex MCP
**Use**: Fly MCP for deployment and verification

### Task 2 - Look
**Use**: the logs
**Tools**: `fly__logs`, status

### Task 3 - Write
**Constraints**: You must use the `lint` tool. Do not use the Slack MCP.
"""


def test_a_directions_rules_and_fields_are_read_as_they_are_written() -> None:
    direction = parse_direction(SEED, agent="deployment")
    assert direction.tools == direction.briefing().tools == ("mcp",)
    assert [task.tools for task in direction.tasks] == [("Fly",), ("fly__logs", "status"), ("lint",)]
    assert not [problem for problem in direction.problems if "Tools" in problem.message]


@pytest.mark.parametrize(
    ("text", "demanded"),
    [
        ("MCPs always, memory never", ("mcp",)),
        ("Use MCP for validation", ("mcp",)),
        ("Every claim must be checked via MCP tools", ("mcp",)),
        ("Use Fly MCP for all operations", ("Fly",)),
        ("Always use the `supabase` MCP server, and the GitHub MCP", ("supabase", "GitHub")),
        ("You must use the deploy-check tool before evidence", ("deploy-check",)),
        ("Never use an MCP without asking", ()),
        ("Do not use MCPs. Use the docs", ()),
        ("MCP is optional; use it where it helps", ()),
        ("Use the MCP SDK and the MCP specification", ()),
        ("The MCP server lives in server/", ()),
        ("Use pytest always", ()),
        ("", ()),
    ],
)
def test_words_of_a_rule(text: str, demanded: tuple[str, ...]) -> None:
    assert demands.of_rules([Rule("A rule", (text,))]) == demanded


@pytest.mark.parametrize(
    ("text", "demanded"),
    [("`fly`", ("fly",)), ("fly, github__search", ("fly", "github__search")), ("Fly MCP", ("Fly",)), ("MCP", ("mcp",)), ("none", ())],
)  # fmt: skip
def test_the_field_tools(text: str, demanded: tuple[str, ...]) -> None:
    assert demands.of_fields({"Tools": text}) == demanded


@pytest.mark.parametrize(
    ("demand", "name", "met"),
    [
        ("mcp", "fly__status", True),
        ("mcp", "run", False),
        ("mcp", "tools/list", False),
        ("Fly", "fly__status", True),
        ("fly", "fly-mcp__status", True),
        ("fly-mcp", "fly__status", True),
        ("Fly", "flyer__status", False),
        ("status", "fly__status", True),
        ("fly__status", "fly__status", True),
        ("fly__status", "fly__logs", False),
        ("run", "run", True),
    ],
)
def test_a_call_meets_a_demand_by_its_server_or_its_tool(demand: str, name: str, met: bool) -> None:
    assert demands.meets(name, demand) is met
    assert demands.missing([demand], [name, "read"]) == (() if met else (demand,))


def test_what_an_agent_can_never_call_is_told_by_line() -> None:
    direction = parse_direction(SEED, agent="deployment")
    assert list(demands.unmeetable(direction, ["fly__", "read"])) == [(16, "status"), (20, "lint")]
    assert [demand for _, demand in demands.unmeetable(direction, ["read"])] == ["mcp", "Fly", "fly", "status", "lint"]


def test_demands_are_no_part_of_a_tasks_digest_beyond_the_words_that_say_them() -> None:
    (task, *_) = parse_direction(SEED, agent="deployment").tasks
    assert task.model_copy(update={"tools": ()}).digest == task.digest
