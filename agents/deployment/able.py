"""What a deployment does without where its target cannot do it, or its analysis sees too little of itself, as sentences. Pure."""

from __future__ import annotations

from callboard.agents.deployment.enough import needs_users
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.deployment.target import Abilities


def shortcomings(abilities: Abilities, settings: DeploySettings) -> tuple[str, ...]:
    """A sentence for each ability that is missing, with what happens instead, and for each watch that cannot pass without users;
    () = it can do everything."""
    found = []
    if not abilities.weights:
        steps = f"canary = {list(settings.canary)} is one switch" if len(settings.canary) > 1 else "one switch"
        found.append(f"it switches all traffic at once: {steps}, and Green is watched while it bakes")
    if not abilities.drain:
        found.append(
            f"it cannot tell when a release has no requests in flight: {settings.drain_s:g} s (drain_s) are waited before it stops"
        )
    if not abilities.statistics:
        found.append("it cannot tell what real requests met: analyses see their own requests alone")
    of_target = (f"target {settings.target}: {one}" for one in found)
    return (*of_target, *needs_users(settings.analysis.plan(), settings.watches))


def impossible(abilities: Abilities, settings: DeploySettings) -> str:
    """Why no deployment could ever pass; "" = one could."""
    if settings.analysis.users_only and not abilities.statistics:
        return (
            f"[deploy.analysis] users_only judges by users' requests alone, and target {settings.target} cannot tell what "
            "they met, so nothing would ever pass; take users_only out"
        )
    return ""
