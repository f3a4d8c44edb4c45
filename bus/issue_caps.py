"""How many issues, gate runs and tasks of their own making a run and its tiers may have, and when an issue is old."""

from __future__ import annotations

from typing import Literal

from callboard.bus.task import Fact

Safety = Literal["normal", "safety_critical"]
"""A run's safety profile."""


class IssueLimits(Fact):
    """What `[issues]` says. The numbers are the design's ("Issues and debt")."""

    run_minors_per_task: int = 3
    """Minor issues that a run may have: this times its tasks."""
    tier_minors_per_task: int = 2
    critical_tier_minors_per_task: int = 1
    """The same of a tier in a safety-critical run."""
    critical_tier_majors: int = 0
    """Major issues that a tier of a safety-critical run may have; else they are not capped."""
    old_after_runs: int = 3
    """A minor issue that is older than so many runs counts as major."""
    old_after_tiers: int = 2
    """The same, older than so many tiers."""
    clean_up_by: str = ""
    """The driver that gets a task for each issue that has become too old; "" = nobody does."""

    def tier_minors(self, safety: Safety, tasks: int) -> int:
        each = self.critical_tier_minors_per_task if safety == "safety_critical" else self.tier_minors_per_task
        return each * tasks

    def tier_majors(self, safety: Safety) -> int | None:
        """None = not capped."""
        return self.critical_tier_majors if safety == "safety_critical" else None

    def is_old(self, runs: int, tiers: int) -> bool:
        return runs > self.old_after_runs or tiers > self.old_after_tiers
