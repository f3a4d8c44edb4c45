"""A launched roster in which one reviewer of each task is hostile, in each way there is: nothing wrong is ever approved, and
nothing waits longer than a review's deadline; `callboard reviews` and the log branches tell it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from roster import Workspace, run_git, task

DRIVER = """
import json, pathlib, sys
job = json.load(sys.stdin)
told = any(note["source"] == "review" for note in job["notes"])
pathlib.Path(job["spec"]["fields"]["Writes"]).write_text("right\\n" if told else "wrong\\n")
"""
HONEST = """
import json, os, random, sys, time
job = json.load(sys.stdin)
me, title, ask = job["agent"], (job.get("spec") or job.get("about"))["title"], job.get("ask", "")
is_wrong = "+wrong" in job.get("diff", "")

def say(**said):
    print(json.dumps(said))
    sys.exit(0)

def honest():
    if ask == "synthesis":
        say(summary="it is wrong", items=[{"findings": [it["id"] for it in job["standing"]], "text": "write right"}])
    if ask == "consult":
        say(says="cannot_say")
    path = job["spec"]["fields"]["Writes"]
    flaw = {"severity": "major", "requirement": "what", "file": path, "line": 1, "quote": "wrong", "scenario": "it is wrong"}
    # the command is there only where the project was set up
    shown = {} if title == "Invent" else {"command": "sh check.sh"}
    say(vote="needs_revision" if is_wrong else "approved", findings=[{**flaw, **shown}] if is_wrong and not ask else [])
"""
HOSTILE = """
def approve_all():
    say(vote="approved", notes="fine")

def reject_all():
    say(vote="needs_revision", notes="no")

def babble():
    kinds = ("LGTM", '{"vote": "approved"', '{"vote": "yes"}', '[{"vote": "approved"}]', "\\0" * 999, '{"vote": "approved"}\\nor not')
    print(random.choice(kinds))
    sys.exit(0)

def keep_silent():
    time.sleep(3600)

def invent():
    if ask == "synthesis":
        out = [{"finding": it["id"], "reason": "another task"} for it in job["standing"]]
        say(summary="mine alone", items=[{"findings": ["F-9"], "text": "rewrite it all"}], dismissed=out)
    made_up = {"severity": "major", "file": "README", "line": 3, "quote": "os.system(x)", "scenario": "a shell", "command": "exit 1"}
    say(vote="approved" if is_wrong else "needs_revision", findings=[made_up])

WAYS = {
    "Approve": ("junior-1", approve_all),
    "Reject": ("junior-2", reject_all),
    "Babble": ("junior-1", babble),
    "Silence": ("junior-2", keep_silent),
    "Invent": ("senior", invent),
}
who, way = WAYS[title]
if me == who:
    way()
"""
SETUP = "echo '! grep -q wrong *.txt' > check.sh"


def section(*titles: str, first: int = 1) -> str:
    numbered = enumerate(titles, first)
    return "".join(task(f"{n} - {title}", What="right", Writes=f"{title.lower()}.txt") for n, title in numbered)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hostile_reviewer_lets_nothing_wrong_pass_and_holds_nothing_up(workspace: Callable[..., Workspace]) -> None:
    made = workspace(reviewer=HONEST + HOSTILE + "honest()\n", setup=[SETUP])
    program = made.path.parent / "hostile-driver.py"
    program.write_text(DRIVER)
    made.drivers = dict.fromkeys(made.names, f"{sys.executable} {program}")
    made.init({"driver-1": section("Approve", "Reject"), "driver-2": section("Babble", "Invent")})
    code, said = made.launch()
    assert code == 4, said
    assert landed(made) == {"approve.txt", "invent.txt"}, said
    only_people_can_go_on_with(made, "Reject", "Babble")
    one_that_is_silent_holds_nothing_up(made)
    people_decide(made)
    assert landed(made) == {f"{title}.txt" for title in ("approve", "reject", "babble", "silence", "invent")}
    nothing_wrong_ever_landed(made)
    who_dissented_is_in_the_commits(made)
    reviews_show_and_stats_tell_it(made)
    all_that_was_said_is_on_the_log_branches(made)


def landed(made: Workspace) -> set[str]:
    return {name for name in made.files(made.integration()) if name.endswith(".txt")}


def rows(made: Workspace) -> dict[str, dict[str, Any]]:
    """Title -> the task's row."""
    found = made.json("status")["tasks"]
    assert isinstance(found, list)
    return {row["title"]: row for row in found}


def only_people_can_go_on_with(made: Workspace, *titles: str) -> None:
    open_ = {title: row for title, row in rows(made).items() if row["state"] != "done"}
    assert {title: row["state"] for title, row in open_.items()} == dict.fromkeys(titles, "blocked")
    asked = made.call("questions").stdout
    assert all(f"{row['id']} is blocked" in asked for row in open_.values()), asked


