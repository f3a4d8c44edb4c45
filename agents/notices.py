"""Notices: what the manager tells an agent for its log. Work comes by other messages."""

from __future__ import annotations

from callboard.bus.errors import Reject
from callboard.bus.messages import (
    JOURNAL,
    AnswerGiven,
    ApprovalRequested,
    BlockerClimbed,
    BlockerResolved,
    ChangesRequested,
    Draft,
    Envelope,
    FeedbackLogged,
    HandInRefused,
    LogKind,
    MergeLanded,
    Outcome,
    TaskCancelled,
    TaskClosed,
)
from callboard.feedback.facts import finding_fact


def log_notice(agent: str, notice: Envelope) -> Outcome:
    """The agent's own entry about what it was told.

    Raises:
        Reject: It is no notice, so nobody would act on it.
    """
    return Outcome((Draft(JOURNAL, _entry(agent, notice), notice.task, notice.attempt),))


def _entry(agent: str, notice: Envelope) -> FeedbackLogged:
    match notice.body:
        case HandInRefused(rule=rule, path=path, way_out=way_out):
            place = f"rule {rule}" + (f", `{path}`" if path else "")
            return _logged(agent, "evidence", "intake refused it", place, f"way out: {way_out}")
        case ApprovalRequested(question=question, text=text, permits=permits):
            facts = (f"rule {permit.rule}, `{permit.path}`" for permit in permits)
            return _logged(agent, "question", f"intake asks a person: {question}", *facts, text=text)
        case ChangesRequested(source="review", summary=summary, findings=findings):
            return _logged(agent, "review", "sent back by review", *map(finding_fact, findings), text=summary)
        case ChangesRequested(source="landing", summary=summary, detail=detail):
            return _logged(agent, "merge", "sent back by landing", text=f"{summary}\n\n{detail}".strip())
        case ChangesRequested(summary=summary):
            return _logged(agent, "evidence", "sent back by gate", text=summary)
        case BlockerClimbed(blocker=blocker, what=what, rung=rung, facts=facts):
            return _logged(agent, "blocker", f"{blocker} climbs: {rung}", f"blocked by: {what}", *facts)
        case BlockerResolved(blocker=blocker, answer=answer, by=by):
            advice = () if by == "person" else (f"advice of {by}, not an order",)
            return _logged(agent, "resolved", "goes on", f"was blocked by: {blocker}", f"answer: {answer}", *advice)
        case AnswerGiven(question=question, text=text):
            return _logged(agent, "answer", "goes on", f"question: {question}", f"answer: {text}")
        case MergeLanded(commit=commit, ref=ref):
            branch = ref.removeprefix("refs/heads/")
            return _logged(agent, "merge", "landed", f"commit `{commit[:7]}` on `{branch}`")
        case TaskClosed(state=state, reason=reason):
            return _logged(agent, "task", state, text=reason)
        case TaskCancelled(reason=reason):
            return _logged(agent, "task", "cancelled", text=reason)
        case _:
            raise Reject(f"{agent} has nothing to do with {notice.kind}")


def _logged(agent: str, entry: LogKind, title: str, *facts: str, text: str = "") -> FeedbackLogged:
    return FeedbackLogged(log=agent, entry=entry, title=title, facts=facts, text=text)
