"""What these routes take. Categories, modes and sources are free text; a field that nobody knows is an error."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from callboard.bus.issue_caps import Safety
from callboard.bus.issues import Severity
from callboard.bus.outside import BuilderStatus, Complexity, Confidence, Recommendation
from callboard.bus.outside_messages import PhaseMove


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""7.0 is 7 to JSON Schema. It stands behind the bounds: in front of them the document would lack them."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=48)]
"""Becomes part of refs, keys and file names; `P1.1` and `run-001` are such."""
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=20_000)]
Count = Annotated[int, Field(ge=0, le=10**12), WHOLE]
Path = Annotated[str, Field(max_length=4_096)]
References = Annotated[list[Short], Field(max_length=100)]
Patch = Annotated[str, Field(max_length=2_000_000, description="A unified diff against the integration branch.")]


class Asked(BaseModel):
    """Strict: `"7"` and `true` are no numbers, as the OpenAPI document has it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RunAsked(Asked):
    """A run. What is not said is as callboard.toml has it."""

    run_id: Id
    safety_profile: Safety = "normal"
    run_scope: Short = ""
    token_cap: Annotated[int, Field(ge=1, le=10**12), WHOLE] | None = None
    max_phases: Annotated[int, Field(ge=1, le=1_000), WHOLE] = 25


class TierAsked(Asked):
    tier_id: Id
    tier_index: Annotated[int, Field(ge=0, le=10_000), WHOLE] = 0
    name: Short = ""
    description: Long = ""


class PhaseAsked(Asked):
    phase_id: Id
    phase_index: Annotated[int, Field(ge=0, le=10_000), WHOLE] = 0
    tier_id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Long = ""
    task_category: Short = ""
    complexity: Complexity = "medium"
    builder_mode: Short = ""
    driver: Annotated[
        str, Field(max_length=100, description="A driver of the launched roster, which then does it; else the builder.")
    ] = ""


class StartAsked(Asked):
    """A run with its tiers and phases."""

    run: RunAsked
    tiers: Annotated[list[TierAsked], Field(max_length=1_000)] = []
    phases: Annotated[list[PhaseAsked], Field(max_length=1_000)] = []

    @model_validator(mode="after")
    def _fits(self) -> Self:
        tiers, phases = [tier.tier_id for tier in self.tiers], [phase.phase_id for phase in self.phases]
        if twice := _twice(tiers) or _twice(phases):
            raise ValueError(f"{twice} is there twice")
        if unknown := next((phase for phase in self.phases if phase.tier_id not in tiers), None):
            raise ValueError(f"phase {unknown.phase_id} is of tier {unknown.tier_id}, which is not among the tiers")
        if len(phases) > self.run.max_phases:
            raise ValueError(f"{len(phases)} phases are more than max_phases, {self.run.max_phases}")
        return self


def _twice(ids: list[str]) -> str:
    return next((id for n, id in enumerate(ids) if id in ids[:n]), "")


class MoveAsked(BaseModel):
    """A phase's next state, and counts to keep with it: any other field is one of them."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, Count] = Field(init=False)

    state: PhaseMove


class IssueAsked(Asked):
    issue_key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")]
    severity: Severity
    source: Short = ""
    category: Short = ""
    task_category: Short = ""
    complexity: Complexity = "medium"
    evidence_refs: References = []
    description: Short = ""


class Probe(Asked):
    """A command that the builder ran itself."""

    probe_type: Annotated[str, Field(min_length=1, max_length=200, description="Its command, or what it is called.")]
    exit_code: Annotated[int, Field(ge=-255, le=255), WHOLE]
    stdout: Long = ""
    stderr: Long = ""
    duration_seconds: Annotated[float, Field(ge=0, le=10**6)] = 0


class SuggestedIssue(Asked):
    issue_key: Short
    severity: Severity = "minor"
    source: Short = ""
    category: Short = ""
    evidence_refs: References = []
    description: Short = ""


class BuilderAsked(Asked):
    """What a builder made of a phase."""

    phase_id: Id
    run_id: Id
    patch_content: Patch = ""
    files_changed: Annotated[list[Path], Field(max_length=10_000)] = []
    lines_added: Count = 0
    lines_removed: Count = 0
    builder_attempts: Count = 1
    tokens_used: Count = 0
    duration_minutes: Annotated[float, Field(ge=0, le=10**6)] = 0
    probe_results: Annotated[list[Probe], Field(max_length=100)] = []
    suggested_issues: Annotated[list[SuggestedIssue], Field(max_length=20)] = []
    status: BuilderStatus
    notes: Long = ""


class AuditAsked(Asked):
    phase_id: Id
    run_id: Id
    tier_id: Id
    review_focus: Short = ""
    auditor_profile: Short = ""


class FindingAsked(Asked):
    """One thing that the auditor found; a quote counts only where it stands in what was handed in."""

    severity: Severity
    requirement: Short = ""
    file: Path = ""
    line: Annotated[int, Field(ge=0, le=10**7), WHOLE] = 0
    quote: Long = ""
    scenario: Long = ""


class PatchSuggested(Asked):
    description: Annotated[str, Field(min_length=1, max_length=200)]
    patch_content: Patch
    files_changed: Annotated[list[Path], Field(max_length=10_000)] = []


class AuditorAsked(Asked):
    """An auditor's verdict on what is handed in."""

    phase_id: Id
    run_id: Id
    review_notes: Long = ""
    commit: Annotated[
        str, Field(max_length=64, description="What was judged, as the answer to auditor_request names it.")
    ] = ""
    recommendation: Recommendation
    confidence: Confidence = "medium"
    findings: Annotated[list[FindingAsked], Field(max_length=100)] = []
    issues_found: Annotated[list[SuggestedIssue], Field(max_length=20)] = []
    suggested_patches: Annotated[list[PatchSuggested], Field(max_length=10)] = []
    auditor_attempts: Count = 1
    tokens_used: Count = 0
