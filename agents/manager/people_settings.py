"""`[people]` and `[questions]`: who answers what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from callboard.agents.manager.asking import Asking
from callboard.agents.settings import Table, Texts
from callboard.bus.questions import ANYBODY

_ROLE = re.compile(r"[a-z][a-z0-9-]{0,39}")


def _role(name: str) -> str:
    if not _ROLE.fullmatch(name) or name == ANYBODY:
        raise ValueError(
            f"expected the name of a role of people, such as lead: small letters, digits, -; not {ANYBODY}"
        )
    return name


PeopleRoles = dict[Annotated[str, AfterValidator(_role)], Annotated[Texts, Field(min_length=1)]]
"""Role -> the names that people go by (docs/questions.md says which name is whose)."""


class QuestionSettings(Table):
    """`[questions]`: each a list of names and roles; empty = anybody."""

    agents: Texts = ()
    """Who may answer what agents ask and what blocks them."""
    approvals: Texts = ()
    """Who may let through what intake stops."""
    caps: Texts = ()
    """Who may raise a cap that is reached."""
    deadline_s: Annotated[float, Field(ge=60, le=90 * 24 * 3600, allow_inf_nan=False)] = 24 * 3600.0
    """After it a question takes its default; one without is overdue, and waits on."""

    def asking(self, roles: Mapping[str, tuple[str, ...]]) -> Asking:
        """The same as the desk wants it."""
        anybody = (ANYBODY,)
        return Asking(
            roles,
            agents=self.agents or anybody,
            approvals=self.approvals or anybody,
            caps=self.caps or anybody,
            within=timedelta(seconds=self.deadline_s),
        )
