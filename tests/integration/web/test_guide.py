"""The Autopack guide's examples, over HTTP on loopback against one process that serves, and what they leave behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import guide
import pytest
from collector import Received
from outside_world import GATE, RUN, Outside, bus_server, patch_of, postgres_url, served_outside, until
from roster import run_git
from served import Served

from callboard.agents.workspace.patching import PatchVault
from callboard.launch.runs import outside_runs, runs
from callboard.web.app import create
from callboard.web.tokens import SCOPES, Tokens

COUNTS = {"curl": 12, "browser": 1, "python": 3}
"""Examples of the guide by what asks; its two Python blocks make three requests."""
ROUTES = (
    "GET /",
    "GET /health",
    "GET /docs",
    "GET /redoc",
    "POST /runs/start",
    "GET /runs/{run_id}",
    "POST /runs/{run_id}/phases/{phase_id}/update_status",
    "POST /runs/{run_id}/phases/{phase_id}/record_issue",
    "POST /runs/{run_id}/phases/{phase_id}/builder_result",
    "POST /runs/{run_id}/phases/{phase_id}/auditor_request",
    "POST /runs/{run_id}/phases/{phase_id}/auditor_result",
    "GET /runs/{run_id}/issues/index",
    "GET /runs/{run_id}/integration_status",
    "GET /project/issues/backlog",
    "GET /metrics/runs",
    "GET /metrics/tiers/{run_id}",
    "GET /reports/issue_backlog_summary",
    "GET /reports/budget_analysis",
    "GET /reports/run_summary/{run_id}",
)
"""The guide's list of endpoints."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def outside(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server_url: str
) -> Iterator[Outside]:
    """With a ledger of each kind in turn."""
    with ExitStack() as stack:
        bus_url, ledger_url = server_url, "embedded"
        if request.param == "postgres":
            bus_url, ledger_url = stack.enter_context(bus_server()).url, stack.enter_context(postgres_url())
        yield stack.enter_context(served_outside(tmp_path_factory.mktemp("guide") / "project", bus_url, ledger_url))


@pytest.fixture(scope="module")
def rules(outside: Outside, answers: dict[str, Any]) -> Outside:
    """The same, once the guide was asked through, with a run of its own."""
    outside.post("/runs/start", guide.start(RUN, phases=8), 201)
    return outside


# --- the guide as it stands ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(outside: Outside) -> dict[str, Any]:
    """Every request of the guide, one after the other, and what each was answered."""
    found: dict[str, Any] = {}
    for shown in guide.requests("run-001"):
        answer = outside.ask_as_shown(shown)
        assert answer.status == shown.status, (shown.name, answer.body)
        found[shown.name] = answer.body if shown.path in ("/docs", "/redoc") else answer.json
    return found


def test_every_example_and_every_route_of_the_guide_is_asked(outside: Outside) -> None:
    shown = guide.requests("run-001")
    assert Counter(one.by for one in shown if one.by != "list") == COUNTS
    asked = {next(route for route in ROUTES if _is_of(one, route)) for one in shown}
    assert asked == set(ROUTES)
    document = outside.get("/openapi.json")["paths"]
    listed = {f"{method.upper()} {path}" for path, methods in document.items() for method in methods}
    assert set(ROUTES) - listed == {"GET /docs", "GET /redoc"}


def _is_of(shown: guide.Shown, route: str) -> bool:
    method, _, path = route.partition(" ")
    pattern = re.sub(r"\{\w+\}", "[^/]+", path)
    return method == ("GET" if shown.body is None else "POST") and bool(
        re.fullmatch(pattern, shown.path.partition("?")[0])
    )


def test_the_ledger_is_where_it_was_asked_for(
    answers: dict[str, Any], outside: Outside, request: pytest.FixtureRequest
) -> None:
    """So that the tests below are about the database that they name."""
    is_file = (outside.workspace.root / ".callboard" / "ledger.db").exists()
    assert is_file is (request.node.callspec.params["outside"] == "sqlite")
    assert [run["run_id"] for run in answers["metrics"]] == ["run-001"]


def test_what_needs_no_token_tells_how_the_service_is(answers: dict[str, Any]) -> None:
    assert answers["health"]["status"] in ("ok", "warn")
    assert answers["health"]["parts"]["ledger"] == {"state": "ok", "text": "answers"}
    assert (answers["root"]["docs"], answers["root"]["health"]) == ("/docs", "/health")
    assert b"swagger-ui" in answers["docs"]
    assert b"redoc" in answers["redoc"]


