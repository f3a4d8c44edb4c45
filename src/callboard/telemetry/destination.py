"""Where traces go, from `[telemetry]` and from OpenTelemetry's standard variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from callboard.bus.errors import ConfigError
from callboard.bus.known_secrets import KnownSecret, url_password
from callboard.telemetry.settings import TelemetrySettings

PREFIX = "OTEL_EXPORTER_OTLP_"
PATH = "/v1/traces"
DEFAULT_TIMEOUT_S = 10.0
"""As the specification of the exporter has it."""
PROTOCOLS = ("http/protobuf",)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Destination:
    """A collector, and how it is spoken to."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_S
    zips: bool = False
    certificate: str = ""
    """A file with the authorities it is trusted by; "" = the system's."""
    client: tuple[str, str] = ("", "")
    """Files with our own certificate and its key; "" = none."""
    resource: Mapping[str, str] = field(default_factory=dict)
    """What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say of us."""

    @property
    def shown(self) -> str:
        """The URL as people may see it: without a password or a query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_wanted(settings: TelemetrySettings, environ: Mapping[str, str]) -> bool:
    """Whether anybody names a collector, rightly or wrongly."""
    return bool(settings.otlp_endpoint or _of(environ, "ENDPOINT"))


def destination(settings: TelemetrySettings, environ: Mapping[str, str]) -> Destination | None:
    """None where nobody wants traces; what callboard.toml says wins.

    Raises:
        ConfigError: Something it says, or a variable, cannot be used; values are not in the text.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    url = _traces(settings.otlp_endpoint) or environ.get(f"{PREFIX}TRACES_ENDPOINT", "").strip()
    url = url or _traces(environ.get(f"{PREFIX}ENDPOINT", "").strip())
    if not url:
        return None
    _check(url)
    protocol = _of(environ, "PROTOCOL")
    if protocol and protocol not in PROTOCOLS:
        raise ConfigError(f"traces: {PREFIX}PROTOCOL says {protocol!r}; only http/protobuf is spoken, to port 4318")
    return Destination(
        url=url,
        headers=dict(_all_headers(settings, environ)),
        timeout_s=_timeout_s(_of(environ, "TIMEOUT")),
        zips=_of(environ, "COMPRESSION") == "gzip",
        certificate=_of(environ, "CERTIFICATE"),
        client=(_of(environ, "CLIENT_CERTIFICATE"), _of(environ, "CLIENT_KEY")),
        resource=_resource(environ),
    )


def header_secrets(settings: TelemetrySettings, environ: Mapping[str, str]) -> tuple[KnownSecret, ...]:
    """What is sent in headers, with and without a word such as `Bearer` in front, and a password in the URL."""
    found = []
    for name in _header_variables(settings):
        for _, value in _pairs(environ.get(name, "")):
            found += [KnownSecret(name, part) for part in dict.fromkeys((value, value.rpartition(" ")[2])) if part]
    if password := url_password(settings.otlp_endpoint):
        found.append(KnownSecret("otlp-endpoint", password))
    return tuple(found)


def _traces(base: str) -> str:
    base = base.rstrip("/")
    return base if not base or base.endswith(PATH) else f"{base}{PATH}"


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise ConfigError("traces: the collector's URL is none; write it like http://127.0.0.1:4318")


def _of(environ: Mapping[str, str], what: str) -> str:
    """A variable for traces, or else for all that is exported."""
    return (environ.get(f"{PREFIX}TRACES_{what}") or environ.get(f"{PREFIX}{what}") or "").strip()


def _timeout_s(text: str) -> float:
    if not text:
        return DEFAULT_TIMEOUT_S
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) == 0:
        raise ConfigError(f"traces: {PREFIX}TIMEOUT is no whole number of milliseconds, such as 10000")
    return int(text) / 1_000


def _header_variables(settings: TelemetrySettings) -> tuple[str, ...]:
    named = (f"{PREFIX}HEADERS", f"{PREFIX}TRACES_HEADERS", settings.headers_env)
    return tuple(name for name in dict.fromkeys(named) if name)


def _all_headers(settings: TelemetrySettings, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if settings.headers_env and not environ.get(settings.headers_env):
        raise ConfigError(
            f"traces: [telemetry] headers_env names {settings.headers_env}, and that is not set: export it"
        )
    for variable in _header_variables(settings):
        for name, value in _pairs(environ.get(variable, "")):
            if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ConfigError(f"traces: {variable} has no list of headers such as `Authorization=Bearer ...`")
            yield name.lower(), value


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """`name=value,name=value`; what a value may not hold is written as %20. What has no `=` is a value without a name."""
    for pair in filter(None, map(str.strip, text.split(","))):
        name, found, value = pair.partition("=")
        yield (unquote(name.strip()), unquote(value.strip())) if found else ("", unquote(pair))


def _resource(environ: Mapping[str, str]) -> dict[str, str]:
    said = {name: value for name, value in _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")) if name}
    if service := environ.get("OTEL_SERVICE_NAME"):
        said["service.name"] = service
    return said
