"""The deployment agent writes notes itself, and thinks only where there is something to think about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from brain_jobs import job

from callboard.agents.brains.brain import Done, Job, Report, Result
from callboard.agents.deployment.notes_writer import NotesWriter
from callboard.bus.errors import BrainError
from callboard.bus.task import Note, Source, TaskSpec

FILE = "docs/deployments/staging-r-d-1.md"
SPEC = TaskSpec(
    key="deployment/d-1-notes",
    title="Notes of d-1 in staging",
    agent="deployment",
    paths=(FILE,),
    fields={"Notes": FILE, "Text": "# r-1 in staging: done\n"},
    source=Source(kind="deployment"),
)


@dataclass
class Thinker:
    asked: list[str] = field(default_factory=list)

    async def work(self, job: Job, report: Report) -> Result:
        self.asked.append(job.spec.title)
        return Done("thought about it")


async def silent(line: str) -> None:
    pass


def work(folder: Path, spec: TaskSpec = SPEC, notes: tuple[Note, ...] = ()) -> list[str]:
    """Who was asked."""
    brain = Thinker()
    result = asyncio.run(NotesWriter(brain).work(replace(job(folder, notes=notes), spec=spec), silent))
    assert isinstance(result, Done)
    return brain.asked


def test_notes_are_written_as_the_board_has_them_without_a_thought(tmp_path: Path) -> None:
    assert work(tmp_path) == []
    assert (tmp_path / FILE).read_text() == "# r-1 in staging: done\n"


def test_documents_that_may_follow_and_what_was_sent_back_are_thought_about(tmp_path: Path) -> None:
    assert work(tmp_path, SPEC.model_copy(update={"paths": (FILE, "README.md")})) == [SPEC.title]
    (tmp_path / FILE).write_text("as it was handed in\n")
    assert work(tmp_path, notes=(Note(source="review", text="say more"),)) == [SPEC.title]
    assert (tmp_path / FILE).read_text() == "as it was handed in\n"


def test_another_task_is_the_brains_alone(tmp_path: Path) -> None:
    assert work(tmp_path, SPEC.model_copy(update={"source": Source(kind="direction")})) == [SPEC.title]
    assert not (tmp_path / "docs").exists()


def test_a_link_that_leads_out_of_the_clone_is_not_followed(tmp_path: Path) -> None:
    clone, outside = tmp_path / "clone", tmp_path / "outside"
    clone.mkdir()
    outside.mkdir()
    (clone / "docs").symlink_to(outside)
    with pytest.raises(BrainError, match="leads out of the clone"):
        work(clone)
    assert list(outside.iterdir()) == []
