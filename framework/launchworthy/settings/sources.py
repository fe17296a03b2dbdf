"""Where do settings come from, and which source wins? Variables, the world file, the settings file.

Built on pydantic-settings' sources; its own (the environment at large, `.env`, command line, secrets
directories) are not used, because they read what nobody declared.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from launchworthy.settings.closed import Closed, Deployment
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.sweep import OURS
from launchworthy.settings.tables import FileTables
from launchworthy.vocabulary import Environment, Problem, ProblemError

PREFIX = OURS
ENVIRONMENT = f"{PREFIX}ENVIRONMENT"
WORLD = f"{PREFIX}WORLD"
Tables = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One variable and the field that it sets."""

    variable: str
    key: tuple[str, ...]
    value: object


class _Merged(BaseSettings):
    """Tables as the sources give them, before they are validated; the sources come in order of priority."""

    model_config = SettingsConfigDict(extra="allow")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by ours
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Ours, first one first."""
        sources: tuple[Tables, ...] = init_settings()["sources"]
        return tuple(_Source(settings_cls, tables) for tables in sources)


class _Source(PydanticBaseSettingsSource):
    """Tables that were read already."""

    def __init__(self, settings_cls: type[BaseSettings], tables: Tables) -> None:
        super().__init__(settings_cls)
        self._tables = tables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one table."""
        del field
        return self._tables.get(field_name), field_name, False

    def __call__(self) -> Tables:
        """All tables."""
        return self._tables


def merge(*sources: Tables) -> Tables:
    """Merge tables, the first source first; tables are merged, values replaced."""
    merged: Tables = _Merged(sources=sources).model_dump()
    return merged


def read_variables(
    environ: Mapping[str, str], environment: Environment, app: type[AppSettings] | None
) -> tuple[Override, ...]:
    """Read every variable with our prefix.

    Args:
        environ: the environment of the process.
        environment: where it is; in development variables set promoted fields and `[app]` too.
        app: the class of the `[app]` table, for the types of its fields.

    Raises:
        ProblemError: one names no field, one that is promoted, or a value that is none; all of them.
    """
    found: list[Override] = []
    problems: list[Problem] = []
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX) or variable in (ENVIRONMENT, WORLD):
            continue
        try:
            found.append(_override(variable, environ[variable], environment, app))
        except ProblemError as error:
            problems.extend(error.problems)
    problems.extend(_contradictions(found))
    if problems:
        raise ProblemError(*problems)
    return tuple(found)


def _contradictions(found: list[Override]) -> Iterator[Problem]:
    """Variables that make a table of what another one gives a value."""
    values = {override.key: override.variable for override in found}
    for override in found:
        for length in range(1, len(override.key)):
            other = values.get(override.key[:length])
            if other is not None:
                what = f"the variable `{override.variable}` sets a field of what `{other}` gives a value"
                yield Problem(
                    reason="unknown-variable", what=what, fix=("take one out",), field=override.variable
                )


def tables_of(overrides: tuple[Override, ...]) -> Tables:
    """The same as nested tables."""
    tables: Tables = {}
    for override in overrides:
        table = tables
        for part in override.key[:-1]:
            table = table.setdefault(part, {})
        table[override.key[-1]] = override.value
    return tables


def field_of(key: tuple[str, ...], form: type[BaseModel] = FileTables) -> FieldInfo | None:
    """The field that a key such as `("issuers", "acme", "issuer")` names, or None."""
    annotation: Any = form
    field: FieldInfo | None = None
    for part in key:
        if get_origin(annotation) is dict:
            annotation, field = get_args(annotation)[1], None
            continue
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        field = annotation.model_fields.get(part)
        if field is None:
            return None
        annotation = field.annotation
    return field


def is_deployment(key: tuple[str, ...]) -> bool:
    """Whether the deployment may set this field."""
    field = field_of(key)
    return field is not None and any(isinstance(mark, Deployment) for mark in field.metadata)


def _override(variable: str, text: str, environment: Environment, app: type[AppSettings] | None) -> Override:
    key = tuple(part.lower() for part in variable[len(PREFIX) :].split("__"))
    dotted = ".".join(key)
    development = environment is Environment.DEVELOPMENT
    of_the_team = key[0] == "app" and len(key) > 1 and all(key)
    field = field_of(key[1:], app) if of_the_team and app is not None else field_of(key)
    if variable != variable.upper() or (field is None and not of_the_team):
        meant = get_close_matches(variable, tuple(_variables(key, development=development)), 1, 0.8)
        question = f"; did you mean `{meant[0]}`?" if meant else ""
        what = f"the variable `{variable}` names no field of the settings{question}"
        fix = "LAUNCHWORTHY_<TABLE>__<FIELD>, such as LAUNCHWORTHY_SERVER__LISTEN; take any other one out"
        raise ProblemError(Problem(reason="unknown-variable", what=what, fix=(fix,), field=variable))
    if not development and not is_deployment(key):
        what = f"the variable `{variable}` sets `{dotted}`, which is promoted with the code"
        fix = f"change it in config/{environment}.toml and promote; variables set deployment fields only"
        raise ProblemError(Problem(reason="promoted-field-by-variable", what=what, fix=(fix,), field=dotted))
    return Override(variable=variable, key=key, value=_value(variable, text, field))


def _variables(key: tuple[str, ...], *, development: bool) -> Iterator[str]:
    """The variables that may be set; issuers by the name that was written."""
    yield from (ENVIRONMENT, WORLD)
    for table, info in FileTables.model_fields.items():
        inner, path = info.annotation, cast("tuple[str, ...]", (table,))
        if get_origin(inner) is dict:
            inner, path = get_args(inner)[1], (table, *key[1:2])
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for field in inner.model_fields:
                if development or is_deployment((*path, field)):
                    yield PREFIX + "__".join((*path, field)).upper()


def _value(variable: str, text: str, field: FieldInfo | None) -> object:
    """A text as it stands; a number or a truth value as a TOML scalar."""
    closed = field is None or any(isinstance(mark, Closed) for mark in field.metadata)
    if field is None or closed or not {field.annotation, *get_args(field.annotation)} & {int, float, bool}:
        return text
    scalar = _scalar(text)
    if scalar is None:
        what = f"the variable `{variable}` holds no number or truth value"
        raise ProblemError(
            Problem(reason="bad-value", what=what, fix=("write it as in TOML",), field=variable)
        )
    return scalar


def _scalar(text: str) -> bool | int | float | None:
    try:
        value = tomllib.loads(f"value = {text}")["value"] if text.isprintable() else None
    except tomllib.TOMLDecodeError:
        return None
    return value if isinstance(value, bool | int | float) else None