def test_a_phase_that_was_moved_is_where_it_was_asked_to_be(answers: dict[str, Any]) -> None:
    assert (answers["moved"]["state"], answers["moved"]["counts"]) == ("EXECUTING", {"builder_attempts": 1})


def test_the_run_has_the_tier_and_the_phase_that_were_asked_for(answers: dict[str, Any]) -> None:
    run = answers["status"]
    assert (run["run_id"], run["state"], run["run_scope"]) == ("run-001", "PHASE_EXECUTION", "incremental")
    assert (run["token_cap"], run["max_phases"], run["safety_profile"]) == (5_000_000, 25, "normal")
    [tier], [phase] = run["tiers"], run["phases"]
    assert (tier["tier_id"], tier["name"], tier["phase_states"]) == ("T1", "Core Features", {"QUEUED": 1})
    assert (phase["state"], phase["task_category"], phase["complexity"], phase["builder_mode"]) == (
        "QUEUED",
        "feature_scaffolding",
        "medium",
        "compose",
    )


def test_the_literal_patch_is_stored_and_refused(answers: dict[str, Any], outside: Outside) -> None:
    built = answers["built"]
    assert built["intake"] == "refused (unreadable patch)"
    assert built["phase"]["state"] == "QUEUED"
    vault = PatchVault(outside.workspace.layout, outside.workspace.repository, "builder-run-001").vault
    kept = vault.read_blobs(vault.refs("refs/patches/run-001").values())
    assert b"diff --git a/src/auth.py ...\n" in kept.values()


def test_a_real_patch_lands_once_the_auditor_has_approved_it(answers: dict[str, Any], outside: Outside) -> None:
    assert answers["built_by_cursor"]["intake"] == "under way"
    assert answers["audit_asked"]["patch"].endswith('+    return "jwt"\n')
    assert answers["audited"]["verdict"]["counted"]
    until(lambda: outside.get("/runs/run-001")["state"] == "DONE_SUCCESS")
    status = outside.get("/runs/run-001/integration_status")
    assert [landed["phase_id"] for landed in status["landed"]] == ["P1.1"]
    text = run_git(outside.workspace.root, "show", f"{status['integration_branch']}:src/auth.py")
    assert "jwt" in text
    assert run_git(outside.workspace.root, "rev-parse", status["integration_branch"]) == status["head"]
    [done] = outside.get("/metrics/runs?status=DONE_SUCCESS")
    assert (done["run_id"], done["phase_states"]) == ("run-001", {"COMPLETE": 1})


def test_a_collector_is_told_what_happened_in_one_trace(answers: dict[str, Any], outside: Outside) -> None:
    def spans() -> list[Received]:
        return [span for span in outside.collector.spans if span.attributes["callboard.run"] == "run-001"]

    until(lambda: {span.name for span in spans()} >= {"task T-1", "gate T-1", "review T-1", "merge T-1"})
    [root] = [span for span in spans() if span.name == "task T-1"]
    assert {span.trace for span in spans()} == {root.trace}
    assert {span.parent for span in spans() if span.name.startswith(("gate", "review", "merge"))} == {root.id}


def test_the_issue_is_on_all_three_levels(answers: dict[str, Any]) -> None:
    key = "test_failure__auth_missing"
    [issue] = answers["index"]["issues"]
    assert (issue["issue_key"], issue["phases"], issue["sources"]) == (key, ["P1.1"], ["test"])
    assert issue["evidence_refs"] == ["tests/test_auth.py::test_jwt_validation"]
    assert [one["issue_key"] for one in answers["backlog"]["issues"]] == [key]
    assert answers["status"]["minor_issues"] == 0
    assert answers["summary"]["run"]["minor_issues"] == 1


def test_reports_say_what_was_used(answers: dict[str, Any]) -> None:
    assert answers["done"] == []
    [metrics], [tier] = answers["metrics"], answers["tiers"]
    assert (metrics["run_id"], metrics["tokens_used"], metrics["token_utilization"]) == ("run-001", 15_000, 0.003)
    assert (tier["tier_id"], tier["phase_count"], tier["phase_states"]) == ("T1", 1, {"QUEUED": 1})
    assert tier["cleanliness"] in ("clean", "not_clean")
    assert answers["budget"] == {
        "runs": 1,
        "tokens_used": 15_000,
        "usd": 0.0,
        "unpriced_calls": 1,
        "over": [],
    }
    assert answers["backlog_summary"]["by_category"] == {"test_failure": 1}
    assert answers["summary"]["phases"][0]["phase_id"] == "P1.1"


