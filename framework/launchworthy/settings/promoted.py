"""What of the settings is promoted, and what did the world replace? From the file alone, plus defaults.

A field that the file must have and has not comes from where this process got it: a deployment field anywhere,
any other one in development, where the world supplies what the file need not name.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from launchworthy.settings.resolved import Replacement
from launchworthy.settings.sources import Tables, is_deployment
from launchworthy.settings.tables import FileTables

Leaf = tuple[tuple[str, ...], Any]


def promoted_tables(base: Tables, merged: Tables, *, development: bool) -> Tables:
    """The tables of the file, with what it must have and has not from what is in force.

    Args:
        base: of the file.
        merged: what is in force.
        development: whether promoted fields may be filled in too.
    """
    tables: Tables = json.loads(json.dumps(base))
    while True:
        added = [_fill(tables, merged, key, development=development) for key in _missing(tables)]
        if not any(added):
            return tables


def leaves(value: Any, key: tuple[str, ...]) -> Iterator[Leaf]:
    """Every value that is no table, with its key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*key, name))
    else:
        yield key, value


def promoted_fields(tables: FileTables) -> dict[str, Any]:
    """Every promoted field with its value, by dotted name."""
    return {
        ".".join(key): value
        for key, value in leaves(tables.model_dump(mode="json"), ())
        if not is_deployment(key)
    }


def replacements(promoted: FileTables, final: FileTables, world: Tables) -> Iterator[Replacement]:
    """Every field, deployment fields too, to which the world gave another value than the file did."""
    before, after = (
        {".".join(key): value for key, value in leaves(tables.model_dump(mode="json"), ())}
        for tables in (promoted, final)
    )
    for field in sorted(".".join(key) for key, _ in leaves(world, ())):
        if before.get(field) != after.get(field):
            yield Replacement(
                field=field,
                promoted=json.dumps(before.get(field)),
                rehearsed=json.dumps(after.get(field)),
            )


def _missing(tables: Tables) -> tuple[tuple[str, ...], ...]:
    try:
        FileTables.model_validate_json(
            json.dumps({name: table for name, table in tables.items() if name != "app"})
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(tuple(str(part) for part in each["loc"]) for each in found if each["type"] == "missing")
    return ()


def _fill(tables: Tables, merged: Tables, key: tuple[str, ...], *, development: bool) -> bool:
    value: Any = merged
    for part in key:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    if isinstance(value, Mapping):  # only what its fields need
        value = {name: {} for name in value} if key in (("issuers",), ("credentials",)) else {}
    elif not (development or is_deployment(key)):
        return False
    table = tables
    for part in key[:-1]:
        table = table[part]
    table[key[-1]] = value
    return True
