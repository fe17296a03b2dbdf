"""What came out? One result object; every report is a rendering of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from launchworthy.promotion.control import CATALOGUE_VERSION, Control, to_come
from launchworthy.promotion.finding import Finding, Status
from launchworthy.promotion.verdict import Verdict, decide
from launchworthy.vocabulary import Environment

SCHEMA = "urn:launchworthy:promotion-report:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A setting that the simulated world replaced for the rehearsals, with both values."""

    field: str
    promoted: str
    rehearsed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a reviewer may ask of one run.

    Attributes:
        project: its name, from `manifests/server.toml`.
        project_version: from its wheel, or `unknown` where none was built.
        framework_version: of the gate.
        environment: what it was judged for.
        partial: whether only some controls were looked at; then there is no verdict.
        commit: hex, or None without git.
        dirty: what differs from the commit.
        controls: what was looked at.
        findings: one for each of them.
        replaced: settings that rehearsals replaced.
        facts: digests that a record names, by the record's own subject names.
        started_at: seconds since the epoch.
        seconds: how long it took.
    """

    project: str
    project_version: str
    framework_version: str
    environment: Environment
    partial: bool
    commit: str | None
    dirty: tuple[str, ...]
    controls: tuple[Control, ...]
    findings: tuple[Finding, ...]
    replaced: tuple[Replaced, ...]
    facts: Mapping[str, str]
    started_at: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """CLEARED or HELD, over exactly the controls that were looked at."""
        return decide(self.findings, (control.id for control in self.controls))

    @property
    def cleared(self) -> bool:
        """Whether everything that was looked at holds."""
        return self.verdict is Verdict.CLEARED

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What does not hold."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAIL)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """What could not be decided."""
        return tuple(finding for finding in self.findings if finding.status is Status.ERROR)

    @property
    def requests(self) -> int:
        """How many requests to the running server it took."""
        return sum(finding.requests for finding in self.findings)

    def control(self, finding: Finding) -> Control:
        """The control that a finding is about."""
        [control] = [control for control in self.controls if control.id == finding.control]
        return control

    def as_json(self) -> dict[str, Any]:
        """The versioned report, `report.json`."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "project_version": self.project_version,
            "framework_version": self.framework_version,
            "catalogue": CATALOGUE_VERSION,
            "to_come": list(to_come()),
            "environment": self.environment.value,
            "partial": self.partial,
            "verdict": self.verdict.value,
            "commit": self.commit,
            "dirty": list(self.dirty),
            "facts": dict(sorted(self.facts.items())),
            "requests": self.requests,
            "findings": [_finding(finding, self.control(finding)) for finding in self.findings],
            "replaced": [
                {"field": each.field, "promoted": each.promoted, "rehearsed": each.rehearsed}
                for each in self.replaced
            ],
            "started_at": self.started_at,
            "milliseconds": round(self.seconds * 1000),
        }


def render_report(result: Result) -> bytes:
    """`report.json` as bytes; its SHA-256 is the report digest of a record."""
    return (json.dumps(result.as_json(), indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def report_digest(report: bytes) -> str:
    """Hex SHA-256 of a rendered report."""
    return hashlib.sha256(report).hexdigest()


def _finding(finding: Finding, control: Control) -> dict[str, Any]:
    return {
        "control": finding.control,
        "title": control.title,
        "family": control.family,
        "status": finding.status.value,
        "message": finding.message,
        "rehearsed": finding.rehearsed,
        "requests": finding.requests,
        "milliseconds": round(finding.seconds * 1000),
        "assertions": [
            {
                "holds": assertion.holds,
                "what": assertion.what,
                "where": assertion.where,
                "fix": list(assertion.fix),
                "requests": assertion.requests,
                "twin": assertion.twin,
            }
            for assertion in finding.assertions
        ],
    }
