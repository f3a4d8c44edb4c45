"""`[deploy.analysis]`: what Green is judged by while it gets traffic."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from callboard.agents.deployment.plan import FROM_SAMPLES, AnalysisPlan, Metric
from callboard.agents.settings import Seconds, Table, Texts, fault

ReadKind = Literal["saturation", "log", "command", "prometheus"]
Of = Literal["memory", "cpu", "files"]
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS: dict[ReadKind, str] = {"saturation": "of", "log": "pattern", "command": "command", "prometheus": "query"}
"""What a metric of each kind reads, and no other kind does."""


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise ValueError("expected small letters, digits and single hyphens, a letter first, such as queue-length")
    if name in FROM_SAMPLES:
        raise ValueError(f"{name} is a metric that Callboard measures itself; take another name")
    return name


def _url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/@]+(/[^\s?#]*)?", url):
        raise ValueError("expected the URL of a Prometheus server without a login in it, such as http://127.0.0.1:9090")
    return url.rstrip("/")


def _variable(name: str) -> str:
    if name and not _VARIABLE.fullmatch(name):
        raise ValueError("expected the name of the environment variable that holds the token")
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


Limit = Annotated[float, Field(allow_inf_nan=False)]
Ratio = Annotated[float, Field(gt=1, le=100, allow_inf_nan=False)]


class MetricSettings(Table):
    """`[deploy.analysis.own.NAME]`: a value that is read elsewhere, and what it may be."""

    kind: ReadKind
    most: Limit | None = None
    least: Limit | None = None
    of: Of | None = None
    """saturation: memory = resident bytes of Green's processes, cpu = cores they keep busy, files = files they have open."""
    pattern: Annotated[str, AfterValidator(_pattern)] = ""
    """log: a regular expression; the value is how many lines of Green's output have matched since the watch began."""
    command: str = ""
    """command: prints the value as the last line of its stdout; it finds CALLBOARD_URL and CALLBOARD_ENV."""
    url: Annotated[str, AfterValidator(_url)] = ""
    """prometheus: where its server is."""
    query: str = ""
    """prometheus: must give one number; `{release}`, `{commit}` and `{slot}` in it stand for Green's."""
    token_env: Annotated[str, AfterValidator(_variable)] = ""
    """prometheus: the environment variable with its bearer token; "" = none."""
    timeout_s: Seconds = 10.0
    """For reading it once."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for kind, key in _KEYS.items():
            if bool(getattr(self, key)) != (kind == self.kind):
                what = "is missing: what is read" if kind == self.kind else f"belongs to a metric of kind {kind}"
                raise fault(key, what)
        for key in ("url", "token_env"):
            if getattr(self, key) and self.kind != "prometheus":
                raise fault(key, "belongs to a metric of kind prometheus")
        if self.kind == "prometheus" and not self.url:
            raise fault("url", "is missing: where the Prometheus server is")
        if self.least is None and self.most is None:
            raise fault("most", "is missing: without most or least nobody knows which values are good")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise fault("least", f"is above most = {self.most:g}, so no value could be good")
        return self


class AnalysisSettings(Table):
    """`[deploy.analysis]`"""

    metrics: Texts = ("health", "error-rate")
    """What must pass: health, error-rate, latency, and names of `[deploy.analysis.own]` tables."""
    interval_s: Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)] = 1.0
    """Between two probes; a probe that takes longer has failed."""
    hold_s: Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)] = 120.0
    """How long an analysis that knows too little at its end goes on; then Blue gets everything back."""
    bad_probes: Annotated[int, Field(ge=1, le=100)] = 2
    """So many failed probes in a row are a failure."""
    min_samples: Annotated[int, Field(ge=1)] = 20
    """Fewer requests say nothing about a rate of errors."""
    max_error_rate: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.01
    """Share of Green's requests."""
    users_only: bool = False
    """Errors and latency are judged by users' requests alone, and not by the watch's own; without users nothing passes."""
    latency_samples: Annotated[int, Field(ge=1_000)] = 2_000
    """Fewer requests of each colour say nothing about a p95."""
    max_p95_ratio: Ratio = 1.15
    """How many times Blue's p95 Green's may be."""
    pairs_per_s: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 50.0
    """With latency among the metrics: how often the watch itself asks Blue and Green in turn; 0 = never."""
    path: Annotated[str, Field(pattern=r"^/[^\s#]*$")] = "/"
    """What it asks for then: a path of the service that only reads."""
    own: dict[Annotated[str, AfterValidator(_name)], MetricSettings] = {}
    """By name."""

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = (*FROM_SAMPLES, *self.own)
        for n, name in enumerate(self.metrics):
            if name not in known:
                near = get_close_matches(name, known, n=1)
                there = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                raise fault(f"metrics.{n}", f"no metric is called {name!r}; {there}")
            if name in self.metrics[:n]:
                raise fault(f"metrics.{n}", f"{name} stands there twice")
        if not self.metrics:
            raise fault(
                "metrics", "is empty, and what is not measured never passes; leave it out for health, error-rate"
            )
        return self

    def plan(self) -> AnalysisPlan:
        """The numbers that an analysis goes by."""
        return AnalysisPlan(
            metrics=tuple(self._metric(name) for name in self.metrics),
            interval_s=self.interval_s,
            hold_s=self.hold_s,
            bad_probes=self.bad_probes,
            min_samples=self.min_samples,
            max_error_rate=self.max_error_rate,
            users_only=self.users_only,
            latency_samples=self.latency_samples,
            max_p95_ratio=self.max_p95_ratio,
            pairs_per_s=self.pairs_per_s if "latency" in self.metrics and not self.users_only else 0.0,
            path=self.path,
        )

    def _metric(self, name: str) -> Metric:
        kind = next((one for one in FROM_SAMPLES if one == name), None)
        own = self.own.get(name)
        if kind is not None or own is None:
            return Metric(name, kind or "health")
        return Metric(name, own.kind, own.least, own.most)
