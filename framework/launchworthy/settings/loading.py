"""How do settings become what is in force? Read, swept for secrets, merged, validated, kept in their world.

The order matters to the person who reads the message: the environment first, then secrets before anything
else, then unknown names, then values, then the two worlds.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ConfigDict, ValidationError, create_model

from launchworthy.manifest import mistakes
from launchworthy.settings.class_check import check_settings_class
from launchworthy.settings.private_place import check_private_place
from launchworthy.settings.project import ProjectFiles
from launchworthy.settings.promoted import leaves, promoted_fields, promoted_tables, replacements
from launchworthy.settings.reading import Sources, environment_of, read_sources
from launchworthy.settings.resolved import Settings
from launchworthy.settings.sources import ENVIRONMENT, Tables, merge, tables_of
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.sweep import holds_secret
from launchworthy.settings.tables import FileTables
from launchworthy.settings.world_file import REPLACEABLE, without_displaced
from launchworthy.settings.worlds import check_worlds
from launchworthy.vocabulary import Environment, Problem, ProblemError

__all__ = ["REPLACEABLE", "inspect_settings", "load_framework_settings", "load_settings"]


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
    read, merged, settings = _load(environ, project, app)
    return replace(settings, app=_app(read, merged.get("app"), app, settings.data_directory))


def load_framework_settings(environ: Mapping[str, str], project: ProjectFiles) -> Settings:
    """Resolve all but the `[app]` table, for commands that look at a server without importing it.

    Raises:
        ProblemError: as `load_settings`.
    """
    _, _, settings = _load(environ, project, None)
    return settings


def _load(
    environ: Mapping[str, str], project: ProjectFiles, app: type[AppSettings] | None
) -> tuple[Sources, Tables, Settings]:
    read = read_sources(environ, project, environment_of(environ), app)
    base = without_displaced(read.base_tables, read.world_tables)
    merged = merge(tables_of(read.overrides), read.world_tables, base)
    settings = _resolve(read, merged, project.package)
    problems = check_worlds(settings, read.environment, settings.sources)
    problems += check_private_place(settings)
    if problems:
        raise ProblemError(*problems)
    return read, merged, settings


def inspect_settings(project: ProjectFiles, environment: Environment) -> Settings:
    """Resolve what is promoted for an environment, as the gate sees it: from the file alone.

    The `[app]` table is taken as it stands, and values that were left for later are not refused here;
    `check_worlds` tells them.

    Raises:
        ProblemError: with everything that is wrong, secrets first.
    """
    read = read_sources({ENVIRONMENT: environment.value}, project, environment, None)
    return _resolve(read, dict(read.base_tables), project.package)


def _resolve(read: Sources, merged: Tables, package: str) -> Settings:
    tables = _validate(read, merged)
    development = read.environment is Environment.DEVELOPMENT
    promoted = _validate(
        replace(read, world=None, overrides=()),
        promoted_tables(read.base_tables, merged, development=development),
    )
    return Settings(
        environment=read.environment,
        rehearsed=read.rehearsed,
        server=tables.server,
        identity=tables.identity,
        issuers=tables.issuers,
        credentials=tables.credentials,
        audit=tables.audit,
        state=tables.state,
        approval=tables.approval,
        limits=tables.limits,
        control=tables.control,
        telemetry=tables.telemetry,
        promotion=tables.promotion,
        app=None,
        world=read.world_settings,
        data_directory=tables.server.data_directory or Path("/var/lib") / package,
        sources=dict(_sources(read)),
        replaced=tuple(replacements(promoted, tables, read.world_tables)),
        promoted={**promoted_fields(promoted), "app": read.base_tables.get("app", {})},
    )


def _validate(read: Sources, tables: Tables) -> FileTables:
    try:
        return FileTables.model_validate_json(
            json.dumps({name: table for name, table in tables.items() if name != "app"}),
            context={"credentials_directory": read.credentials_directory},
        )
    except ValidationError as error:
        problems = mistakes(error, FileTables, read.base)
    raise _placed(read, problems)


def _placed(read: Sources, problems: tuple[Problem, ...]) -> ProblemError:
    """The same problems, each where its value came from."""
    elsewhere = dict(_sources(read))
    return ProblemError(
        *(replace(each, where=elsewhere.get(each.field or "", each.where)) for each in problems)
    )


def _sources(read: Sources) -> Iterator[tuple[str, str]]:
    """Where each field came from; later ones win."""
    for key, _ in leaves(read.base_tables, ()):
        yield ".".join(key), read.base.where(key)
    if read.world is not None:
        for key, _ in leaves(read.world_tables, ()):
            yield ".".join(key), read.world.where(key)
    for override in read.overrides:
        yield ".".join(override.key), override.variable


def _app(
    read: Sources, table: object, app: type[AppSettings] | None, data_directory: Path
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
    context = {"data_directory": data_directory, "credentials_directory": read.credentials_directory}
    try:
        whole = form.model_validate_json(json.dumps({"app": {} if table is None else table}), context=context)
    except ValidationError as error:
        problems = mistakes(error, form, read.base)
    else:
        loaded: AppSettings = whole.app  # type: ignore[attr-defined]  # the one field of the form
        if holds_secret("", loaded):  # a validator of the team's ran after ours
            raise ProblemError(
                Problem(
                    reason="secret-by-value",
                    what=f"the validated settings hold a secret that a validator of {app.__name__} put there",
                    fix=("take it out of the code and rotate it",),
                    field="app",
                )
            )
        return loaded
    raise _placed(read, problems)
