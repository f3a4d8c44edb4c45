"""What the demo's models say, served over the wire: a loopback server whose script is a recording's replies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from model_wire import Asked, Say, ToolCall

from callboard.agents.brains.recording import Recording, Said, Talk
from callboard.demo.wishes import BURSTS
from callboard.directions.parse import read_direction

REVIEWERS = {"claude-opus-4-5": "senior", "gpt-5": "junior-1", "gemini-2.5-pro": "junior-2"}
"""Model -> who of the demo's trio thinks with it."""
SUBJECT = re.compile(r"# (?:Your|Judge|Synthesis on|Vote on) task T-\d+: (?P<title>.+)")
SECOND = ("synthesis", "vote")
"""Tools that end what is asked in the second round of a review."""
RELEASE = "release"
"""What ends the questions about deployed code."""
DEPLOYED = re.compile(r"# (?P<deployment>d-\d+): is commit ")
MADE_FIT = re.compile(r"Make \w+ fit for production")
"""The title of what a deployment that was rolled back makes a task."""
CONSULT = "consult"
"""What ends the one question about a blocker that each of the trio is asked."""
MENDED = "driver-1/d-2-development"
ATTEMPT = re.compile(r"^(?:Attempt|Handed in by .+, attempt) (?P<number>\d+)", re.MULTILINE)


class Script:
    """A reply function for ModelServer.

    Args:
        recording: Whose `says` and `calls` are served; all else in it is ignored.
        directions: The folder of the demo's directions.
    """

    def __init__(self, recording: Recording, directions: Path) -> None:
        self._keys = {task.title: task.key for path in directions.glob("*.md") for task in read_direction(path).tasks}
        self._keys[BURSTS.title] = BURSTS.key
        self._talks = {(it.about.agent, it.about.key, it.about.attempt): it for it in recording.talks()}

    def __call__(self, asked: Asked) -> Say:
        return _say(next_reply(self._talk(asked), len(asked.results)))

    def _talk(self, asked: Asked) -> Talk:
        if CONSULT in asked.tools:
            agent = REVIEWERS[asked.model]
            return next(it for (who, key, _), it in self._talks.items() if (who, key.split("/")[0]) == (agent, CONSULT))
        if RELEASE in asked.tools:
            deployed = DEPLOYED.search(asked.prompt)
            assert deployed is not None, asked.prompt[:500]
            return self._talks[REVIEWERS[asked.model], f"{RELEASE}/{deployed['deployment']}.1", 1]
        title, attempt = SUBJECT.search(asked.prompt), ATTEMPT.search(asked.prompt)
        assert title is not None, asked.prompt[:500]
        assert attempt is not None, asked.prompt[:500]
        key = MENDED if MADE_FIT.fullmatch(title["title"]) else self._keys[title["title"]]
        second = next((tool for tool in SECOND if tool in asked.tools), "")
        agent = REVIEWERS[asked.model] if second or "verdict" in asked.tools else key.partition("/")[0]
        return self._talks[agent, f"{second}/{key}" if second else key, int(attempt["number"])]


def next_reply(talk: Talk, results: int) -> Said:
    """The reply that comes once so many tools have given something back."""
    for said in talk.replies:
        if results == 0:
            return said
        results -= sum(called.ok is not None for called in said.calls)
    raise AssertionError(f"{talk.path} has no reply any more")


def _say(said: Said) -> Say:
    calls = tuple(
        ToolCall(it.tool, it.arguments if isinstance(it.arguments, Mapping) else str(it.arguments)) for it in said.calls
    )
    return Say(said.says, calls)
