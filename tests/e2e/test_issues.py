"""Issues, tiers, the gate by hand and promotion, in one launched roster and the run after it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from roster import Workspace, run_git, task

DRIVER = """
import json, pathlib, sys
job = json.load(sys.stdin)
path = pathlib.Path(job["spec"]["fields"]["Writes"])
path.write_text(job["spec"]["title"])
issue = {"title": "the old code is odd", "category": "debt", "evidence": ["README:1"]}
print(json.dumps({"status": "done", "notes": "n", "issues": [issue]}))
"""
REVIEWER = """
import json, sys
job = json.load(sys.stdin)
finding = {"severity": "minor", "file": "a.txt", "line": 1, "quote": "Write a", "scenario": "it is short"}
findings = [finding] if job["agent"] == "senior" and "a.txt" in job["diff"] else []
print(json.dumps({"vote": "approved", "findings": findings, "notes": ""}))
"""
LINT = "grep -n Write a.txt /dev/null && exit 1 || true"


def read(workspace: Workspace, *args: str) -> tuple[int, Any]:
    answered = workspace.call(*args, "--json")
    assert answered.stdout, answered.stderr
    return answered.returncode, json.loads(answered.stdout)


def keys(found: dict[str, Any]) -> list[str]:
    return sorted(issue["key"] for issue in found["issues"])


@pytest.mark.long
def test_what_stops_nothing_is_kept_from_run_to_run(tmp_path: Path) -> None:
    brain = tmp_path / "driver.py"
    brain.write_text(DRIVER)
    made = Workspace(
        tmp_path / "project",
        extra=f"gate_strict = ['test -e more']\nlint = [{LINT!r}]",
        drivers={"driver-1": f"{sys.executable} {brain}"},
    )
    made.init({"driver-1": task("1 - Write a", Writes="a.txt", Tier="core", Category="docs")})
    (tmp_path / "project-brains" / "reviewer.py").write_text(REVIEWER)
    try:
        code, said = made.launch("--goal", "a file", "--safety", "safety_critical")
        assert code == 0, said
        look(made)
        the_gate_by_hand(made)
        promotion(made)
        files(made, tmp_path / "out")
        the_next_run(made)
    finally:
        made.stop_everything()


def look(made: Workspace) -> None:
    _, found = read(made, "issues")
    by_source = {issue["sightings"][0]["source"]: issue for issue in found["issues"]}
    assert set(by_source) == {"driver", "review", "lint"}
    assert by_source["review"]["title"] == "it is short"
    assert by_source["lint"]["sightings"][0]["evidence"] == ["a.txt:1"]
    [tier] = found["tiers"]
    assert (tier["name"], tier["minors"], tier["minors_cap"], tier["cleanliness"]) == ("core", 3, 1, "not_clean")
    _, status = read(made, "status")
    assert (status["run"]["goal"], status["run"]["safety"]) == ("a file", "safety_critical")


def the_gate_by_hand(made: Workspace) -> None:
    code, found = read(made, "gate", "T-1")
    assert (code, found["verdict"], found["profile"]) == (0, "green", "normal")
    code, found = read(made, "gate", "--head", "--profile", "strict")
    assert (code, found["verdict"], found["commands"][-1]["command"]) == (1, "red", "test -e more")
    told = made.call("gate", "--head")
    assert (told.returncode, "test -e README -> 0" in told.stderr) == (0, True), told.stderr


def unmet_by_the_log_branch(made: Workspace) -> list[str]:
    """What its page of the run says stands in the way of promotion."""
    run = made.integration().rpartition("/")[2]
    page = run_git(made.path, "show", f"manager/log:runs/{run}.md").splitlines()
    assert f"- commit: `{run_git(made.path, 'rev-parse', made.integration())}`" in page
    return [line for line in page if line.startswith("- not met: ")]


def promotion(made: Workspace) -> None:
    [unclean] = unmet_by_the_log_branch(made)
    assert "every tier is clean: tier core is not clean: 3 minor issues are open, 1 may be" in unclean
    code, found = read(made, "promote", "--check")
    unmet = [row["condition"] for row in found["conditions"] if not row["met"]]
    assert (code, found["eligible"], unmet) == (1, False, ["every tier is clean"])
    refused = made.call("promote")
    assert (refused.returncode, "3 minor issues are open, 1 may be" in refused.stderr) == (1, True)
    _, listed = read(made, "issues")
    for key in [issue["key"] for issue in listed["issues"] if issue["sightings"][0]["source"] != "driver"]:
        assert made.call("issues", "close", key, "--reason", "seen to").returncode == 0
    added = made.call("issues", "add", "the docs are thin", "--key", "docs", "--evidence", "README")
    assert added.stdout.strip() == "issue docs is kept, minor"
    assert read(made, "promote", "--check")[0] == 0
    assert unmet_by_the_log_branch(made) == []
    assert made.call("promote").returncode == 0
    assert run_git(made.path, "rev-parse", "main") == run_git(made.path, "rev-parse", made.integration())


def files(made: Workspace, folder: Path) -> None:
    code, found = read(made, "export", "", str(folder), "--layout", "runs")
    assert code == 0, found
    run = made.call("runs", "--json").stdout
    name = json.loads(run)[0]["id"]
    assert f"{name}/tiers/tier_0_core.md" in found["files"]
    assert "project_ruleset_project.json" in found["files"]
    backlog = json.loads((folder / "project_issue_backlog.json").read_text())
    assert "docs" in backlog["issues_by_key"]
    again = made.call("export", name, str(folder), "--layout", "runs")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


def the_next_run(made: Workspace) -> None:
    """A new run takes over what is open."""
    directions = made.path / "directions/driver-1.md"
    directions.write_text(directions.read_text() + task("2 - Write b", Writes="b.txt"))
    code, said = made.launch()
    assert code == 0, said
    _, backlog = read(made, "issues", "--backlog")
    ages = {issue["key"]: (issue["age_runs"], issue["count"]) for issue in backlog["issues"]}
    assert ages["docs"] == (1, 1)
    [suggested] = [key for key in ages if key.startswith("driver__")]
    assert ages[suggested] == (1, 2), "the same words of another task of another run are the same issue"
    assert "docs" not in keys(read(made, "issues")[1]), "this run has not seen it"
