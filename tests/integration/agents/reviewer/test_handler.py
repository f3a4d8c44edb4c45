"""A reviewer with a real repository and real programs; only the bus is not there."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from agent_world import NOW, Delivered, World, bodies, entry

from callboard.agents.brains.brain import Inquiry, RawAnswer, RawVerdict, ReviewJob
from callboard.agents.brains.command import CommandBrain
from callboard.agents.reviewer.bench import MAX_DIFF, Bench, read_diff
from callboard.agents.reviewer.handler import ReviewerHandler
from callboard.agents.workspace.setup import Setup
from callboard.bus.errors import BrainParked, Reject
from callboard.bus.messages import (
    FeedbackLogged,
    Outcome,
    ReviewRequest,
    ReviewRequested,
    ReviewWord,
    SynthesisGiven,
    SynthesisRequested,
    TaskAccepted,
    TaskClosed,
    VerdictGiven,
    VoteGiven,
    VoteRequested,
)
from callboard.bus.reviews import Opinion, Standing, Synthesis
from callboard.bus.task import CommandResult, Finding, TaskSpec

SPEC = TaskSpec(key="driver-1/health", title="Add a /health endpoint", what="Answer 200", agent="driver-1")
RED = CommandResult(command="pytest -q", exit_code=1, duration_s=1.5, digest="0" * 64, tail="1 failed")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo", {"app.py": "x = 1\n", "gone.py": "y = 1\n"})


def request(world: World, commit: str | None, *, seconds: float = 60.0) -> ReviewRequested:
    return ReviewRequested(
        review="T-1.1.1",
        spec=SPEC,
        agent="driver-1",
        base=world.base,
        commit=commit,
        requirements_hash=SPEC.digest,
        commands=(RED,),
        notes="it works",
        deadline=NOW + timedelta(seconds=seconds),
    )


def senior(
    world: World, command: str, *, timeout_s: float = 30.0, now: Callable[[], datetime] = lambda: NOW
) -> ReviewerHandler:
    bench = Bench(world.seat("senior", timeout_s=timeout_s), world.clone("senior"), world.repository)
    return ReviewerHandler(bench, CommandBrain(command), now=now)


def review(handler: ReviewerHandler, asked: ReviewRequested) -> tuple[VerdictGiven, Outcome]:
    outcome = asyncio.run(handler.handle(Delivered(asked, recipient="senior")))
    (verdict,) = bodies(outcome, VerdictGiven)
    judged = (verdict.review, verdict.commit, verdict.requirements_hash)
    assert judged == (asked.review, asked.commit, asked.requirements_hash)
    assert outcome.messages[0].recipient == "manager"
    return verdict, outcome


def says(**verdict: object) -> str:
    return f"printf '%s\\n' {shlex.quote(json.dumps(verdict))}"


def finding(**changes: object) -> dict[str, object]:
    return {"severity": "major", "file": "app.py", "line": 2, "quote": "port = 80", "scenario": "it is busy", **changes}


def test_a_reviewer_judges_the_pinned_commit_in_a_checkout_of_its_own(world: World) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n", "new/file.py": "z = 1\n"})
    code = (
        "import json, pathlib, sys; r = json.load(sys.stdin);"
        "seen = [pathlib.Path('app.py').read_text(), str(pathlib.Path.cwd()), r['diff'], r['commands'][0]['tail'], r['notes'], r['commit']];"
        "print(json.dumps({'vote': 'approved', 'notes': json.dumps(seen)}))"
    )
    verdict, outcome = review(senior(world, shlex.join([sys.executable, "-c", code])), request(world, commit))
    assert verdict.vote == "approved"
    text, cwd, diff, tail, notes, sha = json.loads(verdict.notes)
    assert text == "x = 1\nport = 80\n"
    assert cwd == str(world.layout.clone("senior"))
    assert "+port = 80\n" in diff
    assert "+++ b/new/file.py" in diff
    assert (tail, notes, sha) == ("1 failed", "it works", commit)
    assert not world.layout.clone("driver-1").exists()
    said = entry(outcome)
    assert (said.log, said.entry, said.title) == ("senior", "review", "Add a /health endpoint")
    assert said.facts == (f"approved: commit `{commit[:7]}` of driver-1, review T-1.1.1",)


def test_code_sets_what_is_verified_from_the_pinned_tree(world: World) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n"})
    found = [
        finding(),
        finding(line=1, verified=True),
        finding(file="../app.py", verified=True),
        finding(file="app.py:x"),
        finding(quote="x = 1\nport = 80", line=1, requirement="GDPR"),
        finding(file="gone.py", quote="y = 1", line=1),
    ]
    verdict, outcome = review(senior(world, says(vote="needs_revision", findings=found)), request(world, commit))
    assert [each.verified for each in verdict.findings] == [True, False, False, False, True, True]
    assert [each.dropped for each in verdict.findings] == [
        "",
        "its quote is not at app.py:1",
        "its quote is not at ../app.py:2",
        "its quote is not at app.py:x:2",
        "the task has no requirement 'GDPR'",
        "",
    ]
    assert len(entry(outcome).facts) == 7


def test_a_brain_that_changes_its_checkout_proves_nothing(world: World) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n"})
    forged = "echo 'rm -rf' > app.py; git commit -qam forged; " + says(
        vote="needs_revision", findings=[finding(line=1, quote="rm -rf")]
    )
    verdict, _ = review(senior(world, forged), request(world, commit))
    assert [each.verified for each in verdict.findings] == [False]


def test_evidence_without_code_is_judged_in_a_checkout_of_the_base(world: World) -> None:
    command = "test -f gone.py && " + says(vote="approved", findings=[finding(severity="minor", line=1, quote="x = 1")])
    verdict, outcome = review(senior(world, command), request(world, None))
    assert (verdict.vote, verdict.commit) == ("approved", None)
    assert verdict.findings[0].verified
    assert entry(outcome).facts[0].startswith("approved: evidence without code of driver-1")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("echo LGTM", "expected a JSON object"),
        ("true", "expected a JSON object"),
        (says(vote="yes"), "the verdict cannot be read: vote"),
        (
            says(vote="approved", findings=[finding(severity="critical")]),
            "the verdict cannot be read: findings.0.severity",
        ),
        (says(vote="approved") + "; exit 9", "exited 9"),
        ("no-such-reviewer", "exited 127"),
        ("head -c 10000000 /dev/zero | tr '\\0' x", "expected a JSON object"),
        ("head -c 100000 /dev/urandom", "expected a JSON object"),
    ],
)
def test_what_cannot_be_read_is_an_abstention_that_says_why(world: World, command: str, why: str) -> None:
    verdict, outcome = review(senior(world, command), request(world, world.commit({"app.py": "x = 2\n"})))
    assert verdict.vote == "abstained"
    assert verdict.findings == ()
    assert why in verdict.notes
    assert entry(outcome).text == verdict.notes


@pytest.mark.parametrize(("timeout_s", "left_s"), [(2.0, 60.0), (60.0, 2.0)], ids=["its own limit", "the deadline"])
def test_a_reviewer_that_hangs_abstains_and_leaves_no_process(
    world: World, tmp_path: Path, timeout_s: float, left_s: float
) -> None:
    pid = tmp_path / "pid"
    hang = f"(setsid sh -c 'echo $$ > {pid}; sleep 300' &); " + says(vote="approved") + "; sleep 300"
    asked = request(world, world.commit({"app.py": "x = 2\n"}), seconds=left_s)
    verdict, _ = review(senior(world, hang, timeout_s=timeout_s), asked)
    assert verdict.vote == "abstained"
    assert verdict.notes.startswith("no verdict within 2 s")
    assert not psutil.pid_exists(int(pid.read_text()))


def test_after_the_deadline_nothing_is_begun(world: World, tmp_path: Path) -> None:
    asked = request(world, world.commit({"app.py": "x = 2\n"}), seconds=-1)
    verdict, _ = review(senior(world, f"touch {tmp_path}/begun; " + says(vote="approved")), asked)
    assert verdict.vote == "abstained"
    assert verdict.notes == "the deadline 11:59:59Z had passed before the review began"
    assert not (tmp_path / "begun").exists()


def test_a_verdict_that_comes_late_is_an_abstention(world: World) -> None:
    times = [NOW, NOW, NOW + timedelta(hours=1)]
    asked = request(world, world.commit({"app.py": "x = 2\n"}))
    verdict, _ = review(senior(world, says(vote="approved"), now=lambda: times.pop(0)), asked)
    assert (verdict.vote, verdict.notes) == ("abstained", "the verdict came after the deadline")


def test_a_commit_that_is_not_there_is_an_abstention(world: World) -> None:
    verdict, _ = review(senior(world, says(vote="approved")), request(world, "1" * 40))
    assert verdict.vote == "abstained"
    assert "1111111" in verdict.notes


def test_a_huge_diff_is_cut_and_says_so(world: World) -> None:
    commit = world.commit({"big.txt": "line\n" * 200_000, "blob.bin": "\0" * 1000})
    text = read_diff(world.repository, request(world, commit))
    assert len(text) < MAX_DIFF + 200
    assert "more bytes; the checkout has all of it]" in text


def test_reviews_and_notices_have_lanes_of_their_own_and_nothing_else_is_handled(world: World) -> None:
    handler = senior(world, "true")
    notice = Delivered(TaskClosed(state="done", reason="ok"), recipient="senior")
    assert handler.lane(Delivered(request(world, None), recipient="senior").envelope) == "work"
    assert handler.lane(notice.envelope) == "notice"
    assert entry(asyncio.run(handler.handle(notice))).title == "done"
    with pytest.raises(Reject):
        asyncio.run(handler.handle(Delivered(TaskAccepted(), recipient="senior")))


class TiredBrain:
    async def review(self, job: ReviewJob) -> RawVerdict:
        raise BrainParked("429 from big", cause="rate_limit", until=NOW + timedelta(hours=5))

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        raise AssertionError


def test_a_reviewer_that_cannot_think_in_time_abstains_and_says_when_it_can(world: World) -> None:
    bench = Bench(world.seat("senior"), world.clone("senior"), world.repository)
    verdict, outcome = review(ReviewerHandler(bench, TiredBrain(), now=lambda: NOW), request(world, None))
    assert (verdict.vote, verdict.parked, verdict.until) == ("abstained", "rate_limit", NOW + timedelta(hours=5))
    assert "429 from big" in verdict.notes
    assert entry(outcome).facts[0].startswith("abstained")


def test_the_command_of_a_finding_is_run_on_the_commit_and_on_the_base(world: World) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n"})
    commands = {
        "grep -q 'port = 80' app.py && exit 1 || exit 0": "shown",
        "test -e never": "not_new",
        "test -e app.py": "not_shown",
        "no-such-program": "unrunnable",
    }
    found = [finding(command=command) for command in commands]
    # what the brain leaves in its checkout is not what its command is run on
    spoil = "echo 'port = 80' > never; rm app.py; "
    verdict, _ = review(senior(world, spoil + says(vote="needs_revision", findings=found)), request(world, commit))
    assert {it.command: it.proof for it in verdict.findings} == commands
    assert [it.vetoes for it in verdict.findings] == [True, False, False, False]
    assert verdict.findings[0].ran == "its command exits 1 here and 0 on the base"


def with_setup(world: World, command: str, *commands: str) -> ReviewerHandler:
    seat = world.seat("senior", timeout_s=30.0)
    setup = Setup(commands, inputs=("needs.txt",), timeout_s=30.0)
    return ReviewerHandler(
        Bench(seat, world.clone("senior"), world.repository, setup), CommandBrain(command), now=lambda: NOW
    )


def test_a_command_that_needs_the_projects_setup_finds_it_done(world: World, tmp_path: Path) -> None:
    """It runs once for a commit and its base while its inputs are the same."""
    commit = world.commit({"app.py": "x = 1\nport = 80\n"})
    found = [finding(command="sh made.sh"), finding(command="sh made.sh -x")]
    handler = with_setup(
        world,
        says(vote="needs_revision", findings=found),
        f"echo ran >> {tmp_path}/ran; echo '! grep -q port app.py' > made.sh",
    )
    verdict, _ = review(handler, request(world, commit))
    assert [it.proof for it in verdict.findings] == ["shown", "shown"], verdict.findings
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_where_the_setup_fails_no_command_is_run_and_the_finding_says_so(world: World, tmp_path: Path) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n"})
    found = [finding(command=f"touch {tmp_path}/shown; exit 1"), finding(command="exit 2")]
    handler = with_setup(
        world, says(vote="needs_revision", findings=found), f"echo ran >> {tmp_path}/ran; echo no network; exit 3"
    )
    verdict, outcome = review(handler, request(world, commit))
    assert [(it.proof, it.vetoes) for it in verdict.findings] == [("unrunnable", False)] * 2
    assert verdict.findings[0].ran.startswith("not run: setup failed on what is reviewed: setup `")
    assert "no network" in verdict.findings[1].ran
    assert "not run: setup failed" in entry(outcome).facts[1]
    assert not (tmp_path / "shown").exists()
    assert (tmp_path / "ran").read_text() == "ran\n", "once for all commands"


def test_a_setup_that_fails_on_the_base_proves_nothing(world: World) -> None:
    commit = world.commit({"app.py": "x = 1\nport = 80\n", "needs.txt": "a tool"})
    handler = with_setup(
        world, says(vote="needs_revision", findings=[finding(command="exit 1")]), "test -e needs.txt && echo > made"
    )
    verdict, _ = review(handler, request(world, commit))
    [found_] = verdict.findings
    assert (found_.proof, found_.vetoes) == ("unrunnable", False)
    assert found_.ran.startswith("not run: setup failed on the base: ")


def test_without_code_nothing_is_run(world: World) -> None:
    found = [finding(line=1, quote="x = 1", command="false")]
    verdict, _ = review(senior(world, says(vote="needs_revision", findings=found)), request(world, None))
    assert [it.proof for it in verdict.findings] == [""]


def second(world: World, kind: type[ReviewRequest], **values: object) -> ReviewRequest:
    """A request of the second round, about one finding of junior-1's."""
    about = request(world, world.commit({"app.py": "x = 1\nport = 80\n"})).model_dump()
    flaw = Finding(severity="major", file="app.py", line=2, quote="port = 80", scenario="it is busy", verified=True)
    opinions = (Opinion(seat="junior-1", vote="needs_revision", notes="look again"),)
    standing = (Standing(id="F-1", by=("junior-1",), finding=flaw),)
    return kind.model_validate({**about, "standing": standing, "opinions": opinions, **values})


