"""What intake asks of a hand-in: limits, places nobody but people may write, what people have permitted."""

from __future__ import annotations

from dataclasses import dataclass

from callboard.agents.workspace.checkout import plain_parts
from callboard.bus.known_secrets import KnownSecrets
from callboard.bus.task import Permit


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
    copied: tuple[str, ...] = ()
    """Files of the user's checkout that clones get a copy of."""

    def names(self, path: str) -> bool:
        """Whether an agent's product may never change this path."""
        *folder, name = parts = plain_parts(path)
        feedback = [*plain_parts(self.feedback)]
        markdown_in = [[*plain_parts(self.directions)], [*plain_parts(self.roles)], feedback]
        archive = [*feedback, "archive"]
        return (
            parts == plain_parts(self.config)
            or (name.endswith(".md") and folder in markdown_in)
            or name in (".gitmodules", ".gitattributes")
            or parts[0] == ".callboard"
            or any(parts[: len(copy)] == copy for copy in map(plain_parts, self.copied))
            or folder[: len(archive)] == archive
        )


NOTHING_KNOWN = KnownSecrets()


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What is asked of one hand-in."""

    paths: tuple[str, ...] = ()
    """Globs of the task; empty = the whole product."""
    limits: IntakeLimits = IntakeLimits()
    protected: ProtectedPaths = ProtectedPaths()
    permits: tuple[Permit, ...] = ()
    """What a person let through."""
    known: KnownSecrets = NOTHING_KNOWN
    """Values that the workspace was given."""

    def permit(self, path: str, blob: str) -> bool:
        """Whether a person let this path through with these contents."""
        return any(permit.path == path and permit.blob in ("", blob) for permit in self.permits)


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
"""Files and folders whose contents a build server, or git, runs; only by name, and when a person permits it."""

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
