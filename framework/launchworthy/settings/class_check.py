"""Could this settings class hold a secret? Its fields, names, aliases, types, defaults and configuration.

Used when a class is defined and again from outside, since what a class says of itself may have been changed.
"""

import enum
import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from launchworthy.detection import is_secret_value, is_sensitive_name
from launchworthy.settings.class_body import is_ours, openings
from launchworthy.settings.closed import is_bound, is_closed
from launchworthy.settings.sweep import holds_secret
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
_ENUM_DOORS = ("_missing_", "__get_pydantic_core_schema__")


def check_settings_class(cls: type[BaseModel]) -> Iterator[str]:
    """Tell every way in which a class could hold a secret; nothing where it cannot."""
    for name, wanted in STRICT.items():
        if cls.model_config.get(name) != wanted:
            yield f"{cls.__name__} sets `{name}` to something else than {wanted!r}"
    yield from (f"{cls.__name__}{what}" for what in openings(cls))
    for name, field in cls.model_fields.items():
        where = f"{cls.__name__}.{name}"
        for each in sorted({name, *_aliases(field)}):
            if is_sensitive_name(each) and not _is_reference(field.annotation):
                yield f"{where} has a name that promises a secret (`{each}`); name a Reference, or rename it"
        yield from (f"{where} {what}" for what in _refused(field.annotation, tuple(field.metadata)))
        if holds_secret(name, field.default):
            yield f"{where} has a secret as its default"
        if holds_secret("", (field.title, field.description, field.examples, field.json_schema_extra)):
            yield f"{where} has a secret in what its schema says of it"


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


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_reference(annotation: Any) -> bool:
    alone = _bare(annotation)
    return alone is SecretRef or {_bare(each) for each in get_args(alone)} == {SecretRef, type(None)}


def _refused(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[str]:
    """What is wrong with a type; `metadata` are its own `Annotated` marks."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        inside = [part for mark in marks if isinstance(mark, FieldInfo) for part in mark.metadata]
        yield from _refused(inner, (*metadata, *marks, *inside))
        return
    foreign = tuple(mark for mark in metadata if not is_bound(mark))
    if is_closed(annotation, foreign):
        return
    if foreign:
        yield "has a validator or marker of its own, which could let anything in; use the closed types alone"
    elif annotation is SecretRef:
        yield "is a SecretRef whose grammar nobody asks; use launchworthy.settings.Reference"
    elif annotation not in (bool, type(None)):
        yield from _refused_inside(annotation, metadata)


def _refused_inside(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        yield from _refused_union(arguments)
    elif origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        yield from _refused(arguments[0], ())
    elif origin is Literal:
        yield from (
            "lists a secret" for each in arguments if isinstance(each, str) and is_secret_value("", each)
        )
    elif annotation in (int, float):
        yield from _unbounded(metadata)
    elif isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        yield from _refused_members(annotation)
    elif not (is_ours(annotation) and not any(check_settings_class(annotation))):
        shown = getattr(annotation, "__name__", str(annotation))
        yield f"is a `{shown}`, which could hold anything; use a closed type, an enumeration or a table"


def _refused_union(arguments: tuple[Any, ...]) -> Iterator[str]:
    kinds = {_bare(each) for each in arguments}
    if SecretRef in kinds and kinds != {SecretRef, type(None)}:
        yield "mixes a reference with something else; only None may stand beside it"
    for each in arguments:
        yield from _refused(each, ())


def _refused_members(kind: type[enum.StrEnum]) -> Iterator[str]:
    if any(door in vars(each) for each in kind.__mro__ if each.__module__ != "enum" for door in _ENUM_DOORS):
        yield "is an enumeration that takes more than its members"
    if any(is_secret_value("", member.value) for member in kind):
        yield "lists a secret"


def _unbounded(metadata: tuple[Any, ...]) -> Iterator[str]:
    intervals = [mark for mark in metadata if isinstance(mark, annotated_types.Interval)]
    marks = [*metadata, *(part for interval in intervals for part in interval)]
    if not all(any(isinstance(mark, side) for mark in marks) for side in _BOUNDS):
        yield "is a number without bounds; say them: Field(ge=…, le=…)"
