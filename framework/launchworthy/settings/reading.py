"""What do the sources say? Every one read, and swept for secrets before anything else is said about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from launchworthy.manifest import SourceFile, read_toml
from launchworthy.settings.project import ProjectFiles
from launchworthy.settings.sources import ENVIRONMENT, PREFIX, Override, Tables, read_variables
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.sweep import secrets_in_file, secrets_in_variables
from launchworthy.settings.tables import WorldSettings
from launchworthy.settings.world_file import read_world, world_settings
from launchworthy.vocabulary import Environment, Problem, ProblemError

_WEAKENING: Final = frozenset({"AUTHLIB_INSECURE_TRANSPORT"})
"""authlib then takes tokens and sends proofs over http; empty counts as unset for it, and not for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Every source, read and not yet merged.

    Attributes:
        environment: where this process is.
        rehearsed: whose settings file is the base.
        base: the settings file.
        base_tables: its values.
        world: the world file, if there is one.
        world_tables: its values but for `[world]`.
        world_settings: `[world]`.
        overrides: the variables.
        credentials_directory: where systemd keeps this service's credentials.
    """

    environment: Environment
    rehearsed: Environment
    base: SourceFile
    base_tables: Tables
    world: SourceFile | None
    world_tables: Tables
    world_settings: WorldSettings | None
    overrides: tuple[Override, ...]
    credentials_directory: str | None


class _Complaints:
    """What is wrong, secrets apart: where there is one, nothing else is said, since it might repeat it."""

    def __init__(self) -> None:
        self.secrets: list[Problem] = []
        self.others: list[Problem] = []

    def file(self, path: str, content: bytes, topic: str) -> tuple[SourceFile, Tables]:
        """Read a file and sweep it, TOML or not."""
        source = SourceFile(path=path, text=content.decode("utf-8", "replace"), topic=topic)
        tables: Tables = {}
        try:
            source, tables = read_toml(path, content, topic=topic)
        except ProblemError as error:
            self.others.extend(error.problems)
        self.secrets.extend(secrets_in_file(source, tables))
        return source, tables

    def stop_here(self) -> None:
        """Raise what was found, if anything was."""
        if self.secrets or self.others:
            raise ProblemError(*(self.secrets or self.others))


def environment_of(environ: Mapping[str, str]) -> Environment:
    """The environment that a process is told; nothing is assumed.

    Raises:
        ProblemError: `environment-not-set` or `environment-unknown`.
    """
    found = environ.get(ENVIRONMENT, "")
    if found in tuple(Environment):
        return Environment(found)
    if found == "":
        problem = Problem(
            reason="environment-not-set",
            what=f"`{ENVIRONMENT}` is not set, and nothing is assumed",
            fix=("on your machine: launchworthy dev   ·   elsewhere: development, staging or production",),
            field=ENVIRONMENT,
        )
    else:
        problem = Problem(
            reason="environment-unknown",
            what=f"`{ENVIRONMENT}` names no environment",
            fix=(f"it is one of {', '.join(Environment)}",),
            field=ENVIRONMENT,
        )
    raise ProblemError(problem)


def read_sources(
    environ: Mapping[str, str],
    project: ProjectFiles,
    environment: Environment,
    app: type[AppSettings] | None,
) -> Sources:
    """Read the variables, the world file and the settings file.

    Raises:
        ProblemError: with every secret; where there is none, with all else that cannot be read.
    """
    found = _Complaints()
    found.secrets.extend(secrets_in_variables(environ, PREFIX if environment.simulated else ""))
    found.others.extend(_weakening(environ))
    source, tables, settings = _world(found, environ, environment)
    rehearsed = environment
    if environment is Environment.REHEARSAL:
        rehearsed = Environment(settings.settings if settings is not None else "production")
    base, base_tables = _base(found, project, rehearsed)
    overrides: tuple[Override, ...] = ()
    try:
        overrides = read_variables(environ, environment, app)
    except ProblemError as error:
        found.others.extend(error.problems)
    found.stop_here()
    return Sources(
        environment=environment,
        rehearsed=rehearsed,
        base=base,
        base_tables=base_tables,
        world=source,
        world_tables=tables,
        world_settings=settings,
        overrides=overrides,
        credentials_directory=environ.get("CREDENTIALS_DIRECTORY"),
    )


def _weakening(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Variables that take a check away from a library we use; set to anything at all, even to `0`."""
    for name in sorted(_WEAKENING.intersection(environ)):
        yield Problem(
            reason="weakening-variable",
            where=name,
            what=f"`{name}` is set, which turns off checks of a library",
            fix=("unset it; whoever set it wanted http where only https is safe",),
            field=name,
        )


def _world(
    found: _Complaints, environ: Mapping[str, str], environment: Environment
) -> tuple[SourceFile | None, Tables, WorldSettings | None]:
    if found.secrets:
        return None, {}, None  # its path may be one
    before = len(found.others)
    try:
        file = read_world(environ, environment)
        if file is None:
            return None, {}, None
        source, tables = found.file(*file, topic="world")
        if len(found.others) > before:
            return None, {}, None
        settings = world_settings(source, tables, environment)
    except ProblemError as error:
        found.others.extend(error.problems)
        return None, {}, None
    return source, {name: table for name, table in tables.items() if name != "world"}, settings


def _base(found: _Complaints, project: ProjectFiles, environment: Environment) -> tuple[SourceFile, Tables]:
    file = project.config(environment)
    if file is not None:
        return found.file(*file, topic="settings")
    path = f"config/{environment.value}.toml"
    if environment is not Environment.DEVELOPMENT:
        what = f"there are no settings for `{environment}`"
        found.others.append(Problem(reason="no-settings", where=path, what=what, fix=("write this file",)))
    return SourceFile(path=path, text="", topic="settings"), {}