# --- rules -----------------------------------------------------------------------------------------


def test_a_run_id_is_used_once(rules: Outside) -> None:
    assert "exists already" in rules.ask("/runs/start", guide.start(RUN)).problem


def test_two_runs_live_side_by_side_and_no_launch_goes_on_with_one(rules: Outside) -> None:
    assert {"run-001", RUN} <= set(outside_runs(rules.workspace.repository))
    assert runs(rules.workspace.repository) == []


CLOSED = [
    ("run", "safety_profile", "reckless"),
    ("phases", "complexity", "enormous"),
    ("run", "run_id", "../x"),
    ("phases", "tier_id", "T9"),
    ("phases", "driver", "senior"),
    ("run", "colour", "red"),
    ("run", "max_phases", 0),
]


@pytest.mark.parametrize(("part", "field", "value"), CLOSED)
def test_what_is_closed_is_422_and_starts_nothing(outside: Outside, part: str, field: str, value: object) -> None:
    body = guide.start("r-422")
    (body[part] if part == "run" else body[part][0])[field] = value
    answer = outside.ask("/runs/start", body)
    assert answer.status == 422
    assert field in answer.problem or "T9" in answer.problem
    assert outside.ask("/runs/r-422").status == 404


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("builder_result", guide.built(RUN, status="perfect")),
        ("builder_result", guide.built("other")),
        ("auditor_result", guide.audited(RUN, "maybe")),
        ("auditor_result", guide.audited(RUN, confidence="total")),
        ("auditor_result", guide.audited(RUN, phase_id="P9")),
        ("auditor_request", guide.audit_asked(RUN) | {"tier_id": "T7"}),
        ("record_issue", guide.issue() | {"severity": "huge"}),
        ("record_issue", guide.issue() | {"issue_key": "Not A Key"}),
        ("update_status", {"state": "PERFECT"}),
        ("update_status", {"state": "SKIPPED", "tokens_used": "many"}),
    ],
)
def test_words_that_are_closed_and_ids_that_differ_are_422(rules: Outside, route: str, body: dict[str, Any]) -> None:
    assert rules.ask(f"/runs/{RUN}/phases/P1.1/{route}", body).status == 422
    assert rules.phase("P1.1")["state"] == "QUEUED"


def test_an_unknown_status_is_400_and_what_is_not_there_404(rules: Outside) -> None:
    unknown = rules.ask("/metrics/runs?status=DONE")
    assert (unknown.status, "DONE_SUCCESS" in unknown.problem) == (400, True)
    assert rules.ask("/runs/nowhere").status == 404
    assert rules.ask(f"/runs/{RUN}/phases/P9/update_status", {"state": "SKIPPED"}).status == 404


def test_each_route_needs_its_scope(rules: Outside) -> None:
    tokens = Tokens(rules.workspace.layout.tokens)
    asked = [shown for shown in guide.requests(RUN) if shown.path not in guide.OPEN]
    for scope in ("read", "operate", "agent"):
        token = tokens.create(f"not-{scope}", [one for one in SCOPES if one != scope])[0]
        for shown in asked:
            if _scope(shown) == scope:
                assert rules.served.ask(shown.path, token, body=shown.body).status == 403, shown
                assert rules.served.ask(shown.path, body=shown.body).status == 401, shown


def _scope(shown: guide.Shown) -> str:
    if shown.body is None:
        return "read"
    return "operate" if shown.name in ("start", "moved") else "agent"


def test_legal_moves_are_made_and_illegal_ones_name_both_states(rules: Outside) -> None:
    path = f"/runs/{RUN}/phases/P1.2/update_status"
    assert rules.post(path, {"state": "EXECUTING", "builder_attempts": 2})["counts"] == {"builder_attempts": 2}
    refused = rules.ask(path, {"state": "COMPLETE"})
    assert (refused.status, refused.json["state"], refused.json["requested"]) == (409, "EXECUTING", "COMPLETE")
    assert rules.post(path, {"state": "QUEUED"})["state"] == "QUEUED"


