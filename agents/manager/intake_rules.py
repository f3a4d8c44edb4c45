"""What intake asks of a hand-in: limits, places nobody but people may write, shapes of secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much one hand-in may hold."""

    blob_bytes: int = 10_000_000
    total_bytes: int = 100_000_000
    files: int = 2_000


@dataclass(frozen=True, slots=True)
class ProtectedPaths:
    """The files that Callboard reads or writes, at their configured places."""

    config: str = "callboard.toml"
    directions: str = "directions"
    roles: str = "roles"
    feedback: str = "feedback"

    def names(self, path: str) -> bool:
        """Whether an agent's product may never change this path."""
        folder, _, name = path.casefold().rpartition("/")
        markdown_in = {self.directions.casefold(), self.roles.casefold(), self.feedback.casefold()}
        return (
            path.casefold() == self.config.casefold()
            or (name.endswith(".md") and folder in markdown_in)
            or name in (".gitmodules", ".gitattributes")
            or path.casefold().startswith((".callboard/", f"{self.feedback.casefold()}/archive/"))
        )


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What is asked of one hand-in."""

    paths: tuple[str, ...] = ()
    """Globs of the task; empty = the whole product."""
    limits: IntakeLimits = IntakeLimits()
    protected: ProtectedPaths = ProtectedPaths()


CI = (
    ".github",
    ".gitlab-ci.yml",
    ".gitlab",
    ".circleci",
    ".travis.yml",
    ".buildkite",
    ".drone.yml",
    ".woodpecker",
    ".woodpecker.yml",
    ".forgejo",
    ".gitea",
    ".ci",
    ".pre-commit-config.yaml",
    ".husky",
    ".githooks",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
    "appveyor.yml",
)
"""Files and folders whose contents a build server, or git, runs; only by name."""

AGENT_CONFIGURATION = (
    ".claude",
    ".cursor",
    ".codex",
    ".gemini",
    ".qwen",
    ".opencode",
    ".continue",
    ".windsurf",
    ".aider.conf.yml",
    ".clinerules",
    ".cursorrules",
    ".windsurfrules",
    ".mcp.json",
    "opencode.json",
    "AGENTS.md",
    "CLAUDE.md",
    "GEMINI.md",
    "QWEN.md",
)
"""Files and folders that steer coding agents, in any folder; only by name."""

SECRETS = {
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "an AWS access key": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b"),
    "a GitLab token": re.compile(rb"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(rb"\bxox[abeoprs]-[A-Za-z0-9-]{20,}"),
    "a Stripe key": re.compile(rb"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    "an Anthropic key": re.compile(rb"\bsk-ant-[A-Za-z0-9_-]{24,}"),
    "an OpenAI key": re.compile(rb"\bsk-(?:proj-)?[A-Za-z0-9_-]{40,}"),
    "a Google key": re.compile(rb"\bAIza[A-Za-z0-9_-]{35}\b"),
    "a PyPI token": re.compile(rb"\bpypi-AgEI[A-Za-z0-9_-]{50,}"),
    "an npm token": re.compile(rb"\bnpm_[A-Za-z0-9]{36}\b"),
}
"""Shapes that their issuers document; entropy is not guessed at."""
