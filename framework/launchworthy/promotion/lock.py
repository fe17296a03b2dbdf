"""What do tools, policy and settings promise? `launchworthy.lock`: one fact a line, to be read as a diff."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from launchworthy.manifest.lock import describe
from launchworthy.promotion.project import REAL, Project
from launchworthy.settings import Settings

NAME = "launchworthy.lock"
_HEAD = (
    "# What this server promises: who may call what, what clients see of it, and what is configured where.\n"
    "# Written by `launchworthy lock`. Read the diff, and commit it with the change that caused it.\n"
)
_MAX_CHANGES = 5


def render(project: Project) -> str:
    """The lock of a project as it is now."""
    promise = describe(project.manifests)
    lines = [_HEAD]
    lines.extend(_section("server", promise["server"]))
    for kind in ("tools", "resources", "prompts"):
        for name, target in promise[kind].items():
            published = _published(project, kind.removesuffix("s"), name)
            lines.extend(_section(f"{kind}.{name}", {**target, **published}))
    for environment in REAL:
        policy = project.policies[environment]
        rules = [rule.id for rule in policy.rules]
        lines.extend(_section(f"policy.{environment}", {"digest": policy.digest, "rules": rules}))
        settings = project.settings if environment is project.rehearsed else project.others[environment]
        if isinstance(settings, Settings):
            lines.extend(_section(f"settings.{environment}", _nested(settings.promoted)))
    return "".join(lines)


def difference(before: str, after: str) -> tuple[str, ...]:
    """What changed, a line each, in words that name the fact; at most five and how many more.

    Empty only where the two are the same, byte for byte.
    """
    changes = list(_changes(before, after))
    if not changes and before != after:
        changes = ["its lines are not as `launchworthy lock` writes them"]
    more = len(changes) - _MAX_CHANGES
    return (*changes[:_MAX_CHANGES], *([f"and {more} more"] if more > 0 else []))


def unified(before: str, after: str) -> str:
    """The same as a diff."""
    return "".join(difflib.unified_diff(_lines(before), _lines(after), f"a/{NAME}", f"b/{NAME}", n=1))


def _section(name: str, fields: dict[str, Any]) -> Iterator[str]:
    yield f"\n[{name}]\n"
    for field, value in _flat(fields, ""):
        yield f"{field} = {_value(value)}\n"


def _nested(promoted: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by their dotted names as tables in tables."""
    tables: dict[str, Any] = {}
    for name, value in promoted.items():
        *around, field = name.split(".")
        table = tables
        for part in around:
            table = table.setdefault(part, {})
        table[field] = value
    return tables


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flat(value[key], f"{name}.{_key(key)}" if name else _key(key))
    else:
        yield name, value


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    """One line of JSON in which every character can be seen: what nobody sees is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def _lines(text: str) -> list[str]:
    """Lines as they are written, and not as Unicode would break them."""
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []


def _published(project: Project, kind: str, name: str) -> dict[str, Any]:
    for target in project.answer.targets:
        if (target.kind, target.name) == (kind, name):
            said = {key: value for key, value in target.published.items() if key != "name"}
            return {"published": said}
    return {}


def _changes(before: str, after: str) -> Iterator[str]:
    old, new = _facts(before), _facts(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{name} is gone"
        elif name not in old:
            yield f"{name} is new"
        elif old[name] != new[name]:
            yield f"{name} is another than when it was reviewed"


def _facts(text: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    section = ""
    for line in text.split("\n"):
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            field, _, value = line.partition(" = ")
            facts[f"{section}.{field}"] = value
    return facts
