"""Who may not: tokens, names, sizes, arguments."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping

from hand_manager import Manager
from outside_agent import NEW_B
from served import Answer, Served

from callboard.app import Workspace
from callboard.web.tokens import Tokens

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def ask(served: Served, token: str = "", body: object = LIST, headers: Mapping[str, str] | None = None) -> Answer:
    accepts = {"Accept": "application/json, text/event-stream", **(headers or {})}
    return served.ask("/mcp", token, body=body, headers=accepts)


def make(workspace: Workspace, name: str, *scopes: str) -> str:
    return Tokens(workspace.layout.tokens).create(name, scopes)[0]


def test_without_the_token_of_an_agent_from_outside_nothing_is_answered(
    served: Served, manager: Manager, workspace: Workspace
) -> None:
    told = {
        "": (401, "no token"),
        "cbt_00000000_x": (401, "unknown, expired or revoked"),
        make(workspace, "driver-1", "read", "answer", "operate"): (403, "needs the scope agent"),
        make(workspace, "ada", "agent"): (
            403,
            "no agent of the roster is called so; agents from outside are: driver-1, ",
        ),
        make(workspace, "junior-1", "agent"): (403, "junior-1 is launched here"),
        make(workspace, "manager", "agent"): (403, "manager is launched here"),
    }
    for token, (status, why) in told.items():
        answer = ask(served, token)
        assert (answer.status, why in answer.problem) == (status, True), answer.body
    assert ask(served, manager.tokens["driver-1"]).status == 200


def test_a_token_that_is_revoked_ends_what_its_agent_may_do(
    served: Served, manager: Manager, workspace: Workspace
) -> None:
    tokens = Tokens(workspace.layout.tokens)
    text, token = tokens.create("driver-1", ["agent"])
    assert ask(served, text).status == 200
    tokens.revoke(token.id)
    assert ask(served, text).status == 401


def test_a_page_of_another_name_and_a_body_that_is_too_long_are_refused(served: Served, manager: Manager) -> None:
    token = manager.tokens["driver-1"]
    assert ask(served, token, headers={"Host": "evil.example"}).status == 421
    # only its length is sent: the answer comes before the body
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=300)
    connection.putrequest("POST", "/mcp")
    for name, value in (("Authorization", f"Bearer {token}"), ("Content-Length", "1000001")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_arguments_that_are_none_are_said_to_be_wrong_and_do_nothing(served: Served, manager: Manager) -> None:
    async def scenario() -> None:
        async with manager.agent("driver-2") as agent:
            for tool, arguments in (
                ("accept", {}),
                ("accept", {"work": 7}),
                ("accept", {"work": "T" * 101}),
                ("next_task", {"wait_s": -1}),
                ("next_task", {"wait_s": 10_000}),
                ("verdict", {"work": "T-1.1", "vote": "maybe"}),
                ("verdict", {"work": "T-1.1", "vote": "approved", "findings": [{"severity": "huge"}]}),
                ("evidence", {"work": "T-1.1", "issues": [{}]}),
                ("blocker", {"work": "T-1.1", "what": ""}),
                ("progress", {"work": "T-1.1", "doing": "x" * 200_001}),
                ("answer", {"work": "T-1.1", "answer": "text"}),
            ):
                assert "validation error" in await agent.refused(tool, **arguments), (tool, arguments)
            assert "Unknown tool" in await agent.refused("assign", task="T-1")
            for work in ("", "T-1.1", "../../etc", "T-1.1\n\x1b[31m", "💥"):
                assert "not in your hands" in await agent.refused("evidence", work=work, diff=NEW_B)

    asyncio.run(scenario())
    assert ask(served, manager.tokens["driver-2"], b"{").status == 400
    assert json.loads(ask(served, manager.tokens["driver-2"], {**LIST, "method": "no/such"}).body)["error"]
