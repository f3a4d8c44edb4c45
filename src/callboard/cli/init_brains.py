"""Which brains `callboard init` gives a new roster, from the keys and agent CLIs that are there; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.settings.template import DEFAULT_ROSTER, Brains, array


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What a key alone is enough for."""

    name: str
    key: str
    family: str
    lines: str
    """Its [models.NAME] table."""


KNOWN = (
    KnownModel("claude", "ANTHROPIC_API_KEY", "claude", 'provider = "anthropic"\nmodel = "claude-opus-4-5"\n'),
    KnownModel("gpt", "OPENAI_API_KEY", "gpt", 'provider = "openai"\nmodel = "gpt-5"\n'),
    KnownModel(
        "gemini",
        "GEMINI_API_KEY",
        "gemini",
        'provider = "openai"\nmodel = "gemini-2.5-pro"\napi_key_env = "GEMINI_API_KEY"\n'
        'base_url = "https://generativelanguage.googleapis.com/v1beta/openai"\n',
    ),
    KnownModel(
        "deepseek",
        "DEEPSEEK_API_KEY",
        "deepseek",
        'provider = "openai"\nmodel = "deepseek-chat"\napi_key_env = "DEEPSEEK_API_KEY"\n'
        'base_url = "https://api.deepseek.com/v1"\n',
    ),
)
"""In the order of preference; each may be changed in the file that is written."""


@dataclass(frozen=True, slots=True)
class UsableCli:
    """An agent CLI that is installed and can log in."""

    name: str
    pass_env: tuple[str, ...] = ()
    """Variables that it must be given; none where it has a login."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One thing an agent could think with."""

    lines: str
    family: str
    """"" = it cannot be known."""
    model: KnownModel | None = None


def choose_brains(keys: frozenset[str], clis: Sequence[UsableCli]) -> Brains:
    """Drivers get agent CLIs, which are paid for already, then models; reviewers get models, and as many families as
    there are.

    Args:
        keys: Variables that are set, of those in `KNOWN`.
        clis: In the order of preference.
    """
    models = [_of_model(known) for known in KNOWN if known.key in keys]
    programs = [_of_cli(cli) for cli in clis]
    driving, judging = [*programs, *models], _by_family([*models, *programs])
    if not driving:
        return Brains()
    roles = [(name, role) for name, role, _ in DEFAULT_ROSTER]
    drivers = [name for name, role in roles if role == "driver"]
    reviewers = [name for name, role in roles if role == "reviewer"]
    chosen = {name: driving[n % len(driving)] for n, name in enumerate(drivers)}
    chosen |= {name: judging[n % len(judging)] for n, name in enumerate(reviewers)}
    used = dict.fromkeys(source.model for source in chosen.values() if source.model)
    families = [chosen[name].family for name in reviewers]
    return Brains(
        agents={name: source.lines for name, source in chosen.items()},
        models={model.name: model.lines for model in used},
        shares_family=len({family for family in families if family}) < len([family for family in families if family]),
    )


def found_note(brains: Brains) -> Iterator[str]:
    """What a person is told about them."""
    if brains.agents:
        given = ", ".join(f"{name}: {lines.splitlines()[0]}" for name, lines in brains.agents.items())
        yield f"the roster thinks with what was found here: {given}"
    if brains.shares_family:
        yield (
            "fewer than three model families were found, so reviewers share one ([review] allow_same_family); "
            "a key or a CLI of another family makes them see more"
        )


def way_to_brains() -> str:
    """What to do where nothing was found."""
    keys = ", ".join(known.key for known in KNOWN)
    return (
        f"no model's key ({keys}) and no agent CLI with a login ({', '.join(ADAPTERS)}) was found. Set a key and give "
        "agents a `model`, or log in to a CLI and give them a `cli` (it needs no key), or give each a `command`, any "
        "program, which needs neither: it gets its task as JSON on stdin and works in the current folder"
    )


def _of_model(known: KnownModel) -> _Source:
    return _Source(f'model = "{known.name}"\n', known.family, known)


def _of_cli(cli: UsableCli) -> _Source:
    passed = f"pass_env = {array(cli.pass_env)}\n" if cli.pass_env else ""
    return _Source(f'cli = "{cli.name}"\n{passed}', ADAPTERS[cli.name].family)


def _by_family(sources: Sequence[_Source]) -> list[_Source]:
    """The first of each family; those of none only where there is nothing else."""
    first: dict[str, _Source] = {}
    for source in sources:
        if source.family:
            first.setdefault(source.family, source)
    return list(first.values()) or list(sources)
