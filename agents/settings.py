"""Who is on the roster, and the rules their work is held to."""

from __future__ import annotations

import os
import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from callboard.agents.brains.cli.adapters import ADAPTERS

RESERVED = frozenset({"callboard", "gate", "journal", "land", "launcher", "person", "readme", "timer"})
"""Names of inboxes and senders that are no agents, of the integration branches' folder, and of feedback's README."""

MANAGER: Final = "manager"
"""The manager's name, which is also its inbox."""
HANDS: Final = ("gate", "land")
"""Inboxes of the manager's process beside its own."""
PLANNING: Final = "plan"
"""What stands for a run where plans are made: they belong to none."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[A-Za-z0-9_][A-Za-z0-9_./+-]*(?<![./])")
_CLI_MODEL = re.compile(r"[A-Za-z0-9][^\s\x00-\x1f]{0,199}")
RUN = "{run}"
BRAINS = ("model", "cli", "command", "outside")
"""The keys that say what an agent thinks with."""


def fault(key: str, message: str) -> PydanticCustomError:
    """A mistake that is about one key, although it took several to find it.

    Args:
        key: Dotted, from the table that raises it.
    """
    return PydanticCustomError("fault", "{message}", {"message": message, "key": key})


def _from_array(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_from_array)]
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600, allow_inf_nan=False)]


def _branch(name: str) -> str:
    if not _BRANCH.fullmatch(name.replace(RUN, "x")):
        raise ValueError("expected a branch name")
    return name


def _integration(name: str) -> str:
    if name.count(RUN) != 1:
        raise ValueError(f"expected a branch name with {RUN} in it once: two runs must not share a branch")
    return _branch(name)


def _variables(env: dict[str, str]) -> dict[str, str]:
    for name in env:
        if not _VARIABLE.fullmatch(name) or name.startswith("CALLBOARD_"):
            raise fault(name, "expected the name of an environment variable that is none of Callboard's own")
    return env


def _file(path: str) -> str:
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") for part in parts) or parts[0] in (".git", ".callboard"):
        raise ValueError("expected a file inside the repository, from its top, such as .env.test")
    return path


def _agent_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise ValueError(
            "expected small letters, digits and single hyphens, a letter first, at most 40, such as driver-1"
        )
    if name in RESERVED:
        raise ValueError(f"{name} is a name that Callboard uses itself; take another")
    return name


def _cli(name: str) -> str:
    if name not in ADAPTERS:
        raise ValueError(
            f"{name!r} is no agent CLI that Callboard knows; it knows {', '.join(ADAPTERS)}. Any other program can be run "
            "as `command`, which gets the task as JSON on stdin (docs/brains.md)"
        )
    return name


def _cli_model(name: str) -> str:
    if not _CLI_MODEL.fullmatch(name):
        raise ValueError("expected a model's name as the CLI takes it, without spaces, such as opus")
    return name


def _one_or_more(value: object) -> object:
    """A name, or names in their order, each once."""
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError('expected the name of a [models.NAME] table, or an array of them, such as ["opus", "gpt"]')
    if len(set(names)) < len(names):
        raise ValueError("names a model twice; each is tried once, in this order")
    return names


Numbers = Annotated[tuple[int, ...], BeforeValidator(_from_array)]


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def slots_for(cores: int) -> int:
    """How many gates run at once where nobody says it: a gate keeps about two cores busy, and each slot is set up once more."""
    return max(1, min(4, cores // 2))


class ProjectSettings(Table):
    """`[project]`: the repository's branches, and what runs in a checkout of it."""

    target: Annotated[str, AfterValidator(_branch)] = "main"
    """The branch that promotion moves."""
    integration: Annotated[str, AfterValidator(_integration)] = "callboard/{run}"
    """The branch that landings move."""
    setup: Texts = ()
    """Commands that make a checkout ready to run code."""
    setup_inputs: Texts = ()
    """Files of the repository; setup runs again when one has changed."""
    gate: Texts = ()
    """Commands that must exit 0 on every tree that lands. None = nothing lands, so a launch needs one."""
    gate_strict: Texts = ()
    """What the strict profile of the gate runs besides: for tasks of a high-risk category."""
    lint: Texts = ()
    """Commands that run behind a green gate and stop nothing; what they say of a task's files is kept as minor issues."""
    gate_profile: Literal["normal", "strict"] = "normal"
    """strict: `gate_strict` runs for every task."""
    gate_tries: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a gate is tried that could not run, which says nothing of the tree."""
    gate_backoff_s: Annotated[float, Field(ge=0, le=600)] = 1.0
    """Before the second try; doubled before each later one."""
    gate_timeout_s: Seconds = 1800.0
    """For each command of setup and gate."""
    stuck_after_s: Seconds = 2400.0
    """An attempt that measures no progress for so long is stuck: the 1,800 s of a model's longest command and the 600 s of one
    request together, so that nothing which has a limit of its own is taken for it."""
    env: Annotated[dict[str, str], AfterValidator(_variables)] = {}
    """Environment variables for brains, setup and gate."""
    pass_env: Texts = ()
    """Glob patterns of the variables that are handed on from the launcher's environment."""
    copied: Annotated[tuple[Annotated[str, AfterValidator(_file)], ...], BeforeValidator(_from_array)] = Field(
        default=(), alias="copy"
    )
    """Files that git ignores and a clone or slot needs, such as `.env.test`; copied from the user's checkout."""
    ports: Annotated[int, Field(ge=1, le=100)] = 10
    """How many ports each clone and slot has to itself, from CALLBOARD_PORT on."""
    slots: int = Field(default_factory=lambda: slots_for(os.cpu_count() or 1), ge=1, le=64)
    """How many gates may run at once, each in a checkout of its own."""

    @property
    def gates(self) -> tuple[Texts, Texts]:
        """What runs for every task, and what runs besides for those of a high-risk category."""
        return ((*self.gate, *self.gate_strict), ()) if self.gate_profile == "strict" else (self.gate, self.gate_strict)

    @model_validator(mode="after")
    def _branches_fit(self) -> Self:
        lead = self.integration.partition(RUN)[0]
        if lead.rstrip("/") == self.target or self.target.startswith(lead):
            raise fault("integration", f"clashes with the target branch {self.target}; git cannot hold both")
        return self


