"""The OpenAPI document: as FastAPI draws it, with our own errors where it would draw its own."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI

from callboard.web.problems import MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
_THEIRS = ("HTTPValidationError", "ValidationError")

Json = dict[str, object]


def add_document(app: FastAPI) -> None:
    """Have `/openapi.json` say what is answered."""
    drawn = app.openapi

    def ours() -> Json:
        if app.openapi_schema is None:
            _correct(drawn())
        return cast(Json, app.openapi_schema)

    app.openapi = ours  # type: ignore[method-assign]


def _correct(document: Json) -> None:
    schemas = cast(Json, cast(Json, document.setdefault("components", {})).setdefault("schemas", {}))
    problem = Problem.model_json_schema(ref_template=_REF)
    schemas |= cast(Json, problem.pop("$defs"))
    schemas["Problem"] = problem
    for name in _THEIRS:
        schemas.pop(name, None)
    for path in cast(dict[str, dict[str, Json]], document["paths"]).values():
        for operation in path.values():
            responses = cast(dict[str, Json], operation["responses"])
            if "422" in responses:
                responses["422"] = {"description": "The request cannot be read as it is.", "content": _CONTENT}
            responses["4XX"] = {"description": "It was not done; `detail` says why.", "content": _CONTENT}
            responses["5XX"] = {"description": "It could not be done.", "content": _CONTENT}
