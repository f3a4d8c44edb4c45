"""`[issues]`: how many issues a run and its tiers may have, when one is old, and who cleans up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from callboard.agents.settings import Table
from callboard.bus.issue_caps import IssueLimits

_PLAIN = IssueLimits()

PerTask = Annotated[int, Field(ge=0, le=1_000)]
"""Times the number of tasks."""
Age = Annotated[int, Field(ge=0, le=1_000)]


class IssueSettings(Table):
    """`[issues]`"""

    run_minors_per_task: PerTask = _PLAIN.run_minors_per_task
    """Minor issues that a run may have and be promoted."""
    tier_minors_per_task: PerTask = _PLAIN.tier_minors_per_task
    """Minor issues that a tier may have and be clean."""
    critical_tier_minors_per_task: PerTask = _PLAIN.critical_tier_minors_per_task
    """The same of a tier in a safety-critical run."""
    critical_tier_majors: PerTask = _PLAIN.critical_tier_majors
    """Major issues that a tier in a safety-critical run may have, all its tasks together."""
    old_after_runs: Age = _PLAIN.old_after_runs
    """A minor issue older than so many runs counts as major."""
    old_after_tiers: Age = _PLAIN.old_after_tiers
    """The same, older than so many tiers."""
    clean_up_by: str = _PLAIN.clean_up_by
    """The driver that gets a task for each issue that has become too old; "" = nobody does."""

    @property
    def limits(self) -> IssueLimits:
        return IssueLimits.model_validate(self.model_dump())
