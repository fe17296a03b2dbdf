"""How is the type of a field said to people? `text`, `number`, `a list of texts`, the words of a choice."""

import types
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date",
    timedelta: "time, such as `90d`",
    Path: "path",
    Any: "anything",
    JsonValue: "anything",
}


def type_of(annotation: Any) -> str:  # noqa: PLR0911 - one arm a kind of type
    """Say a type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(annotation)
    if origin is Literal:
        return " | ".join(str(each) for each in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(type_of(each) for each in arguments if each is not type(None))
    if origin in (tuple, list, frozenset):
        return f"list of {type_of(arguments[0])}"
    if origin in (dict, Mapping):
        return f"table of {type_of(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(str(each.value) for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"{{ {', '.join(annotation.model_fields)} }}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", "value"))


def _annotated(annotation: Any) -> str:
    """A closed type says its own form; any other is what it annotates."""
    inner, *markers = get_args(annotation)
    for marker in markers:
        form = getattr(marker, "form", None)
        if isinstance(form, str):
            return form
    return type_of(inner)
