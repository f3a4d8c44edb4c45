"""What follows from later entries: rows of documents that did not change themselves, and of those that are gone."""

from __future__ import annotations

from collections.abc import Mapping

from ledger_world import RUN, told

from callboard.bus.board import BudgetDoc
from callboard.bus.caps import Limits
from callboard.bus.doc import Doc
from callboard.bus.issue_caps import IssueLimits
from callboard.bus.issues import IssueDoc, TrackerDoc
from callboard.ledger.fold import Batch, Standing, fold
from callboard.ledger.records import IssueRecord

OLD = IssueDoc(key="lint__x", title="x", severity="minor", age_runs=2)


def after(*batches: Mapping[str, Doc]) -> Batch:
    """What the last of these changes to the board comes to, each in a batch of its own."""
    standing = Standing(RUN)
    for seq, docs in enumerate(batches, 1):
        found = fold(standing, [told(seq, dict(docs))])
        standing = found.standing
    return found


def issues(batch: Batch) -> list[tuple[str, int, str]]:
    return [(one.key, one.age_tiers, one.severity) for one in batch.records if isinstance(one, IssueRecord)]


def test_an_issue_grows_older_with_each_tier_that_ends_though_nobody_touches_it() -> None:
    seen = {"issue:lint__x": OLD, "budget": BudgetDoc(limits=Limits(issues=IssueLimits(old_after_tiers=1)))}
    assert issues(after(seen)) == [("lint__x", 0, "minor")]
    assert issues(after(seen, {"tracker": TrackerDoc(tiers_ended=("setup",))})) == [("lint__x", 1, "minor")]
    assert issues(after(seen, {"tracker": TrackerDoc(tiers_ended=("setup", "api"))})) == [("lint__x", 2, "major")]


def test_an_issue_counts_as_another_when_a_person_changes_the_caps() -> None:
    strict, patient = (BudgetDoc(limits=Limits(issues=IssueLimits(old_after_runs=runs))) for runs in (1, 2))
    assert issues(after({"issue:lint__x": OLD, "budget": strict}, {"budget": patient})) == [("lint__x", 0, "minor")]
    assert issues(after({"issue:lint__x": OLD, "budget": patient}, {"budget": strict})) == [("lint__x", 0, "major")]


def test_one_that_changes_together_with_what_it_is_counted_by_has_one_row() -> None:
    both = {"issue:lint__x": OLD.model_copy(update={"count": 5}), "tracker": TrackerDoc(tiers_ended=("setup",))}
    assert issues(after({"issue:lint__x": OLD}, both)) == [("lint__x", 1, "minor")]
