"""Where traces go, as callboard.toml says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that starts with http:// or https://, such as http://127.0.0.1:4318")
    return url.rstrip("/")


class TelemetrySettings(BaseModel):
    """`[telemetry]`"""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    otlp_endpoint: Annotated[str, AfterValidator(_http)] = ""
    """A collector's URL, without /v1/traces; "" = the standard OTEL_ variables say it, or nothing is sent."""
    headers_env: str = ""
    """The variable with the headers that it wants, as `Authorization=...`; its value is a secret."""
