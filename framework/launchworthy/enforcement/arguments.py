"""Are these arguments exactly what the function's types say, and which values will its body get?

A tool's arguments are JSON and are validated as JSON, strictly and with nothing extra, at every depth: at run
time, since strictness in a model's configuration does not reach the models within it, and since Python mode
refuses every date, UUID, enum, set and tuple, which JSON can only write as text or as a list. The arguments
of prompts and resources are text; a value has one spelling (`17`, not `017`), or one resource would be two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from mcp.server.mcpserver.resources import DEFAULT_RESOURCE_SECURITY
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ValidationError
from pydantic_core import to_json, to_jsonable_python

from launchworthy.vocabulary import Reason, Refused

MAX_FAULTS = 8
MAX_FIELD = 64
_SCALARS = (str, bool, int, float, type(None))


class Form(Enum):
    """In which form arguments come."""

    JSON = auto()
    TEXT = auto()
    URI = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One argument that does not fit.

    Attributes:
        field: its name, dotted below the first level; the client's own words, where nothing is so called.
        kind: what is wrong, as pydantic names it: `missing`, `int_type`, `extra_forbidden`.
        declared: the parameter it belongs to, for the audit; None where none is so called.
    """

    field: str
    kind: str
    declared: str | None


class UnfitArguments(Refused):
    """Arguments that do not fit; the caller learns which and how, never a value."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Hold what is wrong."""
        kept = "; ".join(f"{fault.declared or 'another name'}: {fault.kind}" for fault in faults)
        super().__init__(Reason.TOOL_ARGUMENTS, kept)
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """Arguments that fit.

    Attributes:
        values: what the body gets, defaults included.
        plain: the same as JSON values, for policy and audit.
    """

    values: Mapping[str, Any]
    plain: Mapping[str, object]


class Arguments:
    """What one function takes."""

    def __init__(self, model: type[ArgModelBase], form: Form) -> None:
        """Hold the SDK's own model of the function's parameters."""
        self.model = model
        self._form = form
        self._validator = model.__pydantic_validator__
        self._declared = {field.alias or name: name for name, field in model.model_fields.items()}

    def takes(self, name: str) -> bool:
        """Whether there is an argument of this name."""
        return name in self._declared

    def validate(self, unvalidated: Mapping[str, object]) -> Validated:
        """Make the values that the body will get.

        Raises:
            UnfitArguments: something is missing, extra or of another type.
        """
        try:
            model: ArgModelBase = self._model_of(unvalidated)
        except ValidationError as error:
            raise UnfitArguments(self._faults(error)) from None
        values = model.model_dump_one_level()
        plain = {name: plain_value(value) for name, value in values.items()}
        if self._form is not Form.JSON:
            self._check_spelling(unvalidated, plain)
        return Validated(values=values, plain=plain)

    def _model_of(self, unvalidated: Mapping[str, object]) -> Any:
        if self._form is Form.JSON:
            return self._validator.validate_json(to_json(unvalidated), strict=True, extra="forbid")
        texts: dict[str, Any] = {name: value for name, value in unvalidated.items() if isinstance(value, str)}
        if len(texts) != len(unvalidated):
            others = [name for name in unvalidated if name not in texts]
            raise UnfitArguments(tuple(self._fault((name,), "string_type") for name in others))
        if self._form is Form.URI and (unsafe := DEFAULT_RESOURCE_SECURITY.validate(texts)) is not None:
            raise UnfitArguments((self._fault((unsafe,), "unsafe_path"),))
        return self._validator.validate_strings(texts, strict=True, extra="forbid")

    def _check_spelling(self, texts: Mapping[str, object], plain: Mapping[str, object]) -> None:
        other = [name for name, text in texts.items() if spelled(plain[name]) != text]
        if other:
            raise UnfitArguments(tuple(self._fault((name,), "not_canonical") for name in other))

    def _faults(self, error: ValidationError) -> tuple[Fault, ...]:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(self._fault(one["loc"], one["type"]) for one in found[:MAX_FAULTS])

    def _fault(self, place: tuple[int | str, ...], kind: str) -> Fault:
        field = shown(".".join(str(part) for part in place))
        return Fault(field=field, kind=kind, declared=self._declared.get(str(place[0])) if place else None)


def plain_value(value: object) -> object:
    """A value as JSON has it; text, numbers, booleans and null are themselves, whatever serialises them."""
    return value if type(value) in _SCALARS else to_jsonable_python(value)


def spelled(value: object) -> str:
    """A JSON value in its one spelling as text: `17`, `true`, `c-17`."""
    return value if isinstance(value, str) else to_json(value).decode()


def shown(name: str) -> str:
    """A field's name; an extra one is the client's own text, so it is cut and made printable."""
    printable = "".join(character if character.isprintable() else "?" for character in name[: MAX_FIELD + 1])
    return printable if len(printable) <= MAX_FIELD else printable[: MAX_FIELD - 1] + "…"
