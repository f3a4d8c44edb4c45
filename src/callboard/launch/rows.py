"""Rows to JSON and back: dataclasses of texts, numbers, times, and tuples and dicts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import UnionType
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import BaseModel

    JsonValue = (
        BaseModel
        | DataclassInstance
        | Sequence["JsonValue"]
        | Mapping[str, "JsonValue"]
        | datetime
        | str
        | int
        | float
        | bool
        | None
    )

T = TypeVar("T")


def to_json(value: JsonValue) -> object:
    """What the json module writes. Models of pydantic are known by their method: importing it costs more than most commands."""
    match value:
        case str() | int() | float() | None:
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Mapping():
            return {key: to_json(one) for key, one in value.items()}
        case Sequence():
            return [to_json(one) for one in value]
    if is_dataclass(value):
        return {name: to_json(one) for name, one in by_field(value).items()}
    return value.model_dump(mode="json")


def by_field(row: DataclassInstance) -> dict[str, JsonValue]:
    """A row's fields by their names; what is in them stays as it is."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def from_json(kind: type[T], value: object) -> T:
    """A row from what the json module read; types are believed, as the text is our own.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: It is not of this kind, or another version's.
    """
    return cast(T, _read(kind, value))


def _read(kind: object, value: object) -> object:
    """A value of JSON as the type that an annotation names."""
    parts = get_args(kind)
    if get_origin(kind) is UnionType:
        return None if value is None else _read(parts[0], value)
    if get_origin(kind) is tuple:
        return tuple(_read(parts[0], one) for one in cast("list[object]", value))
    if get_origin(kind) is dict:
        return {key: _read(parts[1], one) for key, one in cast("dict[str, object]", value).items()}
    if kind is datetime:
        return datetime.fromisoformat(cast(str, value))
    if isinstance(kind, type) and is_dataclass(kind):
        hints, given = get_type_hints(kind), cast("dict[str, object]", value)
        return kind(**{field.name: _read(hints[field.name], given[field.name]) for field in fields(kind)})
    return value
