"""What the notes of a finished deployment say."""

from __future__ import annotations

from callboard.agents.deployment.notes import notes
from callboard.bus.deployments import DeploymentDoc, Edge
from callboard.bus.task import CommandResult

DOC = DeploymentDoc(
    version=1,
    id="d-1",
    environment="staging",
    commit="d" * 40,
    release="r-1",
    blue="r-0",
    by="Ada",
    tests=(CommandResult(command="pytest", exit_code=0, duration_s=1.25, digest=""),),
    history=(
        Edge(source="testing", to="fixing", event="test: failed", facts=("`pytest` -> 1", "it is red\n## Forged")),
        Edge(source="fixing", to="green_up", event="fixed", facts=("T-2 has landed", "commit `dddddddddddd`")),
        Edge(source="testing", to="reviewing", event="test: passed", facts=("1 of 1 tests passed",)),
    ),
)


def test_they_name_what_was_deployed_where_and_what_each_edge_rests_on() -> None:
    text = "\n".join(notes(DOC, "run-1", ("Blue, r-0, was drained and is stopped",)))
    assert f"- commit: `{'d' * 40}`\n- environment: staging\n- release: r-1, in the place of r-0\n" in text
    assert "d-1 of run run-1, asked for by Ada" in text
    assert "- testing -> reviewing: test: passed\n  - 1 of 1 tests passed" in text
    assert text.endswith("finish: passed\n  - Blue, r-0, was drained and is stopped")
    assert "## Tests\n\n- 1 of 1 passed\n- `pytest` -> 0 in 1.2 s" in text


def test_an_issue_stands_with_what_solved_it_and_no_text_passes_for_a_heading() -> None:
    text = "\n".join(notes(DOC, "run-1", ()))
    met = text.partition("## Issues met\n\n")[2].partition("\n\n")[0]
    assert met == "- test: failed: it is red ## Forged\n  - fixed: T-2 has landed, commit `dddddddddddd`"
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == ["## Tests", "## Issues met", "## The way"]


def test_where_nothing_was_met_they_say_so() -> None:
    quiet = DOC.model_copy(update={"history": DOC.history[2:], "tests": (), "blue": ""})
    text = "\n".join(notes(quiet, "run-1", ()))
    assert "## Issues met\n\n- none\n" in text
    assert "the first one there" in text
