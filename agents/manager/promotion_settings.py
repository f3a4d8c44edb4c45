"""`[promotion]`: how what has landed reaches the target branch."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from callboard.agents.settings import Table, fault

By = Literal["person", "fast-forward", "pull-request"]
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _remote(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected the name of a git remote, such as origin")
    return name


def _slug(text: str) -> str:
    if text and not _SLUG.fullmatch(text):
        raise ValueError("expected OWNER/NAME as on GitHub")
    return text


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("expected the name of the environment variable that holds the token, such as GITHUB_TOKEN")
    return name


def _api(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/@]+(/[^\s?#]*)?", url):
        raise ValueError("expected the URL of GitHub's API without a login in it, such as https://HOST/api/v3")
    return url.rstrip("/")


class PromotionSettings(Table):
    by: By = "person"
    """person: `callboard promote` fast-forwards the target; fast-forward: the manager does, as soon as the run may be
    promoted; pull-request: the manager pushes the integration branch then, and opens a pull request."""
    remote: Annotated[str, AfterValidator(_remote)] = "origin"
    """Where to push."""
    repository: Annotated[str, AfterValidator(_slug)] = ""
    """OWNER/NAME on GitHub; "" = as the remote's URL says."""
    token_env: Annotated[str, AfterValidator(_variable)] = "GITHUB_TOKEN"
    """The variable that holds the token."""
    api_url: Annotated[str, AfterValidator(_api)] = ""
    """"" = https://api.github.com, or https://HOST/api/v3 of a remote elsewhere."""

    @model_validator(mode="after")
    def _token_is_safe(self) -> Self:
        host = self.api_url.removeprefix("http://").partition("/")[0].partition(":")[0]
        if self.api_url.startswith("http://") and host not in ("127.0.0.1", "localhost"):
            raise fault("api_url", "is not https, so anybody on the way could read the token")
        return self
