"""How is a mistake in a TOML file told? Where, what, and what to do instead, never the value."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from launchworthy.manifest.positions import line_of
from launchworthy.vocabulary import Problem

_NO_FIELDS = frozenset({"[key]", "[word]", "[table]"})
"""What pydantic puts into the place of a mistake, and no file has."""
_INSIDE = {dict: 1, tuple: 0}
"""Which argument of a container's type its elements have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A text that people wrote, and what its mistakes are told with.

    Attributes:
        path: as people name it: `manifests/tools.toml`.
        text: the whole file.
        topic: what `launchworthy explain` calls its fields: `tools`.
    """

    path: str
    text: str
    topic: str

    def where(self, key: tuple[str, ...]) -> str:
        """The place of a dotted key, or of the nearest table around it: `manifests/tools.toml:12`."""
        line = line_of(self.text, key)
        return self.path if line is None else f"{self.path}:{line}"

    def problem(self, reason: str, key: tuple[str, ...], what: str, *fix: str) -> Problem:
        """One problem of one key."""
        return Problem(reason=reason, where=self.where(key), what=what, fix=fix, field=".".join(key))


def mistakes(error: ValidationError, model: type[BaseModel], source: SourceFile) -> tuple[Problem, ...]:
    """Tell what pydantic found in a file, once for each field.

    Args:
        error: of validating data as the model.
        model: its fields are what can be meant.
        source: the file; the data's keys are its.
    """
    found: dict[tuple[str, ...], ErrorDetails] = {}
    for details in error.errors(include_url=False):
        found.setdefault(tuple(str(part) for part in details["loc"] if part not in _NO_FIELDS), details)
    around = {key[:length] for key in found for length in range(len(key))}
    meant = {
        key: _meant(key, model) for key, details in found.items() if details["type"] == "extra_forbidden"
    }
    misspelt = {(*key[:-1], name) for key, name in meant.items() if name is not None}
    return tuple(
        _mistake(details, key, model, source, meant.get(key))
        for key, details in found.items()
        if key not in around and not (details["type"] == "missing" and key in misspelt)
    )


def _mistake(
    details: ErrorDetails, key: tuple[str, ...], model: type[BaseModel], source: SourceFile, meant: str | None
) -> Problem:
    more = f"all fields: launchworthy explain {source.topic}"
    field, element = _without_index(key)
    name = field[-1] if field else source.path
    around = f" in {_table(field[:-1])}" if field[:-1] else ""
    if "[key]" in details["loc"]:
        what = f"has a bad name `{name}`{around}: {_told(details, None)}"
        return source.problem("bad-value", key, what, f"rename it; {more}")
    match details["type"]:
        case "extra_forbidden":
            question = f"; did you mean `{meant}`?" if meant is not None else ""
            advice = "rename it" if meant is not None else "take it out"
            what = f"has no field `{name}`{around}{question}"
            return source.problem("unknown-field", key, what, f"{advice}; {more}")
        case "missing":
            return source.problem("missing-field", key, f"has no `{name}`{around}", f"add it; {more}")
        case _:
            told = _told(details, _description(model, field))
            what = f"has a bad value for `{name}`{around}: {element}{told}"
            return source.problem("bad-value", key, what, f"correct it; {more}")


def _table(path: tuple[str, ...]) -> str:
    """A table as TOML writes its head: `[tools.place_order]`, `[[cases]]`."""
    head, index = _without_index(path)
    return f"[[{'.'.join(head)}]]" if index else f"[{'.'.join(path)}]"


def _without_index(key: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The field of an array's element, and which element it is as people count."""
    if len(key) > 1 and key[-1].isdecimal():
        return key[:-1], f"number {int(key[-1]) + 1}: "
    return key, ""


def _told(details: ErrorDetails, description: str | None) -> str:
    """What it must be, in our form: the field's description says more than a pattern; never the value."""
    if details["type"] == "string_pattern_mismatch" and description is not None:
        return f"expected {description}"
    sentence = details["msg"].removeprefix("Value error, ").replace("'", "`")
    return sentence[:1].lower() + sentence[1:]


def _meant(key: tuple[str, ...], model: type[BaseModel]) -> str | None:
    table = _annotation(model, key[:-1])
    names = list(table.model_fields) if _is_model(table) else []
    return next(iter(get_close_matches(key[-1], names, n=1)), None)


def _description(model: type[BaseModel], key: tuple[str, ...]) -> str | None:
    table = _annotation(model, key[:-1])
    field = table.model_fields.get(key[-1]) if _is_model(table) and key else None
    return field.description if field is not None else None


def _annotation(model: type[BaseModel], path: tuple[str, ...]) -> Any:
    """What stands at this place of the model: a model, a dictionary's type, a value's type, or None."""
    here: Any = model
    for part in path:
        if _is_model(here):
            field = here.model_fields.get(part)
            here = None if field is None else field.annotation
        else:
            argument = _INSIDE.get(get_origin(here))
            here = None if argument is None else get_args(here)[argument]
    return here


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
