"""What an attempt or review is about is the same at another place and another time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from brain_jobs import SPEC, job, review_job

from callboard.agents.brains.about import about, change_digest
from callboard.bus.task import Source

DIFF = """\
diff --git a/app/x.py b/app/x.py
index 1111111..2222222 100644
--- a/app/x.py
+++ b/app/x.py
@@ -1,3 +1,4 @@ def x():
 one
+two
-three
"""


def test_an_attempt_is_about_what_was_asked_wherever_and_on_whatever_commit_it_is_made(tmp_path: Path) -> None:
    here, there = job(tmp_path / "a"), replace(job(tmp_path / "b"), base="c" * 40, task="T-9")
    assert about(here) == about(there)
    assert about(here).asked == SPEC.digest


def test_a_task_of_a_deployment_is_known_by_its_key_as_it_names_commits_and_measurements(tmp_path: Path) -> None:
    own = SPEC.model_copy(update={"key": "driver-1/d-2-development", "source": Source(kind="deployment")})
    one, other = (own.model_copy(update={"title": f"Make {commit} fit", "what": commit}) for commit in ("abc", "def"))
    first, review = job(tmp_path), review_job(tmp_path)
    assert about(replace(first, spec=one)) == about(replace(first, spec=other))
    reviews = [
        replace(review, request=review.request.model_copy(update={"spec": spec, "requirements_hash": spec.digest}))
        for spec in (one, other)
    ]
    assert about(reviews[0]) == about(reviews[1])
    renamed = one.model_copy(update={"key": "driver-1/d-3-development"})
    assert about(replace(first, spec=renamed)).asked != about(replace(first, spec=one)).asked


def test_a_review_is_about_the_change_and_knows_its_round(tmp_path: Path) -> None:
    here = replace(review_job(tmp_path), diff=DIFF)
    assert (about(here).agent, about(here).key, about(here).round) == ("senior", SPEC.key, 1)
    assert about(here).change == change_digest(DIFF)
    assert about(replace(here, diff="")).change == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index 1111111..2222222", "index 11111111..22222222"),
        ("@@ -1,3 +1,4 @@ def x():", "@@ -9,3 +9,4 @@"),
        (" one", " 1"),
    ],
    ids=["blob ids", "place", "what stands around it"],
)
def test_where_a_change_lies_does_not_count(old: str, new: str) -> None:
    assert change_digest(DIFF.replace(old, new)) == change_digest(DIFF)


@pytest.mark.parametrize(("old", "new"), [("+two", "+2"), ("-three", "-3"), ("b/app/x.py", "b/app/y.py")])
def test_what_a_change_is_does(old: str, new: str) -> None:
    assert change_digest(DIFF.replace(old, new)) != change_digest(DIFF)


def test_a_review_of_notes_that_the_manager_made_is_known_whatever_their_dates_are(tmp_path: Path) -> None:
    review = review_job(tmp_path)
    notes = SPEC.model_copy(update={"source": Source(kind="deployment"), "fields": {"Notes": "docs/a.md"}})
    request = review.request.model_copy(update={"spec": notes})
    one, other = (about(replace(review, request=request, diff=DIFF + line)) for line in ("+at 9\n", "+at 10\n"))
    assert one == other
