"""What is wrong with a setting: file, line, key, what was expected, and what was probably meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from callboard.bus.errors import ConfigError
from callboard.settings.toml_lines import KeyPath

_EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": 'an array, such as ["one", "two"]',
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "string_too_short": "a text that is not empty",
}
_OF_A_KEY = "[key]"
"""What pydantic puts behind a key that is itself what is wrong."""
_FOUND = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "an array",
    tuple: "an array",
    dict: "a table",
}


def explain(
    error: ValidationError,
    model: type[BaseModel],
    path: str,
    lines: Mapping[KeyPath, int],
    names: Mapping[tuple[str, str], str],
) -> ConfigError:
    """The first mistake of a file as an error; the others are named in it by line and key.

    Args:
        names: Which environment variable stands at which key instead of the file.
    """
    mistakes = sorted(
        (_line(lines, at), ".".join(map(str, at)), at, _message(detail, model))
        for detail in error.errors()
        for at in [_place(detail)]
    )
    line, key, at, message = mistakes[0]
    more = [
        f"{other_key} on line {other_line}" if other_line else other_key for other_line, other_key, _, _ in mistakes[1:]
    ]
    if more:
        message += f" (also wrong: {', '.join(more[:8])}{', ...' if len(more) > 8 else ''})"
    variable = names.get((str(at[0]), str(at[1]))) if len(at) > 1 else None
    if variable:
        return ConfigError(message, path=f"environment variable {variable}", key=key)
    return ConfigError(message, path=path, line=line or None, key=key or None)


def _place(detail: ErrorDetails) -> KeyPath:
    key = str(detail.get("ctx", {}).get("key", "")) if detail["type"] == "fault" else ""
    own = [int(part) if part.isdecimal() else part for part in key.split(".")] if key else []
    return (*(part for part in detail["loc"] if part != _OF_A_KEY), *own)


def _line(lines: Mapping[KeyPath, int], at: KeyPath) -> int:
    """The line of a key; of the table that should have it, when it is not there. 0 = the file has neither."""
    while at:
        if at in lines:
            return lines[at]
        at = at[:-1]
    return 0


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(detail["loc"], model)
    if kind == "missing":
        return "is missing"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_found(detail['input'])}"
    if kind == "literal_error":
        return f"expected {detail.get('ctx', {}).get('expected', '')}, found {_found(detail['input'])}"
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return said if kind in ("value_error", "fault") else f"expected a value {said}, found {_found(detail['input'])}"


def _found(value: object) -> str:
    kind = _FOUND.get(type(value), "a date or time")
    shown = repr(value) if isinstance(value, bool | int | float | str) else ""
    return f"{kind} {shown[:60]}".rstrip()


def _unknown(at: Sequence[str | int], model: type[BaseModel]) -> str:
    known = _known(model, at[:-1])
    near = get_close_matches(str(at[-1]), known, n=1)
    return (
        f"is no key that Callboard knows; {f'did you mean {near[0]}?' if near else 'known here: ' + ', '.join(known)}"
    )


def _known(model: type[BaseModel], at: Sequence[str | int]) -> list[str]:
    """The keys of the table at a place."""
    for key in at:
        if isinstance(key, str) and key in model.model_fields:  # else a name that people gave, such as models.NAME
            model = _table(model.model_fields[key].annotation) or model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _table(kind: object) -> type[BaseModel] | None:
    """The table class inside an annotation such as `tuple[AgentSettings, ...]` or `dict[str, ModelSettings]`."""
    if isinstance(kind, type) and get_origin(kind) is None:
        return kind if issubclass(kind, BaseModel) else None
    if get_origin(kind) in (tuple, dict, Union, UnionType, Annotated):
        return next((found for part in get_args(kind) for found in [_table(part)] if found), None)
    return None
