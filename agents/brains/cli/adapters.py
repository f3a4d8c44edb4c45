"""The agent CLIs that Callboard knows how to talk to."""

from __future__ import annotations

from collections.abc import Mapping

from callboard.agents.brains.cli.adapter import Adapter
from callboard.agents.brains.cli.aider import AIDER
from callboard.agents.brains.cli.claude import CLAUDE
from callboard.agents.brains.cli.codex import CODEX
from callboard.agents.brains.cli.opencode import OPENCODE
from callboard.agents.brains.cli.qwen import QWEN

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in (CLAUDE, CODEX, OPENCODE, QWEN, AIDER)}
"""In the order in which `init` prefers them: the first four say when they are done, and what they used."""
