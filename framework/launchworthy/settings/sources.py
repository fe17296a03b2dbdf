"""Where do settings come from, and which source wins? Variables, the world file, the settings file.

Built on pydantic-settings' sources; its own (the environment at large, `.env`, command line, secrets
directories) are not used, because they read what nobody declared.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from launchworthy.settings.closed import Closed, Deployment
from launchworthy.settings.tables import FileTables
from launchworthy.vocabulary import Environment, Problem, ProblemError

PREFIX = "LAUNCHWORTHY_"
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


def read_variables(environ: Mapping[str, str], environment: Environment) -> tuple[Override, ...]:
    """Read every variable with our prefix.

    Raises:
        ProblemError: one names no field, one that is promoted, or a value that is none; all of them.
    """
    found: list[Override] = []
    problems: list[Problem] = []
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX) or variable in (ENVIRONMENT, WORLD):
            continue
        try:
            found.append(_override(variable, environ[variable], environment))
        except ProblemError as error:
            problems.extend(error.problems)
    if problems:
        raise ProblemError(*problems)
    return tuple(found)


def tables_of(overrides: tuple[Override, ...]) -> Tables:
    """The same as nested tables."""
    tables: Tables = {}
    for override in overrides:
        table = tables
        for part in override.key[:-1]:
            table = table.setdefault(part, {})
        table[override.key[-1]] = override.value
    return tables


def field_of(key: tuple[str, ...]) -> FieldInfo | None:
    """The field that a key such as `("issuers", "acme", "issuer")` names, or None."""
    annotation: Any = FileTables
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


def _override(variable: str, text: str, environment: Environment) -> Override:
    key = tuple(part.lower() for part in variable[len(PREFIX) :].split("__"))
    field = field_of(key)
    dotted = ".".join(key)
    if field is None or variable != variable.upper() or not variable.startswith(PREFIX):
        what = f"the variable `{variable}` names no field of the settings"
        fix = "LAUNCHWORTHY_<TABLE>__<FIELD>, such as LAUNCHWORTHY_SERVER__LISTEN; take any other one out"
        raise ProblemError(Problem(reason="unknown-variable", what=what, fix=(fix,), field=variable))
    if environment is not Environment.DEVELOPMENT and not is_deployment(key):
        what = f"the variable `{variable}` sets `{dotted}`, which is promoted with the code"
        fix = f"change it in config/{environment}.toml and promote; variables set deployment fields only"
        raise ProblemError(Problem(reason="promoted-field-by-variable", what=what, fix=(fix,), field=dotted))
    return Override(variable=variable, key=key, value=_value(variable, text, field))


def _value(variable: str, text: str, field: FieldInfo) -> object:
    """A text as it stands; a number or a truth value as a TOML scalar."""
    if any(isinstance(mark, Closed) for mark in field.metadata) or field.annotation not in (int, float, bool):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        what = f"the variable `{variable}` holds no number or truth value"
        raise ProblemError(
            Problem(reason="bad-value", what=what, fix=("write it as in TOML",), field=variable)
        ) from None
