"""What is refused, with what, and which test shows it? Written from the tests, so that no row is a claim.

The names of the tests are sentences, and the vectors name their cases: a row is such a sentence, the reasons
that the test names, and the test. What no test names has no row.
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from launchworthy.cli.pages.reason import problem_texts
from launchworthy.enforcement.answers import TABLE
from launchworthy.vocabulary import Reason, wire_word

TESTS: Final = Path(__file__).parents[1]
_HEAD: Final = """# What is refused

Each row was tried by a test of this repository.
Written from the tests and their vectors by `nox -s references`; a row that no test shows any more fails.
A reason in kebab-case ends a start or a command: exit code 78 of a server, 75 where a restart may help; 2 of
a command. `launchworthy explain REASON` prints its page.
A reason with a dot is a refused request: its status and public word are those of the first table, and that
is all that a caller sees; the reason is in the audit.

## The answer to a request, by reason

| reason | status | word on the wire |
|---|---|---|
"""
WAYS: Final = Path(__file__).with_name("secret_ways.toml")
FAMILIES: Final = (
    ("Settings", "unit/settings"),
    ("Manifests", "unit/manifest"),
    ("Policy", "unit/policy"),
    ("Approval and grants", "unit/approval"),
    ("Control list", "unit/state"),
    ("Requests", "integration/enforcement_gate"),
    ("Starts", "integration/server"),
    ("Trust policy and records", "unit/attestation"),
    ("What a promotion takes on trust", "unit/promotion"),
    ("Credentials", "unit/credentials"),
    ("Commands", "unit/cli"),
)
_MEMBERS: Final = {member.name: member.value for member in Reason}
_DOTTED: Final = frozenset(_MEMBERS.values())


def refusal_reference() -> str:
    """The whole page."""
    parts = [_HEAD + "".join(f"{line}\n" for line in _answers())]
    parts.append(_section("A secret, by each way in", _secrets(), "way in"))
    parts += [_section(title, rows) for title, folder in FAMILIES if (rows := tuple(_rows(TESTS / folder)))]
    parts.append(_section("Tokens, case by case", tuple(_vectors())))
    return "\n".join(parts)


def _answers() -> Iterator[str]:
    for reason, row in TABLE.items():
        if reason.family != "startup":
            yield f"| `{reason.value}` | {row.status} | `{wire_word(reason).value}` |"


def _section(title: str, rows: tuple[tuple[str, str, str], ...], head: str = "tried") -> str:
    lines = "".join(f"| {what} | {reasons} | {test} |\n" for what, reasons, test in rows)
    return f"## {title}\n\n| {head} | refused with | shown by |\n|---|---|---|\n{lines}"


def _secrets() -> tuple[tuple[str, str, str], ...]:
    found = {test.partition("/")[2]: reasons for _, reasons, test in _all(TESTS / "unit/settings")}
    ways: dict[str, str] = tomllib.loads(WAYS.read_text())
    return tuple((what, found[test] or "refused, or not read", f"`{test}`") for what, test in ways.items())


def _rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    for what, reasons, test in _all(folder):
        if reasons:
            yield what, reasons, f"`{test}`"


def _all(folder: Path) -> Iterator[tuple[str, str, str]]:
    known = frozenset(problem_texts()) | _DOTTED
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                reasons = " ".join(f"`{each}`" for each in sorted(_reasons(node, known)))
                test = f"{path.relative_to(TESTS).as_posix()}::{node.name}"
                yield node.name.removeprefix("test_").replace("_", " "), reasons, test.partition("/")[2]


def _reasons(node: ast.AST, known: frozenset[str]) -> set[str]:
    """Reasons that a test names, as a text or as a member of `Reason`; of a text also its first word."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found |= known & {each.value, re.split(r"[\s:\]]", each.value.lstrip("["), maxsplit=1)[0]}
        elif isinstance(each, ast.Attribute) and getattr(each.value, "id", None) == "Reason":
            found |= {_MEMBERS[each.attr]} if each.attr in _MEMBERS else set()
    return {each for each in found if "-" in each or "." in each}


def _vectors() -> Iterator[tuple[str, str, str]]:
    families: list[dict[str, Any]] = json.loads((TESTS / "vectors/tokens.json").read_text())["families"]
    for family in families:
        for case in family["cases"]:
            if case["expect"] != "accepted":
                what = case["name"].replace("|", "\\|")
                yield what, f"`{case['expect']}`", f"`vectors/tokens.json`, {family['family']}"
