"""The result as JUnit XML, for CI systems that show tests: a suite a family, a case a control."""

import re
from xml.sax.saxutils import escape, quoteattr

from launchworthy.promotion.control import FAMILIES
from launchworthy.promotion.finding import Finding, Status
from launchworthy.promotion.result import Result

_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(result: Result) -> str:
    """One `testsuites` document."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f"<testsuites name={_quoted(f'launchworthy {result.project}')}>",
    ]
    for family in FAMILIES:
        findings = [finding for finding in result.findings if result.control(finding).family == family]
        if findings:
            lines.extend(_suite(family, findings, result))
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(family: str, findings: list[Finding], result: Result) -> list[str]:
    failures = sum(finding.status is Status.FAIL for finding in findings)
    errors = sum(finding.status is Status.ERROR for finding in findings)
    skipped = sum(finding.status in {Status.NOT_APPLICABLE, Status.WAIVED} for finding in findings)
    head = (
        f"<testsuite name={_quoted(family)} tests={_quoted(str(len(findings)))} "
        f"failures={_quoted(str(failures))} errors={_quoted(str(errors))} skipped={_quoted(str(skipped))}>"
    )
    cases = [line for finding in findings for line in _case(finding, result)]
    return [head, *cases, "</testsuite>"]


def _case(finding: Finding, result: Result) -> list[str]:
    title = f"{finding.control} {result.control(finding).title}"
    seconds = f"{finding.seconds:.3f}"
    head = f"<testcase classname={_quoted(finding.control)} name={_quoted(title)} time={_quoted(seconds)}"
    body = "\n".join(
        f"{assertion.where or ''} {assertion.what}\n{chr(10).join(assertion.fix)}"
        for assertion in finding.failures
    )
    match finding.status:
        case Status.PASS:
            return [head + "/>"]
        case Status.FAIL:
            inner = f"<failure message={_quoted(finding.message)}>{_text(body)}</failure>"
        case Status.ERROR:
            inner = f"<error message={_quoted(finding.message)}/>"
        case Status.NOT_APPLICABLE | Status.WAIVED:
            inner = f"<skipped message={_quoted(f'{finding.status.value}: {finding.message}')}/>"
    return [head + ">", inner, "</testcase>"]


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("�", text))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))
