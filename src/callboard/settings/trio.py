"""The trio's rule: three reviewers of three model families, so that what one family does not see another may. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.settings import ModelSettings, family_in
from callboard.agents.settings import AgentSettings

WAY_OUT = "or say `[review] allow_same_family = true`"


def families(agent: AgentSettings, models: Mapping[str, ModelSettings]) -> dict[str, str | None]:
    """Whose weights judge: each model that may answer for an agent -> its family, None where nobody knows.

    Empty for programs, and for an agent CLI that could use anything: what thinks in them is not known here.
    """
    if agent.cli is not None:
        family = family_in(agent.cli_model or "") or ADAPTERS[agent.cli].family
        return {agent.cli: family} if family else {}
    return {name: models[name].known_family for name in agent.model or ()}


def family_problems(reviewers: Sequence[AgentSettings], models: Mapping[str, ModelSettings]) -> Iterator[str]:
    """What breaks the rule, a sentence each, with the way out."""
    known = {agent.name: families(agent, models) for agent in reviewers}
    unknown = {name for found in known.values() for name, family in found.items() if family is None}
    for name in sorted(unknown):
        yield (
            f"nobody can tell the family of model {name}, and three reviewers are to be of three: "
            f'give [models.{name}] its family, such as family = "llama", {WAY_OUT}'
        )
    for one, other in combinations(known, 2):
        shared = sorted({family for family in known[one].values() if family} & {*known[other].values()})
        if shared:
            yield (
                f"{one} and {other} both judge with a model of the family {shared[0]}, and would miss the same things: "
                f"give one of them a model of another family, {WAY_OUT}"
            )


def shown_families(reviewers: Sequence[AgentSettings], models: Mapping[str, ModelSettings]) -> str:
    """Reviewer by reviewer, for a person; what cannot be known is said to be unknown."""
    return "; ".join(f"{agent.name}: {_shown(agent, models)}" for agent in reviewers) or "no reviewers"


def _shown(agent: AgentSettings, models: Mapping[str, ModelSettings]) -> str:
    known = families(agent, models)
    if not known:
        return "unknown (a program)"
    return " or ".join(dict.fromkeys(family or "family unknown" for family in known.values()))
