"""Whether a watch can ever see enough to pass, by arithmetic alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from callboard.agents.deployment.plan import AnalysisPlan


@dataclass(frozen=True, slots=True)
class Span:
    """One watch: for how long, and what that is called in callboard.toml."""

    key: str
    """bake_s or canary_s; "" = the rehearsal, which only holds."""
    seconds: float

    def looks(self, plan: AnalysisPlan) -> int:
        """How many looks it has at most: one at once, one each interval, and the one that finds the time over."""
        return math.ceil((self.seconds + plan.hold_s) / plan.interval_s) + 1

    def sum(self, plan: AnalysisPlan) -> str:
        """How its looks are counted, for people."""
        said = f"hold_s {plan.hold_s:g}"
        parts = f"({self.key} {self.seconds:g} + {said})" if self.key else said
        return f"{parts} / interval_s {plan.interval_s:g} + 1 = {self.looks(plan)} looks"

    def least(self, plan: AnalysisPlan, looks: int) -> str:
        """What would be enough for so many looks."""
        name = f"{self.key} + hold_s" if self.key else "hold_s"
        return f"set {name} to {math.ceil((looks - 1) * plan.interval_s):g} or more"


def spans(canary_s: float, bake_s: float, *, has_shares: bool) -> tuple[Span, ...]:
    return (*([Span("canary_s", canary_s)] if has_shares else []), Span("bake_s", bake_s))


def never_passes(plan: AnalysisPlan, watches: tuple[Span, ...]) -> tuple[str, str] | None:
    """Why no deployment could ever pass, whoever uses the service, with the key that says so; None = one could."""
    kinds = {metric.kind for metric in plan.metrics}
    for span in watches if "health" in kinds else ():
        looks, needed = span.looks(plan), plan.min_probes
        if looks < needed:
            most = (
                f", or min_samples to {10 * looks + 9} or less"
                if looks >= AnalysisPlan((), min_samples=1).min_probes
                else ""
            )
            why = f"health needs {needed} probes (a tenth of min_samples {plan.min_samples}, and 3 at least), one each look: "
            return "min_samples", f"{why}{span.sum(plan)}; so nothing would ever pass: {span.least(plan, needed)}{most}"
    return _latency(plan) if "latency" in kinds else None


def _latency(plan: AnalysisPlan) -> tuple[str, str] | None:
    """It is tried before any traffic, and judged while Green has all of it: by pairs alone both times."""
    if not plan.pairs_per_s:
        key = "users_only" if plan.users_only else "pairs_per_s"
        why = "latency is compared while Green bakes, when Blue gets no requests of users, and "
        return key, f"{why}{key} leaves none of the watch's own; so nothing would ever pass: take latency out, or {key}"
    rehearsal, each = Span("", 0.0), _pairs_a_look(plan)
    seen = rehearsal.looks(plan) * each
    if seen >= plan.latency_samples:
        return None
    needed = math.ceil(plan.latency_samples / each)
    why = f"latency needs {plan.latency_samples} answers of each before any traffic, {each} each look: "
    return (
        "hold_s",
        f"{why}{rehearsal.sum(plan)}, {seen} answers; so nothing would ever pass: {rehearsal.least(plan, needed)}, or raise pairs_per_s",
    )


def _pairs_a_look(plan: AnalysisPlan) -> int:
    return max(1, round(plan.pairs_per_s * plan.interval_s))


def needs_users(plan: AnalysisPlan, watches: tuple[Span, ...]) -> Iterator[str]:
    """Where the watch's own requests are too few, so that only a service that is used can pass; a sentence each."""
    if plan.users_only or not any(metric.kind == "error-rate" for metric in plan.metrics):
        return
    for span in watches:
        own = span.looks(plan) * (1 + (_pairs_a_look(plan) if plan.pairs_per_s else 0))
        if own < plan.min_samples:
            yield (
                f"error-rate needs min_samples {plan.min_samples} requests, and the watch itself makes {own}: {span.sum(plan)}; "
                f"unless users send Green {plan.min_samples - own} more meanwhile, it goes back: "
                f"{span.least(plan, plan.min_samples)}, or min_samples to {own} or less"
            )
