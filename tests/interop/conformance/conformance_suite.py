"""One run of the official suite against our server, and what it is expected to find."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from foreign_node import Node

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "project"
PACKAGE = "@modelcontextprotocol/conformance"
REVISIONS = ("2026-07-28", "2025-11-25")
_FOLDER = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT.*Z")


@dataclass(frozen=True, order=True)
class Finding:
    """A check that did not simply succeed."""

    scenario: str
    check: str
    status: str


@dataclass(frozen=True)
class Run:
    """All that one run of the suite saw."""

    scenarios: frozenset[str]
    passed: int
    findings: frozenset[Finding]
    output: str


def run_suite(node: Node, url: str, revision: str, directory: Path) -> Run:
    """Everything that the revision requires of a server, and what it does not score."""
    results = directory / "results"
    command = node.script(PACKAGE, "dist/index.js")
    done = node.run(
        [*command, "server", "--url", url, "--requirements", revision, "-o", str(results)], directory
    )
    scenarios, findings, passed = set(), set(), 0
    for path in results.glob("*/checks.json"):
        named = _FOLDER.fullmatch(path.parent.name)
        assert named is not None, path
        scenarios.add(named["scenario"])
        for check in json.loads(path.read_text()):
            passed += check["status"] == "SUCCESS"
            if check["status"] in {"FAILURE", "WARNING"}:
                findings.add(Finding(named["scenario"], check["id"], check["status"]))
    return Run(frozenset(scenarios), passed, frozenset(findings), done.stdout + done.stderr)


def expected(revision: str) -> dict[Finding, str]:
    """The findings that have a reason, and the reasons."""
    tables = tomllib.loads((HERE / "expected.toml").read_text())
    found = {}
    for reason in tables["reason"]:
        for scenario, check, status in reason.get(revision, ()):
            finding = Finding(scenario, check, status)
            assert finding not in found, finding
            found[finding] = reason["why"]
    return found


def required(node: Node, revision: str) -> frozenset[str]:
    """The scenarios that the revision requires of a server, as the suite froze them."""
    text = (node.folder / "node_modules" / PACKAGE / "requirements" / f"{revision}.yaml").read_text()
    server = re.search(r"^server:\n((?:  - .+\n)+)", text, re.MULTILINE)
    assert server is not None
    return frozenset(line.removeprefix("  - ") for line in server[1].splitlines())
