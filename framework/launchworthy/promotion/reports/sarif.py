"""The result as SARIF 2.1.0, for code hosts: a rule a control, a result an assertion that does not hold.

A control that holds is one result of the kind `pass`; what is waived is suppressed, with the waiver's reason.
"""

from collections.abc import Iterator
from urllib.parse import quote

from launchworthy.probe.reports.sarif import Found, Kind, Level, Location, Rule, render_sarif
from launchworthy.promotion.control import Control
from launchworthy.promotion.finding import Assertion, Finding, Status
from launchworthy.promotion.result import Result

_ANYWHERE = "manifests/server.toml"
"""SARIF wants a place for each result; what has none is about the server as a whole."""
_KINDS = {
    Status.PASS: Kind.PASS,
    Status.FAIL: Kind.FAIL,
    Status.WAIVED: Kind.FAIL,
    Status.ERROR: Kind.OPEN,
    Status.NOT_APPLICABLE: Kind.NOT_APPLICABLE,
}


def promotion_sarif(result: Result) -> str:
    """One SARIF log; complete where every control was decided."""
    rules = [_rule(control) for control in result.controls]
    results = [found for finding in result.findings for found in _results(finding)]
    return render_sarif(rules, results, complete=not result.undecided and not result.partial)


def _rule(control: Control) -> Rule:
    sources = ", ".join(control.references)
    return Rule(
        id=control.id,
        title=control.title,
        why=control.why.strip(),
        help=f"{control.holds.strip()}\n\nto do: {control.fix}\n\nsources: {sources}",
    )


def _results(finding: Finding) -> Iterator[Found]:
    if not finding.failures:
        yield _found(finding, finding.message, None)
    for failure in finding.failures:
        yield _found(finding, _text(failure), failure.where)


def _found(finding: Finding, message: str, where: str | None) -> Found:
    return Found(
        rule=finding.control,
        kind=_KINDS[finding.status],
        level=Level.ERROR,
        message=message,
        location=_location(where),
        same_as=(message.partition("\n")[0],),
        suppressed=finding.message if finding.status is Status.WAIVED else None,
    )


def _location(where: str | None) -> Location:
    path, colon, line = (where or _ANYWHERE).rpartition(":")
    if colon and line.isdecimal():
        return Location(uri=_uri(path), line=max(1, int(line)))
    return Location(uri=_uri((where or _ANYWHERE).partition("#")[0]), line=1)


def _uri(path: str) -> str:
    """A file's path as SARIF wants it: a URI, relative for what is in the project (§3.4.3)."""
    return f"{'file://' if path.startswith('/') else ''}{quote(path)}"


def _text(failure: Assertion) -> str:
    return "\n".join((failure.what, *(f"→ {line}" for line in failure.fix)))