class AgentSettings(Table):
    """`[[agents]]`"""

    name: Annotated[str, AfterValidator(_agent_name)]
    role: Literal["manager", "driver", "reviewer", "deployment"]
    seat: Literal["senior", "junior-1", "junior-2"] | None = None
    """A reviewer's place in the trio."""
    command: str | None = None
    """The program that does the work; "" = still to be filled in, which a launch refuses."""
    model: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] | None = None
    """Names of `[models.NAME]` tables; the first that answers is the one that thinks."""
    cli: Annotated[str, AfterValidator(_cli)] | None = None
    """An agent CLI that is installed here (docs/clis.md)."""
    outside: Literal[True] | None = None
    """Nothing here thinks for it: whoever does joins through `callboard mcp` (docs/mcp.md)."""
    cli_model: Annotated[str, AfterValidator(_cli_model)] | None = None
    """The model's name as that CLI takes it; None = the CLI's own default."""
    pass_env: Texts = ()
    """Glob patterns of the launcher's variables that this agent's CLI gets, such as its key; nothing else gets them."""
    timeout_s: Seconds = 3600.0
    """For one attempt at a task, or one review."""

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if (self.role == MANAGER) != (self.name == MANAGER):
            raise fault(
                "name",
                f"the agent of role manager, and no other, is called manager; found {self.name!r} with role {self.role!r}",
            )
        if self.seat is not None and self.role != "reviewer":
            raise fault("seat", f"only reviewers have a seat, and {self.name} is a {self.role}")
        brains = [key for key in BRAINS if getattr(self, key) is not None]
        if len(brains) > 1 or (not brains and self.role != MANAGER):
            raise fault(
                brains[-1] if brains else "model",
                f"{self.name} needs exactly one of {', '.join(BRAINS)}; found {' and '.join(brains) or 'none'}",
            )
        if self.outside and self.role not in ("driver", "reviewer"):
            raise fault("outside", f"only drivers and reviewers can be from outside, and {self.name} is a {self.role}")
        for key in ("cli_model", "pass_env"):
            if getattr(self, key) and self.cli is None:
                raise fault(key, f"only agents with a cli have one, and {self.name} has none")
        return self


class ReviewSettings(Table):
    """`[review]`"""

    deadline_s: Seconds = 900.0
    """A verdict that is not there by then is an abstention."""
    consult_deadline_s: Seconds = 600.0
    """An answer about another agent's blocker that is not there by then is none; as long as one request to a model may take."""
    allow_same_family: bool = False
    """Reviewers may judge with models of one family; without it a launch refuses that."""


class IntakeSettings(Table):
    """`[intake]`: what one handed-in result may change at most."""

    max_files: Annotated[int, Field(ge=1)] = 1000
    max_file_bytes: Annotated[int, Field(ge=1)] = 2_000_000
    max_total_bytes: Annotated[int, Field(ge=1)] = 20_000_000
