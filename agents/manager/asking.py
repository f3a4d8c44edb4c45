"""Who may answer what, and within which time; as callboard.toml has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from callboard.bus.questions import ANYBODY

EVERYBODY = (ANYBODY,)


@dataclass(frozen=True, slots=True)
class Asking:
    """A name is taken as it is said, since nothing here proves it: this keeps mistakes out, not fraud."""

    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role of people -> their names."""
    agents: tuple[str, ...] = EVERYBODY
    """Who may answer what agents ask: names and roles."""
    approvals: tuple[str, ...] = EVERYBODY
    caps: tuple[str, ...] = EVERYBODY
    within: timedelta = timedelta(hours=24)
    """When a question takes its default, or is overdue."""

    def may_answer(self, who: Sequence[str], name: str) -> bool:
        """Whether somebody of that name is among them; letters' case does not count."""
        named = {one.casefold() for each in who for one in (each, *self.roles.get(each, ()))}
        return ANYBODY in who or (bool(name) and name.casefold() in named - {role.casefold() for role in self.roles})

    def spelled(self, who: Sequence[str]) -> str:
        """`lead (Ada, Grace) or Linus`."""
        return " or ".join(f"{one} ({', '.join(self.roles[one])})" if one in self.roles else one for one in who)
