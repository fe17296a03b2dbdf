"""What does a report on disk say, and may it be signed? Read as a stranger's, and decided anew.

The verdict that stands in it is not believed: every control of this release's catalogue must have exactly
one finding in it, and the verdict over those findings must be CLEARED again.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.promotion.control import CATALOGUE_VERSION, Control, controls_for
from launchworthy.promotion.finding import Assertion, ControlId, Finding, Status
from launchworthy.promotion.result import SCHEMA
from launchworthy.promotion.verdict import HOLDS, Verdict, decide
from launchworthy.vocabulary import Environment, Problem, ProblemError

REPORT_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a report; a real one has about a megabyte."""
_Text = Annotated[str, Field(max_length=4096)]
_Number = Annotated[int, Field(ge=0, lt=2**53)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class _Assertion(_Said):
    holds: bool
    what: _Text
    where: _Text | None
    fix: tuple[_Text, ...]
    requests: _Number
    twin: bool


class _Finding(_Said):
    control: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[0-9]{2}$")]
    title: _Text
    family: _Text
    status: Status
    message: _Text
    rehearsed: bool
    requests: _Number
    milliseconds: _Number
    assertions: tuple[_Assertion, ...]


class _Replaced(_Said):
    field: _Text
    promoted: _Text
    rehearsed: _Text


class ReportFile(_Said):
    """`report.json`, as `result.Result.as_json` writes it."""

    schema_: Annotated[Literal["urn:launchworthy:promotion-report:v1"], Field(alias="schema")]
    project: _Text
    project_version: _Text
    framework_version: _Text
    catalogue: _Text
    to_come: tuple[_Text, ...]
    environment: Environment
    partial: bool
    verdict: Verdict
    commit: _Text | None
    dirty: tuple[_Text, ...]
    facts: dict[str, _Text]
    requests: _Number
    findings: tuple[_Finding, ...]
    replaced: tuple[_Replaced, ...]
    started_at: _Number
    milliseconds: _Number

    def count(self, status: Status) -> int:
        """How many findings came out like this."""
        return sum(finding.status is status for finding in self.findings)


def report_content(path: Path) -> bytes:
    """The bytes of a report, no more of them than one can have.

    Raises:
        ProblemError: `no-report` or `report-too-large`.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(REPORT_LIMIT + 1)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise _refused(str(path), "no-report", what) from None
    if len(content) > REPORT_LIMIT:
        raise _refused(
            str(path), "report-too-large", f"has more than {REPORT_LIMIT} bytes, and no report has"
        )
    return content


def read_report(content: bytes, *, where: str) -> ReportFile:
    """Read a report.

    Raises:
        ProblemError: `report-malformed`.
    """
    try:
        return ReportFile.model_validate_json(content)
    except ValidationError:
        what = f"is no report of this schema ({SCHEMA})"
        fix = ("take the file as `launchworthy promote` wrote it",)
        raise ProblemError(Problem(reason="report-malformed", where=where, what=what, fix=fix)) from None


def require_cleared(report: ReportFile, *, where: str) -> None:
    """See that it clears this release's whole catalogue.

    Raises:
        ProblemError: `report-not-cleared`, `report-partial` or `report-of-another-catalogue`.
    """
    if report.partial:
        raise _refused(where, "report-partial", "is of some controls only; only `promote` looks at all")
    controls = controls_for(report.environment)
    names = [control.id for control in controls]
    if report.catalogue != CATALOGUE_VERSION or sorted(report_controls(report)) != sorted(names):
        what = (
            f"is of another catalogue than this launchworthy's ({CATALOGUE_VERSION}, {len(names)} controls)"
        )
        raise _refused(where, "report-of-another-catalogue", what)
    try:
        findings = [_finding(each) for each in report.findings]
    except ValueError as error:
        raise _refused(where, "report-malformed", f"contradicts itself: {error}") from None
    _refuse_waived(findings, controls, where)
    holding = [each for each in findings if each.status in HOLDS]
    cleared = report.verdict is Verdict.CLEARED and decide(findings, names) is Verdict.CLEARED
    if not cleared:
        what = f"is held: {len(findings) - len(holding)} of {len(findings)} controls do not hold"
        raise _refused(where, "report-not-cleared", what)


def _refuse_waived(findings: Iterable[Finding], controls: Iterable[Control], where: str) -> None:
    """See that nothing is waived that never is: whose waivers these are, `attesting` asks."""
    waivable = {control.id for control in controls if control.waivable}
    for finding in findings:
        if finding.status is Status.WAIVED and (finding.rehearsed or finding.control not in waivable):
            raise _refused(where, "report-not-cleared", f"waives {finding.control}, which nobody may")


def report_controls(report: ReportFile) -> tuple[str, ...]:
    """The controls that it has findings of."""
    return tuple(finding.control for finding in report.findings)


def _finding(said: _Finding) -> Finding:
    """The finding again, which cannot be made if it is a pass that nothing supports."""
    return Finding(
        control=ControlId(said.control),
        status=said.status,
        message=said.message,
        assertions=tuple(
            Assertion(
                holds=each.holds,
                what=each.what,
                where=each.where,
                fix=each.fix,
                requests=each.requests,
                twin=each.twin,
            )
            for each in said.assertions
        ),
        rehearsed=said.rehearsed,
        seconds=said.milliseconds / 1000,
    )


def _refused(where: str, reason: str, what: str) -> ProblemError:
    fix = ("launchworthy promote, and what it says",)
    return ProblemError(Problem(reason=reason, where=where, what=what, fix=fix))
