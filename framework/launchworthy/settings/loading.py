"""How do settings become what is in force? Read, swept for secrets, merged, validated, kept in their world.

The order matters to the person who reads the message: the environment first, then secrets before anything
else, then unknown names, then values, then the two worlds.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, ValidationError, create_model

from launchworthy.manifest import Form, SourceFile, mistakes, read_toml
from launchworthy.settings.class_check import check_settings_class
from launchworthy.settings.project import ProjectFiles
from launchworthy.settings.resolved import Replacement, Settings
from launchworthy.settings.sources import (
    ENVIRONMENT,
    WORLD,
    Override,
    Tables,
    is_deployment,
    merge,
    read_variables,
    tables_of,
)
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.sweep import secrets_in_tables, secrets_in_variables
from launchworthy.settings.tables import FileTables, WorldSettings
from launchworthy.settings.worlds import check_worlds
from launchworthy.vocabulary import Environment, Problem, ProblemError

NOT_YET: Final[Mapping[str, frozenset[str]]] = {
    "state": frozenset(),
    "limits": frozenset(),
    "credentials": frozenset(),
    "control": frozenset(),
    "server.tls": frozenset({"spiffe"}),
    "server.replicas": frozenset(),
    "identity.kind": frozenset({"github"}),
    "identity.revocation_grace": frozenset(),
    "promotion.judges": frozenset(),
    "*.*.exceptions": frozenset(),
}
"""What is designed and not enforced yet: refused, never read and ignored."""
REPLACEABLE: Final = {
    "server": frozenset({"resource", "listen", "health_bind", "data_directory"}),
    "identity": frozenset(
        {"kind", "expected_id", "trust_domains", "endpoint", "socket_owner_uids", "start_deadline"}
    ),
    "issuers": frozenset({"issuer", "jwks_uri", "key_fresh", "key_stale", "key_spacing"}),
    "audit": frozenset({"directory"}),
    "promotion": frozenset({"records"}),
}
"""The closed list of what a world file may replace, by table."""
_FORM: Final = Form(model=FileTables, not_yet=NOT_YET)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Every source, read and not yet merged."""

    environment: Environment
    rehearsed: Environment
    base: SourceFile
    base_tables: Tables
    world: SourceFile | None
    world_tables: Tables
    world_settings: WorldSettings | None
    overrides: tuple[Override, ...]


def load_settings(
    environ: Mapping[str, str], project: ProjectFiles, app: type[AppSettings] | None
) -> Settings:
    """Resolve the settings of a server process.

    Args:
        environ: its whole environment; in the real world it is swept for secrets.
        project: the project's files.
        app: the class of the `[app]` table, or None where the server has none.

    Raises:
        ProblemError: with everything that is wrong, secrets first.
    """
    read, merged, settings = _load(environ, project)
    return replace(settings, app=_app(read, merged.get("app"), app, settings.data_directory))


def load_framework_settings(environ: Mapping[str, str], project: ProjectFiles) -> Settings:
    """Resolve all but the `[app]` table, for commands that look at a server without importing it.

    Raises:
        ProblemError: as `load_settings`.
    """
    _, _, settings = _load(environ, project)
    return settings


def _load(environ: Mapping[str, str], project: ProjectFiles) -> tuple[_Read, Tables, Settings]:
    read = _read(environ, project, _environment(environ))
    merged = merge(tables_of(read.overrides), read.world_tables, read.base_tables)
    return read, merged, _resolve(read, merged, project.package)


def inspect_settings(project: ProjectFiles, environment: Environment) -> Settings:
    """Resolve what is promoted for an environment, as the gate sees it: from the file alone.

    The `[app]` table is taken as it stands, and values that were left for later are not refused here;
    `check_worlds` tells them.

    Raises:
        ProblemError: with everything that is wrong, secrets first.
    """
    read = _read({ENVIRONMENT: environment.value}, project, environment)
    return _resolve(read, dict(read.base_tables), project.package, judge_world=False)


