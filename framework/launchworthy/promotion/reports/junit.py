"""The result as JUnit XML, for CI systems that show tests: a suite a family, a case a control."""

from launchworthy.probe.reports.junit import Ending, Suite, TestCase, render_suites
from launchworthy.promotion.control import FAMILIES
from launchworthy.promotion.finding import Finding, Status
from launchworthy.promotion.result import Result

_ENDINGS = {
    Status.PASS: Ending.PASSED,
    Status.FAIL: Ending.FAILURE,
    Status.ERROR: Ending.ERROR,
    Status.NOT_APPLICABLE: Ending.SKIPPED,
    Status.WAIVED: Ending.SKIPPED,
}


def render_junit(result: Result) -> str:
    """One `testsuites` document."""
    by_family = {
        family: [finding for finding in result.findings if result.control(finding).family == family]
        for family in FAMILIES
    }
    suites = [
        Suite(name=family, cases=[_case(finding, result) for finding in findings])
        for family, findings in by_family.items()
        if findings
    ]
    return render_suites(f"launchworthy {result.project}", suites)


def _case(finding: Finding, result: Result) -> TestCase:
    ending = _ENDINGS[finding.status]
    skipped = ending is Ending.SKIPPED
    body = "\n".join(
        f"{assertion.where or ''} {assertion.what}\n{chr(10).join(assertion.fix)}"
        for assertion in finding.failures
    )
    return TestCase(
        class_name=finding.control,
        name=f"{finding.control} {result.control(finding).title}",
        ending=ending,
        message=f"{finding.status.value}: {finding.message}" if skipped else finding.message,
        text=body if ending is Ending.FAILURE else "",
        seconds=finding.seconds,
    )
