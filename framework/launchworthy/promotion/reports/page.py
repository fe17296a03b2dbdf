"""The result as one page that a security reviewer can keep: no network, no script, printable.

Everything that came from the project is escaped; the page forbids itself to load anything.
"""

import html
from collections.abc import Iterator
from importlib import resources

from launchworthy.promotion.control import FAMILIES
from launchworthy.promotion.finding import Assertion, Finding, Status
from launchworthy.promotion.reports.summary import (
    CANNOT_SEE,
    WORDS,
    facts,
    family_rows,
    judged_line,
    verdict_line,
    visible,
    waived,
)
from launchworthy.promotion.result import Result

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_HEADS = ("controls", "hold", "held", "waived", "n/a", "requests")


def escape(text: str) -> str:
    """A text of anybody's as text of a page."""
    return html.escape(visible(text))


def render_page(result: Result) -> str:
    """One HTML document."""
    return "\n".join(_page(result)) + "\n"


def _page(result: Result) -> Iterator[str]:
    style = (resources.files(__package__) / "page.css").read_text(encoding="utf-8")
    title = f"{result.project} {result.project_version}: {verdict_line(result)}"
    state = "cleared" if result.cleared and not result.partial else "held"
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>{style}</style></head>"
    yield f'<body><header class="{state}">'
    yield f"<p>{escape(result.project)} {escape(result.project_version)}</p>"
    yield f"<h1>{escape(verdict_line(result))}</h1>"
    yield f"<p>{escape(judged_line(result))}</p>"
    yield "</header><main>"
    yield from _held(result)
    yield from _waived(result)
    yield from _table(result)
    yield from _controls(result)
    yield from _replaced(result)
    yield from _facts(result)
    yield "</main></body></html>"


def _held(result: Result) -> Iterator[str]:
    holding = (*result.failed, *result.undecided)
    if not holding:
        return
    yield '<section aria-labelledby="held"><h2 id="held">What holds it</h2>'
    for finding in holding:
        yield from _card(finding, result)
    yield "</section>"


def _waived(result: Result) -> Iterator[str]:
    findings = waived(result)
    if not findings:
        return
    yield '<section aria-labelledby="waived"><h2 id="waived">What is waived</h2>'
    yield "<p>These controls do not hold. Somebody answers for each, and has had it approved.</p>"
    for finding in findings:
        yield from _card(finding, result)
    yield "</section>"


def _card(finding: Finding, result: Result) -> Iterator[str]:
    control = result.control(finding)
    yield f'<article class="{finding.status.value}"><h3>{_badge(finding)} {escape(control.title)}</h3>'
    if finding.status is not Status.FAIL:
        yield f"<p>{escape(finding.message)}</p>"
    yield from _failures(finding.failures, control.fix)
    yield f"<p><b>Why it matters.</b> {escape(control.why.strip())}</p></article>"


def _failures(failures: tuple[Assertion, ...], fix: str) -> Iterator[str]:
    if not failures:
        return
    yield "<ul>"
    for failure in failures:
        where = f" <code>{escape(failure.where)}</code>" if failure.where is not None else ""
        first, *more = failure.fix or (fix,)
        yield f"<li>{escape(failure.what)}{where}<br><b>To do:</b> {escape(first)}"
        if more:
            yield f"<pre>{escape(chr(10).join(more))}</pre>"
        yield "</li>"
    yield "</ul>"


def _table(result: Result) -> Iterator[str]:
    yield '<section aria-labelledby="families"><h2 id="families">By family</h2>'
    yield f"{_wide('families')}<table>"
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    yield f'<thead><tr><th scope="col">family</th>{heads}</tr></thead><tbody>'
    for row in family_rows(result):
        cells = (row.controls, row.hold, row.held, row.waived, row.not_applicable, row.requests)
        numbers = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr><th scope="row">{escape(row.family)}</th>{numbers}</tr>'
    yield "</tbody></table></div></section>"


def _wide(heading: str) -> str:
    """What scrolls by itself where there is no room; the keyboard reaches it, and readers say what it is."""
    return f'<div class="wide" tabindex="0" role="region" aria-labelledby="{heading}">'


def _controls(result: Result) -> Iterator[str]:
    yield '<section aria-labelledby="all"><h2 id="all">Every control, and what was seen</h2>'
    for family in FAMILIES:
        findings = [finding for finding in result.findings if result.control(finding).family == family]
        if findings:
            yield f"<h3>{escape(family)}</h3>"
            for finding in findings:
                yield from _control(finding, result)
    yield "</section>"


def _control(finding: Finding, result: Result) -> Iterator[str]:
    control = result.control(finding)
    yield f'<details class="{finding.status.value}">'
    yield f"<summary>{_badge(finding)} {escape(control.title)}</summary>"
    yield f"<p>{escape(control.holds.strip())}</p><ul>"
    for assertion in finding.assertions:
        mark = "seen" if assertion.holds else "broken"
        twin = " (the unchanged twin)" if assertion.twin else ""
        asked = f", {assertion.requests} requests" if assertion.requests else ""
        yield f"<li>{mark}: {escape(assertion.what)}{twin}{asked}</li>"
    if not finding.assertions:
        yield f"<li>{escape(finding.message)}</li>"
    yield "</ul>"
    how = "rehearsed against the running server" if finding.rehearsed else "read, not rehearsed"
    yield f"<p>{how} · {escape(', '.join(control.references))}</p>"
    if control.cannot_see is not None:
        yield f"<p>cannot see: {escape(control.cannot_see)}</p>"
    yield "</details>"


def _badge(finding: Finding) -> str:
    return f'<span class="id">{finding.control}</span> <span class="badge">{WORDS[finding.status]}</span>'


def _replaced(result: Result) -> Iterator[str]:
    if not result.replaced:
        return
    yield '<section aria-labelledby="replaced"><h2 id="replaced">What the rehearsals replaced</h2>'
    yield "<p>The server ran with the settings that are promoted, but for these.</p>"
    yield f'{_wide("replaced")}<table><thead><tr><th scope="col">field</th><th scope="col">promoted</th>'
    yield '<th scope="col">rehearsed</th></tr></thead><tbody>'
    for each in result.replaced:
        cells = "".join(f"<td><code>{escape(value)}</code></td>" for value in (each.promoted, each.rehearsed))
        yield f'<tr><th scope="row">{escape(each.field)}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _facts(result: Result) -> Iterator[str]:
    yield '<section aria-labelledby="facts"><h2 id="facts">What was judged, when and by what</h2><dl>'
    for name, value in facts(result):
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield "</dl><p>This page is a claim until it is signed: the record beside it names who did, and "
    yield "<code>launchworthy verify-record</code> says whether that counts.</p>"
    yield f"<p>{escape(CANNOT_SEE)}</p></section>"
