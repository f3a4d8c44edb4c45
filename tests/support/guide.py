"""The requests that the Autopack guide shows, as data: what is asked for, where, with which body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

PATCH = """diff --git a/src/auth.py b/src/auth.py
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/src/auth.py
@@ -0,0 +1,2 @@
+def token():
+    return "jwt"
"""
"""What the guide's literal patch stands for."""


By = Literal["curl", "python", "browser", "list"]
"""With what the guide asks: a curl command, a Python example, a page to be opened; or its list of endpoints has it alone."""


@dataclass(frozen=True)
class Shown:
    """One request of the guide."""

    name: str
    path: str
    body: Mapping[str, Any] | None = None
    by: By = "curl"
    status: int = 200

    @property
    def text(self) -> str:
        """The body as it is sent; "" = it is asked with GET."""
        return "" if self.body is None else json.dumps(self.body)


def requests(run: str) -> list[Shown]:
    """All of them, in the order in which the guide shows them; what its list alone has stands where it makes sense."""
    phase = f"/runs/{run}/phases/P1.1"
    return [
        Shown("health", "/health"),
        Shown("docs", "/docs", by="browser"),
        Shown("root", "/", by="list"),
        Shown("redoc", "/redoc", by="list"),
        Shown("start", "/runs/start", start(run), status=201),
        Shown("status", f"/runs/{run}"),
        Shown("issue", f"{phase}/record_issue", issue()),
        Shown("moved", f"{phase}/update_status", {"state": "EXECUTING", "builder_attempts": 1}, by="list"),
        Shown("built", f"{phase}/builder_result", built(run)),
        Shown("metrics", "/metrics/runs"),
        Shown("done", "/metrics/runs?status=DONE_SUCCESS"),
        Shown("tiers", f"/metrics/tiers/{run}"),
        Shown("backlog_summary", "/reports/issue_backlog_summary"),
        Shown("budget", "/reports/budget_analysis"),
        Shown("summary", f"/reports/run_summary/{run}"),
        Shown("index", f"/runs/{run}/issues/index", by="list"),
        Shown("backlog", "/project/issues/backlog", by="list"),
        Shown("built_by_cursor", f"{phase}/builder_result", built_by_program(run), by="python"),
        Shown("audit_asked", f"{phase}/auditor_request", audit_asked(run), by="python"),
        Shown("audited", f"{phase}/auditor_result", audited(run), by="python"),
        Shown("integration", f"/runs/{run}/integration_status"),
    ]


OPEN = ("/health", "/docs", "/", "/redoc")
"""What needs no token."""


def start(run: str, phases: int = 1) -> dict[str, Any]:
    """As the guide starts one; with more phases than it has, they are P1.1, P1.2, ..."""
    asked = _start(run)
    [first] = asked["phases"]
    more = [first | {"phase_id": f"P1.{n + 1}", "phase_index": n} for n in range(phases)]
    return asked | {"phases": more}


def _start(run: str) -> dict[str, Any]:
    return {
        "run": {
            "run_id": run,
            "safety_profile": "normal",
            "run_scope": "incremental",
            "token_cap": 5_000_000,
            "max_phases": 25,
        },
        "tiers": [
            {
                "tier_id": "T1",
                "tier_index": 0,
                "name": "Core Features",
                "description": "Tier 1: Core feature implementation",
            }
        ],
        "phases": [
            {
                "phase_id": "P1.1",
                "phase_index": 0,
                "tier_id": "T1",
                "name": "Implement user authentication",
                "description": "Add JWT-based authentication",
                "task_category": "feature_scaffolding",
                "complexity": "medium",
                "builder_mode": "compose",
            }
        ],
    }


def issue() -> dict[str, Any]:
    return {
        "issue_key": "test_failure__auth_missing",
        "severity": "minor",
        "source": "test",
        "category": "test_failure",
        "task_category": "feature_scaffolding",
        "complexity": "medium",
        "evidence_refs": ["tests/test_auth.py::test_jwt_validation"],
    }


def built(run: str, patch: str = "diff --git a/src/auth.py ...", **values: Any) -> dict[str, Any]:
    return {
        "phase_id": "P1.1",
        "run_id": run,
        "patch_content": patch,
        "files_changed": ["src/auth.py"],
        "lines_added": 45,
        "lines_removed": 12,
        "builder_attempts": 1,
        "tokens_used": 15_000,
        "duration_minutes": 2.5,
        "status": "success",
        "notes": "Implemented JWT authentication with refresh tokens",
        **values,
    }


def built_by_program(run: str) -> dict[str, Any]:
    """The guide's Python example: fewer fields, and a real diff."""
    said = built(run, PATCH)
    return {key: said[key] for key in said if not key.startswith(("lines", "duration", "notes"))}


def audit_asked(run: str) -> dict[str, Any]:
    return {
        "phase_id": "P1.1",
        "run_id": run,
        "tier_id": "T1",
        "review_focus": "security",
        "auditor_profile": "schema_review",
    }


def audited(run: str, says: str = "approve", **values: Any) -> dict[str, Any]:
    return {
        "phase_id": "P1.1",
        "run_id": run,
        "review_notes": "Security review complete",
        "recommendation": says,
        "confidence": "high",
        **values,
    }
