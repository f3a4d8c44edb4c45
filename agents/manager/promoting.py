"""The desk's side of promotion: when it is done, and what became of it."""

from __future__ import annotations

from callboard.agents.manager import summary
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.eligibility import not_promotable
from callboard.bus.messages import JOURNAL, CommandHandled, PromotionChanged, PromotionFinished, PromotionRequested


def asked(decision: Decision) -> None:
    """A person's command."""
    summary.settle(decision)
    unmet = not_promotable(decision.board)
    if unmet:
        told = "not eligible for promotion:" + "".join(f"\n- {reason}" for reason in unmet)
        _reply(decision, decision.cause.id, False, told)
        return
    decision.send("land", PromotionRequested(command=decision.cause.id))


def settle(decision: Decision) -> None:
    """By itself, once for each head, where callboard.toml wants that."""
    run = decision.board.run
    if not decision.policy.promotes or run.offered == run.head or not_promotable(decision.board):
        return
    decision.put_run(offered=run.head)
    decision.send("land", PromotionRequested(command=""))


def finished(decision: Decision, body: PromotionFinished) -> None:
    if not body.ok:
        _failed(decision, body)
    elif body.pull_request and not body.is_merged:
        decision.put_run(pull_request=body.pull_request)
        said = f"{body.pull_request} offers {body.new[:12]} for {body.target}"
        decision.log("merge", "pull request is open", [said])
        _reply(decision, body.command, True, f"{said}; once it is merged, `callboard promote` takes note of that")
    else:
        decision.put_run(promoted=body.new, **({"pull_request": body.pull_request} if body.pull_request else {}))
        decision.send(JOURNAL, PromotionChanged(target=body.target, old=body.old, new=body.new))
        moved = f"{body.target}: {f'{body.old[:12]} -> ' if body.old else ''}{body.new[:12]}"
        by = f" by {body.pull_request}" if body.pull_request else ""
        decision.log("merge", "promoted", [moved + by])
        _reply(decision, body.command, True, f"promoted {moved}{by}")


def _failed(decision: Decision, body: PromotionFinished) -> None:
    _reply(decision, body.command, False, body.reason)
    if not body.command:
        decision.put_run(detail=f"not promoted: {body.reason}")
        decision.log("merge", "not promoted", [body.reason])


def _reply(decision: Decision, command: str, ok: bool, text: str) -> None:
    """Nobody waits for what the manager does by itself."""
    if command:
        decision.send(JOURNAL, CommandHandled(command=command, ok=ok, text=text))
