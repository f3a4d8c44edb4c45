"""`[deploy]`: what a deployment needs to know, and its environments in their order."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from callboard.agents.deployment.analysis_settings import AnalysisSettings
from callboard.agents.deployment.enough import Span, never_passes, spans
from callboard.agents.deployment.ready_settings import ReadySettings
from callboard.agents.deployment.target_settings import Port, TargetSettings
from callboard.agents.settings import Numbers, Seconds, Table, Texts, fault

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PRODUCTION = "production"
"""The one environment of a file that names none."""

Acceptance = Literal["auto", "ask"]


def _environment(name: str) -> str:
    if not _ENVIRONMENT.fullmatch(name) or len(name) > 40:
        raise ValueError("expected small letters, digits and single hyphens, a letter first, such as staging")
    return name


def _variables(env: dict[str, str]) -> dict[str, str]:
    for name in env:
        if not _VARIABLE.fullmatch(name) or name.startswith("CALLBOARD_"):
            raise fault(name, "expected the name of an environment variable that is none of Callboard's own")
    return env


def _secrets(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable; a secret is named here, its value never stands here")
        if name.startswith("CALLBOARD_"):
            raise ValueError(
                f"{name} is one of Callboard's own names; give the secret another, which the service reads"
            )
    return names


def _weights(steps: tuple[int, ...]) -> tuple[int, ...]:
    if not steps or list(steps) != sorted(set(steps)) or steps[0] < 1 or steps[-1] != 100:
        raise ValueError("expected rising per cents of the traffic that end in 100, such as [5, 25, 50, 100]")
    return steps


def _folder(path: str) -> str:
    parts = path.split("/") if path else []
    if "\\" in path or any(not part or part.startswith(".") for part in parts):
        raise ValueError('expected a folder of the repository, from its top, such as docs/deployments; "" = none')
    return path


Folder = Annotated[str, AfterValidator(_folder)]
Variables = Annotated[dict[str, str], AfterValidator(_variables)]
Secrets = Annotated[Texts, AfterValidator(_secrets)]
Weights = Annotated[Numbers, AfterValidator(_weights)]


class TestSettings(Table):
    """`[deploy.tests]`: commands that are run against Green, which they find in CALLBOARD_ENV and CALLBOARD_URL."""

    __test__ = False

    unit: Texts = ()
    integration: Texts = ()
    health: Texts = ()
    timeout_s: Seconds = 1800.0
    """For each command."""

    @property
    def by_kind(self) -> dict[str, tuple[str, ...]]:
        return {"unit": self.unit, "integration": self.integration, "health": self.health}


class EnvironmentSettings(Table):
    """`[deploy.environments.NAME]`"""

    port: Port | None = None
    """Where the service answers there; None = as `[deploy]` says."""
    env: Variables = {}
    """Variables of the service there, over those of `[deploy.env]`."""
    secrets: Secrets = ()
    """Names of variables of the launcher, or of lines in `secrets_file`, that the service gets there."""
    secrets_file: str = ""
    """A file of NAME=value lines that git ignores, from the repository's top; "" = none."""
    acceptance: Acceptance | None = None
    """None = as `[deploy]` says."""
    production: bool = False
    """People depend on it: before a release gets traffic here, the checklist of `callboard ready` has to pass, or a person lets
    named items of it pass."""


class DeploySettings(TargetSettings):
    healthy_within_s: Seconds = 60.0
    """How long Green may take to answer for the first time."""
    settled_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 2.0
    """How long Green has to stay healthy before anything is tested."""
    smoke: Texts = ()
    """Commands that must exit 0 against Green before it is tested."""
    env: Variables = {}
    """Variables of the service in every environment."""
    canary: Weights = (100,)
    """Per cents of the traffic that Green gets, one step after the other."""
    canary_s: Seconds = 30.0
    """How long each of them but the last is watched."""
    bake_s: Seconds = 60.0
    """How long Green serves all while Blue stays warm."""
    drain_s: Seconds = 30.0
    """How long requests in flight may take once no new ones come."""
    acceptance: Acceptance = "auto"
    """ask: a person is shown Green's address and the test summary before it is promoted."""
    requirements: Texts = ()
    """Files of the repository that say what the service has to do."""
    infrastructure: Texts = ()
    """Glob patterns of the files that say how it runs; a fix in them is the deployment agent's own."""
    rollback_plan: str = ""
    """The file of the repository that says how to go back."""
    notes: Folder = "docs/deployments"
    """The folder of the repository in which the notes of finished deployments land; "" = they stay on the agent's log branch."""
    docs: Texts = ()
    """Glob patterns of documents that may have to follow a finished deployment: the deployment agent's brain sees to them, in
    the task of its notes. () = no brain is asked."""
    tests: TestSettings = TestSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    ready: ReadySettings = ReadySettings()
    error_patterns: Texts = (r"Traceback \(most recent call last\)", "panic:", "FATAL")
    """Regular expressions that must not be found in what Green prints while it is tested."""
    fixes: Annotated[int, Field(ge=0, le=100)] = 5
    """How many fixes one deployment may take."""
    fix_tokens: Annotated[int, Field(ge=1)] = 1_000_000
    """What each of them may use."""
    fix_minutes: Annotated[int, Field(ge=1)] = 120
    """How long fixing may take altogether, from the first failure on."""
    environments: dict[Annotated[str, AfterValidator(_environment)], EnvironmentSettings] = {
        PRODUCTION: EnvironmentSettings()
    }
    """In their order: a commit passes each of them before the next."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.environments:
            raise fault("environments", "names none; leave it out for one that is called production")
        for pattern in self.error_patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise fault("error_patterns", f"{pattern!r} is no regular expression: {error}") from error
        self._check_ports()
        if never := never_passes(self.analysis.plan(), self.watches):
            raise fault(f"analysis.{never[0]}", never[1])
        return self

    @property
    def watches(self) -> tuple[Span, ...]:
        """What each deployment is watched for: its shares, where the target gives any, and the bake."""
        gives_shares = self.target != "command" or self.commands.weights
        return spans(self.canary_s, self.bake_s, has_shares=gives_shares and len(self.canary) > 1)

    def _check_ports(self) -> None:
        if self.target == "command":
            return
        held: dict[int, str] = {}
        for name in self.environments:
            port = self.port_in(name)
            if port in held:
                raise fault(
                    f"environments.{name}", f"answers on port {port}, as {held[port]} does; give it another `port`"
                )
            held[port] = name

    @property
    def first(self) -> str:
        """The environment that every command means which names none."""
        return next(iter(self.environments))

    def unknown(self, environment: str) -> str:
        """Why an environment cannot be meant; "" = it is there."""
        if environment in self.environments:
            return ""
        return f"no environment {environment!r} under [deploy.environments]; there are: {', '.join(self.environments)}"

    @property
    def longest_step_s(self) -> float:
        """The longest that one step may take."""
        commands = sum(map(len, self.tests.by_kind.values())) + len(self.smoke)
        watched = max(self.bake_s, self.canary_s) + self.analysis.hold_s + self.drain_s
        checked = sum(map(len, self.ready.commands.values()))
        return watched + self.healthy_within_s + self.settled_s + self.tests.timeout_s * (max(commands, checked) + 1)

    def before(self, environment: str) -> str:
        """The environment that a commit must have passed first; "" for the first one."""
        names = list(self.environments)
        at = names.index(environment)
        return names[at - 1] if at else ""

    def acceptance_in(self, environment: str) -> Acceptance:
        return self.environments[environment].acceptance or self.acceptance

    def port_in(self, environment: str) -> int:
        port = self.environments[environment].port
        return self.port if port is None else port