def test_a_run_whose_last_phase_failed_has_failed_and_says_why(rules: Outside) -> None:
    rules.post("/runs/start", guide.start("run-003"), 201)
    rules.post("/runs/run-003/phases/P1.1/update_status", {"state": "FAILED"})
    assert rules.get("/runs/run-003")["state"] == "DONE_FAILED_REQUIRES_HUMAN_REVIEW"
    failed = rules.get("/metrics/runs?status=DONE_FAILED_REQUIRES_HUMAN_REVIEW")
    assert [one["run_id"] for one in failed] == ["run-003"]


def test_intake_judges_the_tree_that_a_patch_makes(rules: Outside) -> None:
    rules.hand_in("P1.3", patch_of("P1.3", "sub/.gitattributes"))
    until(lambda: rules.phase("P1.3")["intake"] == "refused (protected sub/.gitattributes)")
    assert rules.phase("P1.3")["state"] == "QUEUED"


def test_claims_are_compared_with_what_the_gate_finds(rules: Outside) -> None:
    probe = {"probe_type": GATE, "exit_code": 0}
    rules.hand_in("P1.4", patch_of("P1.4", "broken"), probe_results=[probe])
    until(lambda: rules.phase("P1.4")["state"] == "QUEUED")
    differs = rules.phase("P1.4")["claims_differ"]
    assert "`src/auth.py` was named and is not changed" in differs
    assert "it was called a success, and the gate is red" in differs
    assert any("was said to exit 0, and exited 1" in text for text in differs)


def test_a_revision_counts_with_a_finding_whose_quote_stands(rules: Outside) -> None:
    rules.hand_in("P1.5", patch_of("P1.5"))
    finding = {"severity": "major", "file": "src/P1.5.py", "line": 2, "quote": "no such text", "scenario": "it leaks"}
    assert not rules.audit("P1.5", "revise")["verdict"]["counted"]
    assert not rules.audit("P1.5", "revise", findings=[finding])["verdict"]["counted"]
    assert rules.phase("P1.5")["state"] == "GATE"
    assert rules.audit("P1.5", "revise", findings=[finding | {"quote": 'return "jwt"'}])["verdict"]["counted"]
    until(lambda: rules.phase("P1.5")["state"] == "QUEUED")


def test_a_suggested_patch_is_a_phase_of_its_own_that_its_author_cannot_approve(rules: Outside) -> None:
    rules.hand_in("P1.6", patch_of("P1.6"))
    suggested = {"description": "name it", "patch_content": patch_of("P1.6", "src/names.py")}
    unreadable = {"description": "guess", "patch_content": "diff"}
    answer = rules.audit("P1.6", suggested_patches=[suggested, unreadable])
    assert [phase["phase_id"] for phase in answer["suggested"]] == ["P1.6.A1", "P1.6.A2"]
    assert answer["suggested"][1]["intake"] == "refused (unreadable patch)"
    assert not rules.audit("P1.6.A1")["verdict"]["counted"]
    until(lambda: bool(rules.phase("P1.6.A1")["blocked_by"]))


def test_words_that_are_free_are_kept_as_they_were_given(rules: Outside) -> None:
    run, odd = "run-005", "Größe & <Scope>/v2"
    asked = guide.start(run)
    asked["run"] |= {"run_scope": odd}
    asked["phases"][0] |= {"task_category": odd, "builder_mode": odd}
    shown = rules.post("/runs/start", asked, 201)
    [phase] = shown["phases"]
    assert (shown["run_scope"], phase["task_category"], phase["builder_mode"]) == (odd, odd, odd)
    words = {"issue_key": "odd", "category": odd, "source": odd, "task_category": odd}
    rules.post(f"/runs/{run}/phases/P1.1/record_issue", guide.issue() | words)
    [issue] = rules.get(f"/runs/{run}/issues/index")["issues"]
    assert (issue["category"], issue["sources"], issue["task_categories"]) == (odd, [odd], [odd])


