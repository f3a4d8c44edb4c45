"""The six inputs of a deployment: what is missing is named, each with the way out, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.globs import matches_any

CONFIGURATION = "configuration: "
"""What sentences about it begin with."""


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


def sizes(settings: DeploySettings, repository: Repository, commit: str) -> dict[str, int]:
    """Path -> size of what a commit holds; of files whose size nobody asks for, 1."""
    named = {*settings.requirements, settings.rollback_plan} - {""}
    files = repository.entries(commit)
    read = repository.read_paths(commit, [path for path in named if path in files])
    return {path: len(read[path].strip()) if path in read else 1 for path in files}


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
        yield f"{CONFIGURATION}nothing says how the service is started; set `start` in [deploy]"
    if absent := [name for name in settings.environments[environment].secrets if name not in given.secrets]:
        place = settings.environments[environment].secrets_file or "the environment of `callboard launch`"
        yield f"{CONFIGURATION}no value for {', '.join(absent)} of {environment}; set it in {place}"
    if not settings.infrastructure:
        yield 'infrastructure: no file is named; set infrastructure, such as ["Dockerfile", "deploy/**"]'
    for pattern in settings.infrastructure:
        if not any(matches_any((pattern,), path) for path in given.files):
            yield f"infrastructure: {pattern} names no file of {given.commit[:12]}; add one, or correct infrastructure"
    plan = (settings.rollback_plan,) if settings.rollback_plan else ()
    yield from _files("rollback plan", plan, given, 'rollback_plan = "docs/rollback.md"')


def foreseen(settings: DeploySettings, environment: str, files: Mapping[str, int], commit: str) -> Iterator[str]:
    """What a deployment of this commit would stop at, or ask a person, so far as files and settings tell: a sentence each.

    Left out is what the target and the secrets say themselves.
    """
    given = Given(commit, True, files, frozenset(settings.environments[environment].secrets))
    for sentence in missing(settings, environment, given):
        if not sentence.startswith(CONFIGURATION):
            yield f"no deployment would begin, {sentence}"
    kinds = settings.tests.by_kind
    if (absent := [kind for kind, commands in kinds.items() if not commands]) and len(absent) < len(kinds):
        yield f"tests: none of the kind {', '.join(absent)} under [deploy.tests], so each deployment would ask a person to go on without"
    if settings.environments[environment].production:
        yield from _unshown(settings, environment, files, commit)


def _unshown(settings: DeploySettings, environment: str, files: Mapping[str, int], commit: str) -> Iterator[str]:
    """What the checklist would not know, whatever is deployed."""
    held, ready = f"{environment} is production, and its checklist would hold each deployment", settings.ready
    silent = [item for item, commands in ready.commands.items() if not commands]
    if silent := [*silent, *([] if ready.documentation else ["documentation"])]:
        yield f"{held}: [deploy.ready] says nothing for {', '.join(silent)}"
    if absent := [path for path in ready.documentation if path not in files]:
        yield f"{held}: documentation {', '.join(absent)} is not in {commit[:12]}"


def _files(what: str, paths: tuple[str, ...], given: Given, example: str) -> Iterator[str]:
    if not paths:
        yield f"{what}: no file is named; set {example} in [deploy]"
    for path in paths:
        if path not in given.files:
            yield f"{what}: {path} is not in {given.commit[:12]}; commit it, or correct [deploy]"
        elif not given.files[path]:
            yield f"{what}: {path} is empty in {given.commit[:12]}; say there what it is"