def _environment(environ: Mapping[str, str]) -> Environment:
    found = environ.get(ENVIRONMENT, "")
    if found == "":
        raise ProblemError(
            Problem(
                reason="environment-not-set",
                what=f"`{ENVIRONMENT}` is not set, and nothing is assumed",
                fix=(
                    "on your machine: launchworthy dev   ·   elsewhere: development, staging or production",
                ),
                field=ENVIRONMENT,
            )
        )
    try:
        return Environment(found)
    except ValueError:
        names = ", ".join(Environment)
        problem = Problem(
            reason="environment-unknown",
            what=f"`{ENVIRONMENT}` names no environment",
            fix=(f"it is one of {names}",),
            field=ENVIRONMENT,
        )
        raise ProblemError(problem) from None


def _read(environ: Mapping[str, str], project: ProjectFiles, environment: Environment) -> _Read:
    world, world_tables, world_settings = _world(environ, environment)
    rehearsed = environment
    if environment is Environment.REHEARSAL and world_settings is not None:
        rehearsed = Environment(world_settings.settings)
    base, base_tables = _base(project, rehearsed)
    problems = list(secrets_in_tables(base, base_tables))
    if world is not None:
        problems.extend(secrets_in_tables(world, world_tables))
    if not environment.simulated:
        problems.extend(secrets_in_variables(environ))
    try:
        overrides = read_variables(environ, environment)
    except ProblemError as error:
        overrides = ()
        problems.extend(error.problems)
    problems.extend(_secrets_in(overrides))
    if problems:
        raise ProblemError(*problems)
    return _Read(
        environment=environment,
        rehearsed=rehearsed,
        base=base,
        base_tables=base_tables,
        world=world,
        world_tables=world_tables,
        world_settings=world_settings,
        overrides=overrides,
    )


def _base(project: ProjectFiles, environment: Environment) -> tuple[SourceFile, Tables]:
    found = project.config(environment)
    path = f"config/{environment.value}.toml"
    if found is None:
        if environment is Environment.DEVELOPMENT:
            return SourceFile(path=path, text="", topic="settings"), {}
        what = f"there are no settings for `{environment}`"
        raise ProblemError(Problem(reason="no-settings", where=path, what=what, fix=("write this file",)))
    return read_toml(*found, topic="settings")


def _world(
    environ: Mapping[str, str], environment: Environment
) -> tuple[SourceFile | None, Tables, WorldSettings | None]:
    path = environ.get(WORLD)
    if path is None:
        if environment is Environment.REHEARSAL:
            what = f"a rehearsal needs a simulated world, and `{WORLD}` is not set"
            raise ProblemError(Problem(reason="no-world", what=what, fix=("launchworthy promote makes one",)))
        return None, {}, None
    if not environment.simulated:
        what = f"`{WORLD}` is set, and `{environment}` is in the real world"
        raise ProblemError(Problem(reason="wrong-world", what=what, fix=("take it out",), field=WORLD))
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        what = f"the world file cannot be read ({type(error).__name__})"
        problem = Problem(reason="no-world", where=path, what=what, fix=("launchworthy dev writes one",))
        raise ProblemError(problem) from None
    source, tables = read_toml(path, content, topic="world")
    settings = _world_settings(source, tables.pop("world", {}))
    problems = tuple(_not_replaceable(source, tables, environment))
    if problems:
        raise ProblemError(*problems)
    return source, tables, settings


def _world_settings(source: SourceFile, table: object) -> WorldSettings:
    try:
        return WorldSettings.model_validate_json(json.dumps(table))
    except ValidationError as error:
        raise ProblemError(*mistakes(error, Form(model=WorldSettings, not_yet={}), source)) from None


def _not_replaceable(source: SourceFile, tables: Tables, environment: Environment) -> Iterator[Problem]:
    for name, table in tables.items():
        inner = table.values() if name == "issuers" and isinstance(table, dict) else (table,)
        fields = {field for each in inner for field in (each if isinstance(each, dict) else {"": None})}
        allowed = REPLACEABLE.get(name, frozenset())
        if name == "issuers" and environment is Environment.DEVELOPMENT:
            allowed |= {"algorithms"}  # its settings need not name any issuer
        for field in sorted(fields - allowed):
            what = f"replaces `{name}.{field}`, and a rehearsal runs with everything else as promoted"
            yield source.problem("not-replaceable", (name, field), what, "take it out")


def _secrets_in(overrides: tuple[Override, ...]) -> Iterator[Problem]:
    for override in overrides:
        source = SourceFile(path=override.variable, text="", topic="settings")
        for problem in secrets_in_tables(source, tables_of((override,))):
            yield replace(problem, where=override.variable)