def test_a_run_that_has_used_its_tokens_waits_for_people_and_is_named_with_its_cap(rules: Outside) -> None:
    """Beside its patch, which is none, the builder suggests an issue."""
    asked = guide.start("run-006")
    rules.post("/runs/start", asked | {"run": asked["run"] | {"token_cap": 1_000}}, 201)
    phase = "/runs/run-006/phases/P1.1"
    body = guide.built("run-006", suggested_issues=[{"issue_key": "seen", "category": "docs"}])
    assert rules.post(f"{phase}/builder_result", body)["phase"]["state"] == "QUEUED"
    assert "driver__docs_seen" in [one["issue_key"] for one in rules.get("/runs/run-006/issues/index")["issues"]]
    until(lambda: rules.get("/runs/run-006")["paused_for"] == "budget")
    assert rules.get("/runs/run-006")["state"] == "PHASE_EXECUTION"
    assert rules.ask(f"{phase}/update_status", {"state": "EXECUTING"}).status == 409
    [over] = rules.get("/reports/budget_analysis")["over"]
    assert (over["run_id"], over["state"]) == ("run-006", "PHASE_EXECUTION")
    assert {"what": "tokens", "used": 15_000.0, "cap": 1_000.0, "over": True} in over["caps"]


def test_an_old_verdict_says_nothing_of_a_newer_hand_in(rules: Outside) -> None:
    """Attack 20: a verdict is replayed; one that names no commit, its wall off, is about whatever is there now."""
    rules.hand_in("P1.8", patch_of("P1.8"))
    asked = guide.audit_asked(RUN) | {"phase_id": "P1.8"}
    seen = rules.post(f"/runs/{RUN}/phases/P1.8/auditor_request", asked)["commit"]
    finding = {"severity": "major", "file": "src/P1.8.py", "line": 2, "quote": 'return "jwt"', "scenario": "it leaks"}
    assert rules.audit("P1.8", "revise", commit=seen, findings=[finding])["verdict"]["counted"]
    until(lambda: rules.phase("P1.8")["state"] == "QUEUED")
    rules.hand_in("P1.8", patch_of("P1.8", "src/newer.py"))
    replayed = rules.audit("P1.8", commit=seen)["verdict"]
    assert (replayed["counted"], replayed["commit"]) == (False, seen)
    assert "another hand-in" in replayed["why_not"]
    assert rules.audit("P1.8")["verdict"]["counted"]


def test_what_is_repeated_under_its_key_is_done_once_also_when_no_answer_was_kept(rules: Outside) -> None:
    """As after a kill between what was done and its answer: only the bus knows of it."""
    start, phase = guide.start("run-004"), "/runs/run-004/phases/P1.1"
    for path, body, status in (
        ("/runs/start", start, 201),
        (f"{phase}/record_issue", guide.issue(), 200),
        (f"{phase}/builder_result", guide.built("run-004"), 200),
    ):
        for _ in range(2):
            answer = rules.ask(path, body, headers={"Idempotency-Key": "k"})
            assert answer.status == status, answer.body
            for kept in (rules.workspace.layout.tokens.parent / "answers").glob("*.json"):
                kept.unlink()
    [issue] = rules.get("/runs/run-004/issues/index")["issues"]
    [before] = rules.get("/runs/run-001/issues/index")["issues"]
    assert (issue["count"], rules.phase("P1.1", "run-004")["builder_attempts"]) == (before["count"] + 1, 1)
    assert rules.ask("/runs/start", start, headers={"Idempotency-Key": "another"}).status == 409


def test_an_issue_that_nobody_mends_grows_older_with_each_run_until_it_needs_cleaning_up(rules: Outside) -> None:
    def stale(found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
        said = ("age_in_runs", "severity", "count", "first_run", "needs_cleanup")
        return [tuple(one[key] for key in said) for one in found if one["issue_key"] == "stale__import"]

    rules.post(f"/runs/{RUN}/phases/P1.1/record_issue", guide.issue() | {"issue_key": "stale__import"})
    for age, severity in ((1, "minor"), (2, "minor"), (3, "minor"), (4, "major")):
        rules.post("/runs/start", guide.start(f"{RUN}-later-{age}"), 201)
        summary = rules.get("/reports/issue_backlog_summary")
        row = (age, severity, 1, RUN, severity == "major")
        assert stale(summary["top_aging"]) == [row]
        assert stale(summary["needs_cleanup"]) == ([row] if severity == "major" else [])
    assert stale(rules.get("/project/issues/backlog")["issues"]) == [row]
    for age in range(1, 5):
        rules.post(f"/runs/{RUN}-later-{age}/phases/P1.1/update_status", {"state": "SKIPPED"})


def test_a_run_goes_on_after_whoever_serves_it_was_started_again(rules: Outside) -> None:
    rules.hand_in("P1.7", patch_of("P1.7"))
    rules.served.stop()
    rules.served = Served(create(rules.workspace))
    rules.audit("P1.7")
    until(lambda: bool(rules.phase("P1.7")["landed"]))
