"""Requests drawn from the OpenAPI document of a served API, and what every answer has to keep to. By schemathesis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy, one_of
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckContext, CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import Served

Request: TypeAlias = Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CONFIG = {"allow-extra-parameters": False, "with-security-parameters": False}
"""A query may name more than the document has, and who asks is chosen here."""
STREAMS = "/runs/{run_id}/events"
"""Its answer has no end: only runs that are not there are asked for."""


def readable_is_read(_: CheckContext, response: Response, case: Request) -> bool | None:
    """What the document allows is not refused as unreadable: a fault may only be in how the parts fit together."""
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE and response.status_code == 422:
        faults = [fault["at"] for fault in response.json().get("faults", [])]
        assert all(at == "body" for at in faults), f"{case.method} {case.path}: {response.json()['detail']}"
    return None


CHECKS: tuple[CheckFunction, ...] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    readable_is_read,
)


@dataclass(frozen=True)
class Documented:
    """One served API and its document.

    Args:
        token: Has every scope.
        ids: Path parameter -> something that is there.
    """

    served: Served
    token: str
    schema: BaseSchema
    ids: Mapping[str, str]

    @classmethod
    def of(cls, served: Served, token: str, ids: Mapping[str, str]) -> Documented:
        config = schemathesis.Config.from_dict({"generation": CONFIG})
        schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json", config=config)
        return cls(served, token, schema, ids)

    def operations(self, mode: GenerationMode) -> Iterator[Operation]:
        """Every operation of the document that can be asked in this way: where nothing is sent, nothing is wrong."""
        for found in self.schema.get_all_operations():
            assert isinstance(found, Ok), found.err()
            operation: Operation = found.ok()
            takes = list(operation.iter_parameters()) or operation.body
            if takes or mode is GenerationMode.POSITIVE:
                yield operation

    def try_out(self, operation: Operation, mode: GenerationMode, examples: int, chosen: int) -> int:
        """Ask so often, and check every answer; how often it was asked."""
        asked = 0

        @seed(chosen)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=self._cases(operation, mode))
        def holds(case: Request) -> None:
            nonlocal asked
            asked += 1
            self.ask(case)

        holds()
        return asked

    def ask(self, case: Request, checks: Sequence[CheckFunction] = CHECKS) -> None:
        case.call_and_validate(
            base_url=self.served.url, headers={"Authorization": f"Bearer {self.token}"}, checks=list(checks)
        )

    def _cases(self, operation: Operation, mode: GenerationMode) -> SearchStrategy[Request]:
        """Half of what is asked for is there."""
        anything: SearchStrategy[Request] = operation.as_strategy(generation_mode=mode)
        if operation.path == STREAMS:
            return anything
        names = {parameter.name for parameter in operation.path_parameters}
        real = {name: id for name, id in self.ids.items() if name in names}
        there = operation.as_strategy(generation_mode=mode, path_parameters=real) if real else anything
        if mode is GenerationMode.POSITIVE:
            there = there.map(self._named)
        return one_of(there, anything)

    def _named(self, case: Request) -> Request:
        """With the path's ids in the body too, where it has them, and of the newest run."""
        body = case.body
        if isinstance(body, dict):
            case.body = {name: self.ids.get(name, value) for name, value in body.items()}
        case.query = {name: value for name, value in case.query.items() if name not in ("run", "after")}
        return case