def answered(world: World, command: str, asked: ReviewRequest) -> tuple[ReviewWord, FeedbackLogged]:
    outcome = asyncio.run(senior(world, command).handle(Delivered(asked, recipient="senior")))
    word = outcome.messages[0].body
    assert isinstance(word, ReviewWord)
    assert (word.review, word.commit) == (asked.review, asked.commit)
    return word, entry(outcome)


def test_the_senior_is_asked_for_a_synthesis_in_its_checkout_of_the_commit(world: World) -> None:
    code = (
        "import json, pathlib, sys; r = json.load(sys.stdin);"
        "seen = [r['ask'], r['standing'][0]['id'], r['opinions'][0]['notes'], '+port = 80' in r['diff'], pathlib.Path('app.py').read_text()];"
        "print(json.dumps({'summary': json.dumps(seen), 'dismissed': [{'finding': 'F-1', 'reason': 'another task'}]}))"
    )
    word, said = answered(world, shlex.join([sys.executable, "-c", code]), second(world, SynthesisRequested))
    assert isinstance(word, SynthesisGiven)
    assert json.loads(word.synthesis.summary) == ["synthesis", "F-1", "look again", True, "x = 1\nport = 80\n"]
    assert said.facts[1] == "out of scope: F-1: another task"


def test_a_junior_votes_and_what_is_no_answer_is_an_abstention(world: World) -> None:
    asked = second(world, VoteRequested, synthesis=Synthesis(summary="fine"))
    word, _ = answered(world, says(vote="needs_revision", notes="no"), asked)
    assert isinstance(word, VoteGiven)
    assert (word.vote, word.notes) == ("needs_revision", "no")
    garbage, _ = answered(world, "echo LGTM", asked)
    assert isinstance(garbage, VoteGiven)
    assert garbage.vote == "abstained"
    none, said = answered(world, says(vote="approved"), second(world, SynthesisRequested))
    assert isinstance(none, SynthesisGiven)
    assert none.synthesis.abstained, "a verdict is no synthesis"
    assert said.facts[0].startswith("abstained: ")
