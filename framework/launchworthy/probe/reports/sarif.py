"""How do code hosts and scanners show findings? SARIF 2.1.0, of rules and results of any kind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from launchworthy._version import __version__

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NAME: Final = "launchworthy"


class Level(StrEnum):
    """How much a result matters (SARIF 2.1.0 §3.27.10)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NONE = "none"


class Kind(StrEnum):
    """What a result says (SARIF 2.1.0 §3.27.9); only a failure has a level."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - SARIF's word
    OPEN = "open"
    NOT_APPLICABLE = "notApplicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What was looked at.

    Attributes:
        id: stable.
        title: one line.
        why: what goes wrong where it does not hold.
        help: what is right, and where that is written.
    """

    id: str
    title: str
    why: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a result is: a file with a line, or something that runs.

    Attributes:
        uri: of the file, relative to the project, or of the server.
        line: from 1; None where there is none.
        name: of what runs there; None for a file.
    """

    uri: str
    line: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One result.

    Attributes:
        rule: its id.
        kind: what it says.
        level: how much a failure matters.
        message: one paragraph.
        location: where.
        same_as: what stays the same as long as it is the same result; hashed into its fingerprint.
        suppressed: why a failure does not count meanwhile (§3.27.23); None where it counts.
    """

    rule: str
    kind: Kind
    level: Level
    message: str
    location: Location
    same_as: tuple[str, ...]
    suppressed: str | None = None


def render_sarif(rules: Sequence[Rule], results: Sequence[Found], *, complete: bool) -> str:
    """One SARIF log with one run.

    Args:
        rules: each rule once; those of all results among them.
        results: in any order.
        complete: whether everything was looked at.
    """
    places = {rule.id: number for number, rule in enumerate(rules)}
    driver = {
        "name": _NAME,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": complete}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, places[found.rule]) for found in results],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.help},
    }


def _result(found: Found, place: int) -> dict[str, Any]:
    same = "\n".join((found.rule, *found.same_as)).encode(
        "utf-8", "backslashreplace"
    )  # JSON can hold half a pair
    digest = sha256(same).hexdigest()
    return {
        "ruleId": found.rule,
        "ruleIndex": place,
        "kind": found.kind.value,
        "level": found.level.value if found.kind is Kind.FAIL else Level.NONE.value,
        "message": {"text": found.message},
        "locations": [_location(found.location)],
        "partialFingerprints": {"launchworthy/v1": digest[:32]},
        **_suppressions(found.suppressed),
    }


def _suppressions(why: str | None) -> dict[str, Any]:
    return {} if why is None else {"suppressions": [{"kind": "external", "justification": why}]}


def _location(location: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": location.uri}}
    if location.line is not None:
        physical["region"] = {"startLine": location.line}
    named = {} if location.name is None else {"logicalLocations": [{"fullyQualifiedName": location.name}]}
    return {"physicalLocation": physical, **named}
