"""Thirty tasks, six drivers, and what goes wrong on most days; in the end the logs alone say what happened."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
from roster import HANG_S, Workspace, task, until

NAMES = tuple(f"driver-{n}" for n in range(1, 7))
REVIEWER = """
import json, sys
asked = json.load(sys.stdin)
if asked.get("ask") == "consult":
    rests = [{"file": "README", "line": 1, "quote": "a project"}]
    knows = {"says": "answer", "text": "Take 8080, as README has it.", "is_sure": True, "references": rests}
    print(json.dumps(knows if "port" in asked["problem"] else {"says": "cannot_say", "reasons": "nothing here says so"}))
else:
    print(json.dumps({"vote": "approved", "findings": [], "notes": "reads well"}))
"""
DRIVER = """
import json, os, pathlib, sys, time
job = json.load(sys.stdin)
fields = job["spec"]["fields"]
told = [note["text"] for note in job["notes"] if note["source"] in ("answer", "consult")]
began = pathlib.Path(os.environ["HOME"], "began")
if "Hangs" in fields and not began.exists():
    began.touch()
    pathlib.Path("half.txt").write_text("half done")
    time.sleep(3600)
if "Hangs" in fields:
    pathlib.Path("half.txt").unlink(missing_ok=True)
if "Blocks" in fields and not told:
    print(json.dumps({"status": "blocked", "blocker": {"what": fields["Blocks"], "needs": "an answer"}}))
elif "Asks" in fields and not told:
    print(json.dumps({"status": "asked", "question": {"text": fields["Asks"], "options": ["red", "blue"]}}))
else:
    pathlib.Path(fields["Writes"]).write_text(job["spec"]["title"] + "".join(told))
"""


def five(driver: str, *special: str) -> str:
    """Five tasks of one driver, the special ones first."""
    rest = [task(f"{n} - {driver} writes {n}", Writes=f"{driver}-{n}.txt") for n in range(len(special) + 1, 6)]
    return "".join((*special, *rest))


DIRECTIONS = {
    "driver-1": five("driver-1", task("1 - Name the port", Writes="port.txt", Blocks="which port does it listen on?")),
    "driver-2": five("driver-2", task("1 - Name the owner", Writes="owner.txt", Blocks="who owns this?")),
    "driver-3": five("driver-3", task("1 - Get stopped", Writes="whole.txt", Hangs="once")),
    "driver-4": five("driver-4", task("1 - Never works", Checks="`false`", Writes="never.txt", Budget="1 attempts")),
    "driver-5": five("driver-5", task("1 - Paint it", Writes="paint.txt", Asks="red or blue?")),
    "driver-6": five("driver-6"),
}


def log(made: Workspace, agent: str) -> str:
    return (made.path / "feedback" / f"{agent}.md").read_text()


def missing(text: str, *patterns: str) -> list[str]:
    """The first that does not stand in the text behind the one before; none = all are there, in this order."""
    place = 0
    for pattern in patterns:
        found = re.compile(pattern).search(text, place)
        if found is None:
            return [pattern]
        place = found.end()
    return []


@pytest.mark.long
def test_a_bad_day_ends_in_the_right_state_and_its_logs_alone_tell_it(workspace: Callable[..., Workspace]) -> None:
    made = workspace(names=NAMES, reviewer=REVIEWER, extra="[bus]\nunreachable_s = 20.0\n")
    program = made.path.parent / "driver.py"
    program.write_text(DRIVER)
    made.drivers = dict.fromkeys(NAMES, f"{sys.executable} {program}")
    made.init(DIRECTIONS)
    said = until_people_are_needed(made)
    assert missing(said, r"\* q-\d \(T-\d+\) waits for you: `callboard answer q-\d", r"\* T-16 failed") == [], said
    assert "29 of 30 tasks done" in answer_and_go_on(made)
    assert not_done(made) == {"T-16": "failed"}
    files = made.files(made.integration())
    assert {"port.txt", "owner.txt", "whole.txt", "paint.txt"} <= files.keys()
    assert not {"never.txt", "half.txt"} & files.keys()
    assert untold(made) == [], log(made, "manager")
    assert made.processes() == []


def until_people_are_needed(made: Workspace) -> str:
    """What the launch says; one driver's process is stopped in the middle of its task."""
    launch = made.start()
    until((made.path / ".callboard/clones/driver-3/half.txt").exists)
    stopped = made.process("driver-3")
    assert stopped is not None
    stopped.suspend()
    said, _ = launch.communicate(timeout=HANG_S)
    assert launch.returncode == 4, said
    return said


def answer_and_go_on(made: Workspace) -> str:
    """What the next launch says, which takes it up; nothing runs while a person answers."""
    rows = made.call("questions").stdout
    ids = {text: re.search(rf"(q-\d+)[^\n]*{text}", rows) for text in ("red or blue", "who owns this")}
    assert all(ids.values()), rows
    for text, answer in (("red or blue", "blue"), ("who owns this", "Ada does")):
        found = ids[text]
        assert found is not None
        assert made.call("answer", found[1], answer).returncode == 0
    code, said = made.launch()
    assert code == 1, said
    return said


def not_done(made: Workspace) -> dict[str, str]:
    """Task -> state."""
    rows = made.json("status")["tasks"]
    assert isinstance(rows, list)
    return {row["id"]: row["state"] for row in rows if row["state"] != "done"}


def untold(made: Workspace) -> list[str]:
    """What a reader of the logs would look for and not find."""
    manager = log(made, "manager")
    found: list[str] = []
    found += missing(
        manager,
        r"blocker · T-1 Name the port: B-\d is with the senior",
        r"resolved · T-1 Name the port: B-\d",
        r"- by senior: Take 8080, as README has it.",
        r"merge · T-1 Name the port: landed",
    )
    found += missing(
        manager,
        r"blocker · T-6 Name the owner: B-\d is with the senior",
        r"blocker · T-6 Name the owner: B-\d: no answer from senior",
        r"blocker · T-6 Name the owner: B-\d is with the trio",
        r"question · T-6 Name the owner: q-\d",
        r"answer · [^\n]*q-\d[^\n]*\n[^#]*Ada does",
        r"merge · T-6 Name the owner: landed",
    )
    found += missing(manager, r"T-16 Never works: gate red", r"task · T-16 Never works: failed", r"1 attempt")
    found += missing(
        manager, r"question · T-21 Paint it: q-\d", r"answer · [^\n]*q-\d", r"merge · T-21 Paint it: landed"
    )
    found += missing(
        manager,
        r"T-11 Get stopped: assigned to driver-3",
        r"driver-3 cannot be reached",
        r"driver-3 is here with another process",
        r"merge · T-11 Get stopped: landed",
    )
    found += missing(log(made, "driver-1"), r"blocked by: which port", r"learnt from consult: ", r"· evidence · ")
    found += missing(
        log(made, "driver-5"), r"· question · ", r"· shutdown · ", r"· startup · ", r"learnt from answer: "
    )
    found += missing(log(made, "driver-3"), r"· startup · ", r"Get stopped", r"· startup · ", r"taken up again")
    return found
