"""Does the body of a settings class open what its types close? Validators, methods, other values.

A team may look at validated values (`mode="after"`); nothing of its own stands before or around the types,
and nothing replaces the ways in which a class is made.
"""

from collections.abc import Iterator
from types import FunctionType
from typing import Any, Final, TypeGuard, TypeVar

from pydantic import BaseModel

from launchworthy.settings.sweep import holds_secret

T = TypeVar("T", bound=type[BaseModel])
_SAID: Final = frozenset({"model_config", "model_fields", "model_computed_fields", "model_extra"})
LOCKED: Final = (frozenset(name for name in dir(BaseModel) if name.startswith("model_")) - _SAID) | {
    "__class_getitem__",
    "__copy__",
    "__deepcopy__",
    "__delattr__",
    "__get_pydantic_core_schema__",
    "__get_pydantic_json_schema__",
    "__getattr__",
    "__getattribute__",
    "__init__",
    "__init_subclass__",
    "__new__",
    "__pydantic_init_subclass__",
    "__reduce__",
    "__reduce_ex__",
    "__replace__",
    "__setattr__",
    "__setstate__",
    "construct",
    "copy",
    "from_orm",
    "parse_file",
    "parse_obj",
    "parse_raw",
    "validate",
}
"""What makes, copies and reads a settings class, and so belongs to `StrictSettings` alone."""
_METHODS = (FunctionType, classmethod, staticmethod, property)
_roots: list[type[BaseModel]] = []


def root(cls: T) -> T:
    """Make a class the one that every settings class must come from."""
    _roots.append(cls)
    return cls


def is_ours(cls: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a class comes from `StrictSettings`."""
    return isinstance(cls, type) and issubclass(cls, tuple(_roots))


def openings(cls: type[BaseModel]) -> Iterator[str]:
    """Tell what in a class's body, or in a body that it inherits, could let a secret in."""
    if not is_ours(cls):
        yield " does not come from StrictSettings"
        return
    yield from _validators(cls)
    known = {each for one in _roots for each in one.__mro__}
    for body in cls.__mro__:
        if body in known:
            continue
        members = vars(body)
        for name in sorted(LOCKED & members.keys()):
            yield f" replaces `{name}`, which settings have from the framework alone"
        for name, value in members.items():
            if not name.startswith("__") and not isinstance(value, _METHODS) and holds_secret(name, value):
                yield f".{name} has a secret as its value"
    for name in (*cls.__private_attributes__, *cls.model_computed_fields):
        yield f".{name} is a private attribute or computed; settings have fields only"


def _validators(cls: type[BaseModel]) -> Iterator[str]:
    found = cls.__pydantic_decorators__
    for name in (*found.validators, *found.root_validators):
        yield f'.{name} is a validator of pydantic 1; use mode="after"'
    for name, mode in (
        *((name, each.info.mode) for name, each in found.field_validators.items()),
        *((name, each.info.mode) for name, each in found.model_validators.items()),
    ):
        if mode != "after":
            yield f'.{name} is a validator of mode "{mode}", which goes round the types; use mode="after"'
