"""`callboard plan`, with a program that plans: nothing is in a direction file before a person applies it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from roster import Workspace, run_git

PLANNER = """\
import json, pathlib, sys
asked = json.load(sys.stdin)
if asked["id"] == "plan.2" and pathlib.Path(sys.argv[1], "broken").exists():
    sys.exit(3)
assert pathlib.Path("README").read_text() == "a project\\n"
with open(pathlib.Path(sys.argv[1], "asked"), "a") as file:
    file.write(asked["id"] + "\\n")
task = {"agent": asked["agents"][0], "what": "Do it", "evidence": "its test", "serves": "all", "priority": 1,
        "min_minutes": 120, "max_minutes": 180, "paths": ["app/**"], "checks": ["true"]}
count = asked["most"] if asked["category"] else 2
tasks = [task | {"title": f"{asked['category'] or 'Goal'} {asked['id']} step {n}"} for n in range(count)]
print(json.dumps({"tasks": tasks, "notes": "Mind the gap."}))
"""
ROADMAP = "## Roadmap\n\n1. **Core** (12-20 tasks) - all\n2. **Ops** (1-2 tasks)\n"


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "project")
    (tmp_path / "planner.py").write_text(PLANNER)
    (tmp_path / "notes").mkdir()
    command = f"{sys.executable} {tmp_path / 'planner.py'} {tmp_path / 'notes'}"
    manager = f'[[agents]]\nname = "manager"\nrole = "manager"\ncommand = {json.dumps(command)}\n'
    made.extra = f"[sandbox]\nwritable = [{json.dumps(str(tmp_path / 'notes'))}]\n\n{manager}"
    made.init({"driver-1": f"### Task 1 - Bake\n\n**What**: bread\n\n{ROADMAP}"})
    yield made
    made.stop_everything()


def asked(day: Workspace) -> list[str]:
    return (day.path.parent / "notes" / "asked").read_text().split()


def test_a_goal_is_drafted_shown_and_applied_once(day: Workspace) -> None:
    before = (day.path / "directions/driver-1.md").read_text()
    drafted = day.call("plan", "Better bread")
    assert drafted.returncode == 0, drafted.stderr
    assert "+### Task 2 - Goal plan.1 step 0" in drafted.stdout
    assert "callboard plan --apply p-1" in drafted.stderr
    assert "Mind the gap." in drafted.stderr
    assert (day.path / "directions/driver-1.md").read_text() == before
    assert run_git(day.path, "status", "--porcelain") == ""
    assert day.json("plan", "--apply", "p-1") == {"plan": "p-1", "files": ["directions/driver-1.md"], "tasks": 2}
    (file, _) = json.loads(day.call("directions", "check", "--json", "directions/driver-1.md").stdout)["files"], None
    assert [task["key"] for task in file[0]["tasks"]][1:] == [
        "driver-1/goal-plan-1-step-0",
        "driver-1/goal-plan-1-step-1",
    ]
    again = day.call("plan", "--apply", "p-1")
    assert (again.returncode, "p-1 was applied before" in again.stderr) == (1, True)
    assert day.json("plan")["plans"][0]["state"] == "applied"  # type: ignore[index]


def test_a_roadmap_is_drafted_in_batches_and_goes_on_where_it_was_broken_off(day: Workspace) -> None:
    (day.path.parent / "notes" / "broken").touch()
    broken = day.call("plan", "--expand", "directions/driver-1.md")
    assert broken.returncode == 1
    assert "no answer: exited 3" in broken.stderr
    (day.path.parent / "notes" / "broken").unlink()
    done = day.json("plan", "--expand", "directions/driver-1.md")
    assert asked(day) == ["plan.1", "plan.2", "plan.3"]
    assert (done["name"], done["state"], len(done["proposed"])) == ("p-1", "proposed", 3)  # type: ignore[arg-type]
    day.call("plan", "--apply", "p-1")
    (file,) = json.loads(day.call("directions", "check", "--json", "directions/driver-1.md").stdout)["files"]
    by_category = [task["fields"].get("Category") for task in file["tasks"]]
    assert by_category == [None, *["Core"] * 12, "Ops"]
    full = day.call("plan", "--expand", "directions/driver-1.md")
    assert "every category has its tasks already" in full.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--expand", "directions/driver-1.md", "--category", "Cor"], "has no category 'Cor'; it has 'Core', 'Ops'"),
        (["--expand", "directions/driver-1.md", "--count", "3"], "'Core' is to have 12 to 20 tasks, not 3"),
        (["--expand", "directions/senior.md"], "no driver is called senior; there are driver-1, driver-2"),
        (["--show", "p-9"], "there is no plan 'p-9'; none was made here"),
        (["--show", "../x"], "there is no plan"),
        (["a goal", "--expand", "x.md"], "give one of GOAL"),
    ],
)
def test_what_cannot_be_planned_is_said(day: Workspace, words: list[str], said: str) -> None:
    done = day.call("plan", *words)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())


def test_a_manager_without_a_brain_is_told_how_to_get_one(tmp_path: Path) -> None:
    plain = Workspace(tmp_path / "project")
    plain.init({"driver-1": ""})
    done = plain.call("plan", "Better bread")
    assert done.returncode == 1
    assert "the manager has nothing to think with" in done.stderr
