"""Who calls: a token of `callboard token create AGENT --scope agent` says which agent of the roster it is."""

from __future__ import annotations

from callboard.agents.settings import AgentSettings
from callboard.app import Workspace
from callboard.web.problems import Refused
from callboard.web.tokens import Tokens

VARIABLE = "CALLBOARD_TOKEN"
"""Where a program on stdin and stdout finds its token."""


def agent_of(workspace: Workspace, text: str) -> AgentSettings:
    """The agent that a token stands for.

    Raises:
        Refused: 401, the token proves nothing; 403, it is not an agent's from outside.
    """
    if not text:
        raise Refused(
            401,
            f"no token: `callboard token create AGENT --scope agent` makes one; {VARIABLE} holds it, or `Authorization: Bearer` over HTTP",
        )
    token = Tokens(workspace.layout.tokens).find(text)
    if token is None:
        raise Refused(
            401, "this token is unknown, expired or revoked; `callboard token create AGENT --scope agent` makes one"
        )
    if "agent" not in token.scopes:
        has = ", ".join(token.scopes) or "none"
        raise Refused(403, f"this needs the scope agent, and the token of {token.name} has: {has}")
    agent = workspace.settings.agent(token.name)
    if agent is None:
        outsiders = ", ".join(workspace.settings.outsiders) or "none"
        raise Refused(
            403,
            f"the token is for {token.name!r}, and no agent of the roster is called so; agents from outside are: {outsiders}. "
            "`callboard token create AGENT --scope agent` makes one for such an agent",
        )
    if not agent.outside:
        raise Refused(
            403,
            f"{agent.name} is launched here and thinks by itself; say `outside = true` in its table of callboard.toml instead "
            "of what it thinks with, to work for it from outside",
        )
    return agent