def _resolve(read: _Read, merged: Tables, package: str, *, judge_world: bool = True) -> Settings:
    tables = _validate(read, merged)
    promoted_tables = _validate(read, _as_promoted(read, merged))
    sources = dict(_sources(read))
    if judge_world:
        problems = check_worlds(tables, read.environment, sources)
        if problems:
            raise ProblemError(*problems)
    promoted = _promoted(promoted_tables)
    return Settings(
        environment=read.environment,
        rehearsed=read.rehearsed,
        server=tables.server,
        identity=tables.identity,
        issuers=tables.issuers,
        audit=tables.audit,
        promotion=tables.promotion,
        app=None,
        world=read.world_settings,
        data_directory=tables.server.data_directory or Path("/var/lib") / package,
        sources=sources,
        replaced=tuple(_replaced(promoted_tables, tables)) if read.world is not None else (),
        promoted={**promoted, "app": read.base_tables.get("app", {})},
    )


def _as_promoted(read: _Read, merged: Tables) -> Tables:
    """What is promoted, whatever a world file says: the digest of a rehearsal is that of its record.

    The file's own values come first, and what it leaves to the deployment may come from anywhere. Only in
    `development`, which nobody promotes, the file need not be whole.
    """
    if read.environment is Environment.DEVELOPMENT:
        return merge(read.base_tables, merged)
    left_open = {
        name: {field: value for field, value in table.items() if is_deployment((name, field))}
        for name, table in merged.items()
        if isinstance(table, dict)
    }
    return merge(read.base_tables, {name: table for name, table in left_open.items() if table})


def _validate(read: _Read, tables: Tables) -> FileTables:
    try:
        return FileTables.model_validate_json(
            json.dumps({name: table for name, table in tables.items() if name != "app"})
        )
    except ValidationError as error:
        elsewhere = dict(_sources(read))
        raise ProblemError(
            *(
                replace(problem, where=elsewhere.get(problem.field or "", problem.where))
                for problem in mistakes(error, _FORM, read.base)
            )
        ) from None


def _replaced(promoted_tables: FileTables, tables: FileTables) -> Iterator[Replacement]:
    """Every field that is another one in the simulated world, those of the deployment too."""
    before, after = (
        {".".join(key): value for key, value in _leaves(each.model_dump(mode="json"), ())}
        for each in (promoted_tables, tables)
    )
    for field in sorted(before.keys() | after.keys()):
        if before.get(field) != after.get(field):
            yield Replacement(
                field=field, promoted=json.dumps(before.get(field)), rehearsed=json.dumps(after.get(field))
            )


def _promoted(tables: FileTables) -> dict[str, Any]:
    return {
        ".".join(key): value
        for key, value in _leaves(tables.model_dump(mode="json"), ())
        if not is_deployment(key)
    }


def _leaves(value: Any, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*key, name))
    else:
        yield key, value


def _sources(read: _Read) -> Iterator[tuple[str, str]]:
    """Where each field came from; later ones win."""
    for key, _ in _leaves(read.base_tables, ()):
        yield ".".join(key), read.base.where(key)
    if read.world is not None:
        for key, _ in _leaves(read.world_tables, ()):
            yield ".".join(key), read.world.where(key)
    for override in read.overrides:
        yield ".".join(override.key), override.variable


def _app(
    read: _Read, table: object, app: type[AppSettings] | None, data_directory: Path
) -> AppSettings | None:
    if app is None:
        if table is None:
            return None
        what = "has a table [app], and the server has no settings class"
        raise ProblemError(
            read.base.problem("unknown-field", ("app",), what, "take it out, or give Server(settings=…) one")
        )
    weak = tuple(check_settings_class(app))
    if weak:
        fix = ("use the closed types of launchworthy.settings",)
        raise ProblemError(*(Problem(reason="weak-settings-class", what=each, fix=fix) for each in weak))
    form = create_model("App", __config__=ConfigDict(strict=True, hide_input_in_errors=True), app=(app, ...))
    try:
        whole = form.model_validate_json(
            json.dumps({} if table is None else {"app": table}), context={"data_directory": data_directory}
        )
    except ValidationError as error:
        raise ProblemError(*mistakes(error, Form(model=form, not_yet={}), read.base)) from None
    loaded: AppSettings = whole.app  # type: ignore[attr-defined]  # the one field of the form
    return loaded