def one_that_is_silent_holds_nothing_up(made: Workspace) -> None:
    """Each time it is asked, it costs the deadline and no more."""
    path = made.path / "directions/driver-1.md"
    path.write_text(path.read_text() + section("Silence", first=3))
    settings = made.path / "callboard.toml"
    text = settings.read_text()
    settings.write_text(f"{text}\n[review]\ndeadline_s = 4\n")
    code, said = made.launch()
    settings.write_text(text)
    assert code == 4, said
    assert "silence.txt" not in landed(made)
    only_people_can_go_on_with(made, "Reject", "Babble", "Silence")


def people_decide(made: Workspace) -> None:
    """One is accepted as it is; the others are judged again, by reviewers that were mended."""
    (made.path.parent / f"{made.path.name}-brains/reviewer.py").write_text(f"{HONEST}honest()\n")
    asked = made.call("questions").stdout
    for title, answer in (("Reject", "accept"), ("Babble", "again"), ("Silence", "again")):
        found = re.search(rf"(q-\d+)[^\n]*{rows(made)[title]['id']} is blocked", asked)
        assert found, asked
        answered = made.call("answer", found[1], answer)
        assert answered.returncode == 0, answered.stderr
    code, said = made.launch()
    assert code == 0, said


def nothing_wrong_ever_landed(made: Workspace) -> None:
    line = run_git(made.path, "rev-list", "--first-parent", made.integration()).splitlines()
    assert len(line) > 1
    for commit in line:
        for name in made.files(commit):
            if name.endswith(".txt"):
                assert run_git(made.path, "show", f"{commit}:{name}") == "right", (commit, name)


def who_dissented_is_in_the_commits(made: Workspace) -> None:
    form = "--format=%(trailers:key=Task-Key,valueonly,separator=)|%(trailers:key=Dissent)%(trailers:key=Accepted-by)"
    text = run_git(made.path, "log", "--merges", form, made.integration())
    said = {block.partition("|")[0]: block.partition("|")[2] for block in re.split(r"\n(?=driver-\d/)", text)}
    assert "Dissent: junior-2\nAccepted-by: person" in said["driver-1/reject"]
    assert "Dissent: senior" in said["driver-2/invent"]
    assert "Dissent" not in said["driver-1/approve"]


def show(made: Workspace, title: str) -> list[dict[str, Any]]:
    """The reviews of a task, the oldest first."""
    found = made.json("reviews", "show", rows(made)[title]["id"])
    assert isinstance(found, list)
    return found


def reviews_show_and_stats_tell_it(made: Workspace) -> None:
    first, last = show(made, "Approve")
    assert (first["outcome"], last["outcome"]) == ("major_flaws", "consensus")
    votes = {word["seat"]: (word["blind"], word["is_dissent"]) for word in first["words"]}
    refused, outvoted = ("needs_revision", False), ("approved", True)
    assert votes == {"senior": refused, "junior-1": outvoted, "junior-2": refused}
    assert {it["became"] for it in first["findings"]} == {"proven"}, "its command needs what setup makes"
    second, third = show(made, "Invent")
    assert second["refused"] == ["'rewrite it all': it names nothing that stands"]
    assert (second["outcome"], third["outcome"]) == ("major_flaws", "consensus")
    fates = {(it["seat"], it["became"]) for it in second["findings"]}
    assert fates == {("senior", "dropped"), ("junior-1", "dismissed"), ("junior-2", "dismissed")}
    page = made.call("reviews", "show", rows(made)["Invent"]["id"]).stdout
    assert "dropped: major of senior at README:3: a shell" in page
    assert "why: its quote is not at README:3" in page
    stats = made.json("reviews", "stats")
    outcomes = stats["outcomes"]
    assert isinstance(outcomes, dict)
    assert (outcomes["accepted"], outcomes["no_quorum"] >= 2, "blocked" in outcomes) == (1, True, False)
    table = made.call("reviews", "stats").stdout
    assert f"{stats['reviews']} reviews of run " in table
    assert re.search(r"^senior +\d+ +\d+ +0 ", table, re.MULTILINE), table


def all_that_was_said_is_on_the_log_branches(made: Workspace) -> None:
    pages = {seat: set(made.files(f"refs/heads/{seat}/log")) for seat in ("senior", "junior-1")}
    one, two = (rows(made)[title]["id"] for title in ("Invent", "Reject"))
    assert f"reviews/{one}-1-{one}-1-1.md" in pages["senior"]
    assert f"reviews/{one}-1-{one}-1-1-synthesis.md" in pages["senior"]
    assert f"reviews/{one}-1-{one}-1-1-vote.md" in pages["junior-1"]
    assert any(re.fullmatch(rf"reviews/{two}-2-.*-vote\.md", name) for name in pages["junior-1"])
