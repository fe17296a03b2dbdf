"""What does the simulated world replace? A closed list of fields, by the file LAUNCHWORTHY_WORLD names."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from launchworthy.manifest import SourceFile, mistakes
from launchworthy.settings.sources import WORLD, Tables
from launchworthy.settings.tables import WorldSettings
from launchworthy.vocabulary import Environment, Problem, ProblemError

REPLACEABLE: Final = {
    "server": frozenset({"resource", "listen", "health_bind", "data_directory", "peers", "proxies"}),
    "identity": frozenset(
        {"kind", "expected_id", "trust_domains", "endpoint", "socket_owner_uids", "start_deadline"}
    ),
    "issuers": frozenset(
        {"issuer", "jwks_uri", "introspection_endpoint", "key_fresh", "key_stale", "key_spacing"}
    ),
    "credentials": frozenset(
        {
            "issuer",
            "url",
            "resource",
            "endpoint",
            "client",
            "authorization_server",
            "address",
            "reference",
            "ca",
        }
    ),
    "audit": frozenset({"directory", "hmac_key", "anchor_file", "anchor_url"}),
    "state": frozenset({"kind", "url", "ca", "approval_key"}),
    "approval": frozenset({"client", "authorization_endpoint", "token_endpoint"}),
    "control": frozenset({"file", "key"}),
    "telemetry": frozenset({"endpoint"}),
    "promotion": frozenset({"records"}),
}
"""The closed list of what a world file may replace, by table."""
_NAMED: Final = frozenset({"issuers", "credentials"})
"""The tables that have names."""
_IN_DEVELOPMENT: Final = {
    "issuers": frozenset({"algorithms", "person_claim", "tenant_claim"}),
    "credentials": frozenset({"broker", "assertion", "login", "mount", "role", "path", "part", "role_arn"}),
    "approval": frozenset({"issuer"}),
}
"""What the world may set besides, by table, in development."""


def read_world(environ: Mapping[str, str], environment: Environment) -> tuple[str, bytes] | None:
    """The path and the content of the world file, or None where there is no world.

    Raises:
        ProblemError: a rehearsal has none, the real world has one, or it cannot be read.
    """
    path = environ.get(WORLD)
    if path is None:
        if environment is Environment.REHEARSAL:
            what = f"a rehearsal needs a simulated world, and `{WORLD}` is not set"
            raise ProblemError(Problem(reason="no-world", what=what, fix=("launchworthy promote makes one",)))
        return None
    if not environment.simulated:
        what = f"`{WORLD}` is set, and `{environment}` is in the real world"
        raise ProblemError(Problem(reason="wrong-world", what=what, fix=("take it out",), field=WORLD))
    try:
        return path, Path(path).read_bytes()
    except (OSError, ValueError) as error:
        failed = type(error).__name__
    what = f"the file that `{WORLD}` names cannot be read ({failed})"
    fix = ("start by `launchworthy dev`, which writes one",)
    raise ProblemError(Problem(reason="no-world", what=what, fix=fix, field=WORLD))


def world_settings(source: SourceFile, tables: Tables, environment: Environment) -> WorldSettings:
    """The `[world]` table; every other field of the file is checked to be a replaceable one.

    Raises:
        ProblemError: with every field that is none, or every bad value of `[world]`.
    """
    problems: tuple[Problem, ...] = ()
    settings = WorldSettings()
    try:
        settings = WorldSettings.model_validate_json(json.dumps(tables.get("world", {})))
    except ValidationError as error:
        problems = mistakes(error, WorldSettings, source)
    problems += tuple(_not_replaceable(source, tables, environment))
    if problems:
        raise ProblemError(*problems)
    return settings


def without_displaced(base: Tables, world: Tables) -> Tables:
    """The tables of a file, without what the world lends by another broker: it says all of that."""
    lent, simulated = base.get("credentials"), world.get("credentials")
    if not isinstance(lent, dict) or not isinstance(simulated, dict):
        return base
    displaced = {
        name
        for name, table in simulated.items()
        if isinstance(table, dict)
        and "broker" in table
        and name in lent
        and not (isinstance(lent[name], dict) and lent[name].get("broker") == table["broker"])
    }
    return {**base, "credentials": {name: table for name, table in lent.items() if name not in displaced}}


def _not_replaceable(source: SourceFile, tables: Tables, environment: Environment) -> Iterator[Problem]:
    for name, table in tables.items():
        if name == "world":
            continue
        inner = table.values() if name in _NAMED and isinstance(table, dict) else (table,)
        fields = {field for each in inner for field in (each if isinstance(each, dict) else {"": None})}
        allowed = REPLACEABLE.get(name, frozenset())
        if environment is Environment.DEVELOPMENT:
            allowed |= _IN_DEVELOPMENT.get(name, frozenset())  # its settings need not name any
        for field in sorted(fields - allowed):
            what = f"replaces `{name}.{field}`, and a rehearsal runs with everything else as promoted"
            yield source.problem("not-replaceable", (name, field), what, "take it out")
