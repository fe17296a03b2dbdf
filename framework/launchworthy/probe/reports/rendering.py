"""How is a probe's report rendered for programs? JSON as its schema says, JUnit, SARIF."""

import json

from launchworthy.probe.report import Finding, Report, Result
from launchworthy.probe.reports.junit import Ending, Suite, TestCase, render_suites
from launchworthy.probe.reports.sarif import Found, Kind, Level, Location, Rule, render_sarif

_ENDINGS = {Result.RIGHT: Ending.PASSED, Result.WRONG: Ending.FAILURE, Result.NOT_RUN: Ending.SKIPPED}
_KINDS = {Result.RIGHT: Kind.PASS, Result.WRONG: Kind.FAIL, Result.NOT_RUN: Kind.OPEN}


def report_json(report: Report) -> str:
    """The document itself."""
    return json.dumps(report.as_json(), indent=1) + "\n"


def report_junit(report: Report) -> str:
    """A suite a family, a test a finding."""
    suites = [
        Suite(name=family, cases=[_test(each) for each in report.findings if each.family == family])
        for family in report.families
    ]
    return render_suites(f"launchworthy probe {report.url}", suites)


def report_sarif(report: Report) -> str:
    """A rule a case, a result a finding; what was not run is `open`."""
    rules = {
        each.case: Rule(
            id=each.case, title=each.title, why=each.why, help=f"right: {each.right}\nsource: {each.source}"
        )
        for each in report.findings
    }
    results = [
        Found(
            rule=each.case,
            kind=_KINDS[each.result],
            level=Level.ERROR,
            message=_message(each),
            location=Location(uri=report.url, name=each.target or report.url),
            same_as=(report.url, each.revision or "", each.target or ""),
        )
        for each in report.findings
    ]
    return render_sarif(tuple(rules.values()), results, complete=report.decided)


def _test(finding: Finding) -> TestCase:
    where = " ".join(word for word in (finding.revision, finding.target) if word is not None)
    seen = finding.seen.summary if finding.seen is not None else "nothing was sent"
    return TestCase(
        class_name=finding.case,
        name=f"{finding.title} ({where})" if where else finding.title,
        ending=_ENDINGS[finding.result],
        message="; ".join(finding.wrong) or finding.not_run or "",
        text=f"seen: {seen}\nright: {finding.right}\nwhy: {finding.why}\nsource: {finding.source}"
        if finding.result is Result.WRONG
        else "",
    )


def _message(finding: Finding) -> str:
    revision = f" ({finding.revision})" if finding.revision is not None else ""
    match finding.result:
        case Result.RIGHT:
            said = finding.seen.summary if finding.seen is not None else "right"
        case Result.WRONG:
            said = f"{'; '.join(finding.wrong)}; right is: {finding.right}"
        case Result.NOT_RUN:
            said = f"not run: {finding.not_run}"
    return f"{finding.title}{revision}: {said}"
