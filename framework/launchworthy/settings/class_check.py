"""Could this settings class hold a secret? Its fields, names, aliases, defaults and configuration, looked at.

Used when a class is defined and again from outside, since what a class says of itself may have been changed.
"""

import enum
import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import annotated_types
from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from launchworthy.detection import is_secret_value, is_sensitive_name
from launchworthy.settings.closed import Closed
from launchworthy.vocabulary import SecretRef

STRICT: Final[dict[str, Any]] = {
    "extra": "forbid",
    "frozen": True,
    "strict": True,
    "hide_input_in_errors": True,
    "validate_default": True,
    "revalidate_instances": "always",
}
"""The configuration that no settings class may weaken."""
_BOUNDS = (annotated_types.Ge, annotated_types.Gt), (annotated_types.Le, annotated_types.Lt)


def check_settings_class(cls: type[BaseModel]) -> Iterator[str]:
    """Tell every way in which a class could hold a secret; nothing where it cannot."""
    for name, wanted in STRICT.items():
        if cls.model_config.get(name) != wanted:
            yield f"{cls.__name__} sets `{name}` to something else than {wanted!r}"
    for name, field in cls.model_fields.items():
        where = f"{cls.__name__}.{name}"
        for each in sorted({name, *_aliases(field)}):
            if is_sensitive_name(each) and not _is_reference(field.annotation):
                yield f"{where} has a name that promises a secret (`{each}`); name a SecretRef, or rename it"
        yield from (f"{where} {what}" for what in _refused(field.annotation, tuple(field.metadata)))
        default = field.default
        if isinstance(default, str) and is_secret_value(name, default) is not None:
            yield f"{where} has a secret as its default"


def _aliases(field: FieldInfo) -> Iterator[str]:
    for alias in (field.alias, field.validation_alias, field.serialization_alias):
        yield from _alias_names(alias)


def _alias_names(alias: object) -> Iterator[str]:
    match alias:
        case str():
            yield alias
        case AliasChoices():
            for choice in alias.choices:
                yield from _alias_names(choice)
        case AliasPath():
            yield from (part for part in alias.path if isinstance(part, str))
        case _:
            return


def _is_reference(annotation: Any) -> bool:
    return annotation is SecretRef or set(get_args(annotation)) == {SecretRef, type(None)}


def _refused(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[str]:  # noqa: C901 - one arm a kind of type
    """What is wrong with a type; `metadata` are its own `Annotated` marks."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        inside = [part for mark in marks if isinstance(mark, FieldInfo) for part in mark.metadata]
        yield from _refused(inner, (*metadata, *marks, *inside))
        return
    if any(isinstance(mark, Closed) for mark in metadata) or annotation in (SecretRef, bool, type(None)):
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        if SecretRef in arguments and set(arguments) != {SecretRef, type(None)}:
            yield "mixes a SecretRef with something else; only None may stand beside it"
        for each in arguments:
            yield from _refused(each, ())
    elif origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        yield from _refused(arguments[0], ())
    elif origin is Literal:
        yield from (
            "lists a secret" for each in arguments if isinstance(each, str) and is_secret_value("", each)
        )
    elif annotation in (int, float):
        yield from _unbounded(metadata)
    elif not _is_closed_class(annotation):
        shown = getattr(annotation, "__name__", str(annotation))
        yield f"is a `{shown}`, which could hold anything; use a closed type, an enumeration or a table"


def _unbounded(metadata: tuple[Any, ...]) -> Iterator[str]:
    intervals = [mark for mark in metadata if isinstance(mark, annotated_types.Interval)]
    marks = [*metadata, *(part for interval in intervals for part in interval)]
    if not all(any(isinstance(mark, side) for mark in marks) for side in _BOUNDS):
        yield "is a number without bounds; say them: Field(ge=…, le=…)"


def _is_closed_class(annotation: Any) -> bool:
    return isinstance(annotation, type) and (
        issubclass(annotation, enum.StrEnum)
        or (
            getattr(annotation, "__launchworthy_checked__", False)
            and not any(check_settings_class(cast("type[BaseModel]", annotation)))
        )
    )
