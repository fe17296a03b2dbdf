"""Where does a JSON schema take anything, or anything of any size? For the schemas that pydantic writes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_BOUNDED_FORMATS = frozenset({"date", "date-time", "time", "uuid", "ipv4", "ipv6"})
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_ESCAPED = re.compile(r"\\.")
_ENDLESS = re.compile(r"[*+]|\{\d+,\}")


def open_ends(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Every place that is not closed or not bounded, in words."""
    yield from _of(schema, schema, where, ())


def _of(schema: Any, root: Mapping[str, Any], where: str, inside: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{where} takes anything"
        return
    reference = schema.get("$ref")
    if reference is not None:
        if reference in inside:
            yield f"{where} nests without end"
            return
        named = root.get("$defs", {}).get(str(reference).rpartition("/")[2])
        yield from _of(named, root, where, (*inside, reference))
    elif "enum" in schema or "const" in schema:
        return
    elif (choices := schema.get("anyOf", schema.get("oneOf"))) is not None:
        for choice in choices:
            yield from _of(choice, root, where, inside)
    else:
        yield from _of_type(schema, root, where, inside)


def _of_type(  # noqa: C901 - one arm a type of JSON schema
    schema: Mapping[str, Any], root: Mapping[str, Any], where: str, inside: tuple[str, ...]
) -> Iterator[str]:
    match schema.get("type"):
        case "object":
            if schema.get("additionalProperties") is not False:
                yield f"{where} takes more than it names"
            for name, inner in schema.get("properties", {}).items():
                yield from _of(inner, root, name, inside)
        case "array":
            yield from _of_array(schema, root, where, inside)
        case "string":
            if not _is_short(schema):
                yield f"{where} has no longest text"
        case "integer" | "number":
            low = "minimum" in schema or "exclusiveMinimum" in schema
            if not (low and ("maximum" in schema or "exclusiveMaximum" in schema)):
                yield f"{where} is a number without bounds"
        case "boolean" | "null":
            return
        case _:
            yield f"{where} takes anything"


def _of_array(
    schema: Mapping[str, Any], root: Mapping[str, Any], where: str, inside: tuple[str, ...]
) -> Iterator[str]:
    if "maxItems" not in schema:
        yield f"{where} has no longest list"
    for inner in schema.get("prefixItems", ()):
        yield from _of(inner, root, where, inside)
    if "items" in schema or "prefixItems" not in schema:
        yield from _of(schema.get("items"), root, where, inside)


def _is_short(schema: Mapping[str, Any]) -> bool:
    """Whether a text has an end: by length, by format, or by a pattern that matches the whole and ends."""
    if "maxLength" in schema or schema.get("format") in _BOUNDED_FORMATS:
        return True
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or not (pattern.startswith("^") and pattern.endswith("$")):
        return False
    bare = _CLASS.sub("x", _ESCAPED.sub("x", pattern))
    return "|" not in _outside_groups(bare) and _ENDLESS.search(bare) is None


def _outside_groups(pattern: str) -> str:
    """A pattern without what stands in parentheses: `^a|b$` is anchored at one end of each only."""
    depth, outside = 0, []
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            outside.append(letter)
    return "".join(outside)
