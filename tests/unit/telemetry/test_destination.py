"""What the settings and OpenTelemetry's variables come to."""

from __future__ import annotations

import pytest

from callboard.bus.errors import ConfigError
from callboard.telemetry.destination import Destination, destination, header_secrets, is_wanted
from callboard.telemetry.settings import TelemetrySettings

NOTHING = TelemetrySettings()
HERE = TelemetrySettings(otlp_endpoint="http://here:4318")
OTLP = "OTEL_EXPORTER_OTLP_"


def found(settings: TelemetrySettings, **variables: str) -> Destination:
    to = destination(settings, variables)
    assert to is not None
    return to


def test_nobody_is_told_where_no_collector_is_named_or_nobody_wants_it() -> None:
    assert destination(NOTHING, {}) is None
    assert not is_wanted(NOTHING, {f"{OTLP}HEADERS": "a=b"})
    assert is_wanted(HERE, {})
    assert is_wanted(NOTHING, {f"{OTLP}ENDPOINT": "x"})
    for no in ({"OTEL_SDK_DISABLED": "True"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert destination(HERE, no) is None


@pytest.mark.parametrize(
    ("settings", "variables", "url"),
    [
        (HERE, {}, "http://here:4318/v1/traces"),
        (HERE, {f"{OTLP}ENDPOINT": "http://there"}, "http://here:4318/v1/traces"),
        (TelemetrySettings(otlp_endpoint="http://h/v1/traces"), {}, "http://h/v1/traces"),
        (TelemetrySettings(otlp_endpoint="http://h/otlp/"), {}, "http://h/otlp/v1/traces"),
        (NOTHING, {f"{OTLP}ENDPOINT": "http://there:4318/"}, "http://there:4318/v1/traces"),
        (
            NOTHING,
            {f"{OTLP}ENDPOINT": "http://there", f"{OTLP}TRACES_ENDPOINT": "http://as/it/is"},
            "http://as/it/is",
        ),
    ],
)
def test_the_file_counts_more_than_variables_and_those_for_traces_more_than_those_for_all(
    settings: TelemetrySettings, variables: dict[str, str], url: str
) -> None:
    assert found(settings, **variables).url == url


def test_headers_are_those_of_the_variables_with_ours_on_top() -> None:
    ours = TelemetrySettings(otlp_endpoint="http://h", headers_env="MINE")
    to = found(
        ours,
        **{f"{OTLP}HEADERS": "X-Org=1,Authorization=old", f"{OTLP}TRACES_HEADERS": "x-org = 2,"},
        MINE="Authorization=Bearer%20k=",
    )
    assert to.headers == {"x-org": "2", "authorization": "Bearer k="}
    assert "Bearer" not in repr(to)


def test_the_rest_is_as_the_specification_has_it() -> None:
    plain = found(HERE)
    assert (plain.timeout_s, plain.zips, plain.certificate, plain.client, plain.resource) == (
        10,
        False,
        "",
        ("", ""),
        {},
    )
    to = found(
        HERE,
        **{f"{OTLP}TIMEOUT": "1500", f"{OTLP}COMPRESSION": "gzip", f"{OTLP}CERTIFICATE": "ca.pem"},
        **{f"{OTLP}CLIENT_CERTIFICATE": "c.pem", f"{OTLP}CLIENT_KEY": "k.pem", f"{OTLP}PROTOCOL": "http/protobuf"},
        OTEL_RESOURCE_ATTRIBUTES="service.name=a,team=b%20c",
        OTEL_SERVICE_NAME="roster",
    )
    assert (to.timeout_s, to.zips, to.certificate, to.client) == (1.5, True, "ca.pem", ("c.pem", "k.pem"))
    assert to.resource == {"service.name": "roster", "team": "b c"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({f"{OTLP}ENDPOINT": "collector:4318"}, "write it like http://127.0.0.1:4318"),
        ({f"{OTLP}ENDPOINT": "http://h:sekret"}, "write it like http://127.0.0.1:4318"),
        ({f"{OTLP}ENDPOINT": "http://h", f"{OTLP}PROTOCOL": "grpc"}, "only http/protobuf"),
        ({f"{OTLP}ENDPOINT": "http://h", f"{OTLP}TIMEOUT": "10s"}, "milliseconds"),
        ({f"{OTLP}ENDPOINT": "http://h", f"{OTLP}HEADERS": "sekret"}, "HEADERS has no list of headers"),
        ({f"{OTLP}ENDPOINT": "http://h", f"{OTLP}HEADERS": "a=sekret%0d%0ab"}, "HEADERS has no list of headers"),
    ],
)
def test_what_cannot_be_used_is_said_without_its_value(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        destination(NOTHING, variables)
    assert "sekret" not in str(error.value)


def test_a_variable_that_is_named_and_not_set_is_an_error() -> None:
    with pytest.raises(ConfigError, match="names MINE, and that is not set"):
        destination(TelemetrySettings(otlp_endpoint="http://h", headers_env="MINE"), {})


def test_what_is_sent_in_headers_or_in_the_url_is_a_secret_and_not_shown() -> None:
    settings = TelemetrySettings(otlp_endpoint="http://me:pass-word-9@h:1/otlp?k=1", headers_env="MINE")
    environ = {"MINE": "Authorization=Bearer abcdefg", f"{OTLP}HEADERS": "x-api-key=0123"}
    secrets = {secret.value for secret in header_secrets(settings, environ)}
    assert secrets == {"Bearer abcdefg", "abcdefg", "0123", "pass-word-9"}
    assert found(settings, **environ).shown == "http://h:1/otlp"
