"""Whether `[deploy]` can do what it says, for `callboard doctor` and `callboard launch --dry-run`; nothing is started."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from callboard.bus.errors import CallboardError

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.deploying import Deploying

Found = tuple[Literal["ok", "warn", "fail"], str]


def deploy_findings(workspace: Workspace) -> Iterator[Found]:
    """Nothing where callboard.toml has no [deploy]."""
    if workspace.settings.deploy is None:
        return
    from callboard.agents.deployment.able import shortcomings
    from callboard.deploying import Deploying

    deploying = Deploying(workspace)
    settings = deploying.settings
    places = (f"{name} on port {settings.port_in(name)}" for name in settings.environments)
    where = ", then ".join(settings.environments if settings.target == "command" else places)
    yield "ok", f"target {settings.target}: {where}"
    yield from _programs(deploying)
    problems: dict[str, list[str]] = {}
    for name in settings.environments:
        yield from _secrets(deploying, name)
        for problem in _problems(deploying, name):
            problems.setdefault(problem, []).append(name)
        for notice in _notices(deploying, name):
            yield "warn", f"{name}: {notice}"
    for problem, names in problems.items():
        yield "fail", f"{', '.join(names)}: {problem}"
    for sentence in shortcomings(deploying.target(settings.first).abilities, settings):
        yield "warn", sentence
    for sentence in _foreseen(deploying):
        yield "warn", sentence


def _foreseen(deploying: Deploying) -> tuple[str, ...]:
    """What deployments of what has landed by now would miss; once, where several environments do."""
    from callboard.agents.deployment.inputs import foreseen, sizes
    from callboard.launch.runs import runs

    settings, repository = deploying.settings, deploying.workspace.repository
    project = deploying.workspace.settings.project
    branches = [project.integration.format(run=run) for run in runs(repository)[-1:]]
    heads = [repository.resolve(f"refs/heads/{branch}") for branch in (*branches, project.target)]
    commit = next(filter(None, heads), None)
    if commit is None:
        return ()
    files = sizes(settings, repository, commit)
    return tuple(
        dict.fromkeys(one for name in settings.environments for one in foreseen(settings, name, files, commit))
    )


def _problems(deploying: Deploying, environment: str) -> tuple[str, ...]:
    try:
        return deploying.target(environment).problems()
    except CallboardError as error:
        return (str(error),)


def _notices(deploying: Deploying, environment: str) -> tuple[str, ...]:
    from callboard.agents.deployment.target import notices

    try:
        return notices(deploying.target(environment))
    except CallboardError:
        return ()  # a problem says why


def _programs(deploying: Deploying) -> Iterator[Found]:
    """What is there; what is not there, the target's problems say."""
    from callboard.agents.deployment.docker import find_compose
    from callboard.agents.deployment.haproxy import find_haproxy, version_of

    settings, workspace = deploying.settings, deploying.workspace
    path = workspace.environ.get("PATH")
    if settings.target == "command":
        return
    try:
        proxy = find_haproxy(path)
        yield "ok", f"HAProxy {'.'.join(map(str, version_of(proxy)))}: {proxy}"
        if settings.target == "compose":
            yield "ok", find_compose(workspace.environ)
    except CallboardError:
        return
    if settings.target == "process" and settings.start:
        yield _start(settings.start, path)


def _start(command: str, path: str | None) -> Found:
    from callboard.cli.doctor import program_of

    program = program_of(command.removeprefix("exec ").lstrip())
    if not program or "/" in program or shutil.which(program, path=path):
        return "ok", f"starts with `{command}`, in a checkout of the commit"
    return (
        "warn",
        f"{program}, which `start` begins with, is not on PATH; it has to come with [project] setup or `build`",
    )


def _secrets(deploying: Deploying, environment: str) -> Iterator[Found]:
    from callboard.agents.deployment.secret_values import secret_values

    here, workspace = deploying.settings.environments[environment], deploying.workspace
    if not here.secrets:
        return
    absent = set(here.secrets) - secret_values(here, workspace.root, workspace.environ).keys()
    if absent:
        place = here.secrets_file or "the environment of `callboard launch`"
        yield "fail", f"{environment}: no value for {', '.join(sorted(absent))}; set it in {place}"
    else:
        yield "ok", f"{environment}: there are values for {', '.join(here.secrets)}"
