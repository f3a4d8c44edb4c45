"""The six inputs of a deployment: what is missing is named, each with the way out, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.workspace.globs import matches_any


@dataclass(frozen=True, slots=True)
class Given:
    """What is there.

    Args:
        commit: As it was asked for.
        is_landed: It is in the repository, and the integration branch or the target contains it.
        files: Path -> size of what the commit holds.
        secrets: Names of those that have a value.
    """

    commit: str
    is_landed: bool
    files: Mapping[str, int]
    secrets: frozenset[str]


def missing(settings: DeploySettings, environment: str, given: Given) -> tuple[str, ...]:
    """A sentence for each input that is not there; () = all six are."""
    return tuple(_missing(settings, environment, given))


def _missing(settings: DeploySettings, environment: str, given: Given) -> Iterator[str]:
    if not given.is_landed:
        yield (
            f"code: {given.commit[:12] or 'the commit'} has not landed, and only what has landed is deployed; "
            "leave --commit out for what landed last"
        )
    yield from _files("requirements", settings.requirements, given, 'requirements = ["docs/requirements.md"]')
    if not any(settings.tests.by_kind.values()):
        yield 'tests: none are named; set unit, integration and health under [deploy.tests], such as health = ["..."]'
    if not settings.start and settings.target == "process":
        yield "configuration: nothing says how the service is started; set `start` in [deploy]"
    if absent := [name for name in settings.environments[environment].secrets if name not in given.secrets]:
        place = settings.environments[environment].secrets_file or "the environment of `callboard launch`"
        yield f"configuration: no value for {', '.join(absent)} of {environment}; set it in {place}"
    if not settings.infrastructure:
        yield 'infrastructure: no file is named; set infrastructure, such as ["Dockerfile", "deploy/**"]'
    for pattern in settings.infrastructure:
        if not any(matches_any((pattern,), path) for path in given.files):
            yield f"infrastructure: {pattern} names no file of {given.commit[:12]}; add one, or correct infrastructure"
    plan = (settings.rollback_plan,) if settings.rollback_plan else ()
    yield from _files("rollback plan", plan, given, 'rollback_plan = "docs/rollback.md"')


def _files(what: str, paths: tuple[str, ...], given: Given, example: str) -> Iterator[str]:
    if not paths:
        yield f"{what}: no file is named; set {example} in [deploy]"
    for path in paths:
        if path not in given.files:
            yield f"{what}: {path} is not in {given.commit[:12]}; commit it, or correct [deploy]"
        elif not given.files[path]:
            yield f"{what}: {path} is empty in {given.commit[:12]}; say there what it is"
