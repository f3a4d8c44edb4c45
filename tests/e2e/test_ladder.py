"""Blockers of a launched roster climb: one the canon answers, one the senior, one the three, one a person; and its logs tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from roster import Workspace, task

DRIVER = """
import json, pathlib, sys
job = json.load(sys.stdin)
fields, notes = job["spec"]["fields"], job["notes"]
said = " ".join(note["text"] for note in notes if note["source"] in ("canon", "consult", "answer"))
if fields["Wants"] in said:
    pathlib.Path(fields["Writes"]).write_text("done\\n")
else:
    print(json.dumps({"status": "blocked", "blocker": {"what": fields["Blocks"], "needs": "to know"}}))
"""
REVIEWER = """
import json, os, sys
job, me = json.load(sys.stdin), os.environ["CALLBOARD_AGENT"]
def answer(**said):
    print(json.dumps(said))
    sys.exit(0)
if "review" in job:
    answer(vote="approved", findings=[], notes="reads well")
if "port" in job["problem"] and me == "senior":
    quote = {"file": "README", "line": 1, "quote": "a project"}
    answer(says="answer", text="take 8080", is_sure=True, references=[quote])
if "colour" in job["problem"]:
    if job["proposals"]:
        answer(says="answer", choice=1 + job["proposals"].index("blue, says junior-1") if me != "junior-2" else 0)
    answer(says="cannot_say", reasons="no idea") if me == "senior" else answer(says="answer", text=f"blue, says {me}")
sys.exit(3)
"""


@pytest.mark.long
def test_each_rung_answers_what_those_below_it_cannot(workspace: Callable[..., Workspace]) -> None:
    made = workspace()
    made.init(
        {
            "driver-1": task("1 - Zone", Writes="a.txt", Blocks="which time zone do reports have", Wants="always UTC")
            + task("2 - Port", Writes="b.txt", Blocks="which port is it", Wants="take 8080"),
            "driver-2": task("1 - Colour", Writes="c.txt", Blocks="which colour is it", Wants="blue, says junior-1")
            + task("2 - Name", Writes="d.txt", Blocks="which name is it", Wants="call it so"),
        },
        {"docs/facts.md": "# Facts\n\n## Time zone of reports\n\nIt is always UTC.\n"},
    )
    brains = made.path.parent / f"{made.path.name}-brains"
    (brains / "driver.py").write_text(DRIVER)
    (brains / "reviewer.py").write_text(REVIEWER)
    for name in ("driver-1", "driver-2"):
        path = made.path / f"directions/{name}.md"
        path.write_text(f"# {name}\n\n## Canon\n\n- Facts: docs/facts.md\n\n{path.read_text().partition(chr(10))[2]}")
    code, output = made.launch()
    assert code == 4, output
    files = set(made.files(made.integration()))
    assert {"a.txt", "b.txt", "c.txt"} <= files, output
    status = made.json("status")
    blockers = status["blockers"]
    assert isinstance(blockers, list)
    [blocker] = blockers
    assert blocker["rung"] == "person"
    assert [rung.partition(":")[0] for rung in blocker["rungs"]] == ["canon", "senior", "trio"]
    assert "exited 3" in blocker["rungs"][1]
    assert made.call("answer", blocker["id"], "call it so").returncode == 0
    code, output = made.launch()
    assert code == 0, output
    assert "d.txt" in made.files(made.integration())
    manager = (made.path / "feedback/manager.md").read_text()
    for said in (
        "by canon: ## Time zone",
        "by senior: take 8080",
        "by trio: blue, says junior-1",
        "answer: call it so",
    ):
        assert said in manager, said
    assert "rests on: `a project` at README:1" in manager
    log = (made.path / "feedback/driver-1.md").read_text()
    assert "climbs: senior" in log
    assert "advice of canon, not an order" in log
