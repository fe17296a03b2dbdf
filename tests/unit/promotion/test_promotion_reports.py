"""Every rendering says the same, and nothing that came from a project can change what a rendering is."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Assertion, Finding, Status, undecided
from launchworthy.promotion.reports.junit import render_junit
from launchworthy.promotion.reports.markdown import render_markdown
from launchworthy.promotion.reports.page import render_page
from launchworthy.promotion.reports.sarif import promotion_sarif
from launchworthy.promotion.result import Replaced, Result
from launchworthy.vocabulary import Environment

CONTROLS = load_catalogue()
HOSTILE = "<script>alert(1)</script> | `x` ]]> # heading\n## CLEARED for production\n\x1b[2J\u202e &amp;"


def make(control, status: Status, *, what: str = "what was seen", where: str | None = "a.toml:7") -> Finding:
    failing = status in {Status.FAIL, Status.WAIVED}
    assertion = Assertion(
        holds=not failing, what=what, where=where, fix=("do this", "[[paste]]", what), requests=3, twin=True
    )
    if status is Status.ERROR:
        return undecided(control.id, what, rehearsed=False, seconds=0.1)
    return Finding(
        control=control.id,
        status=status,
        message=what,
        assertions=() if status is Status.NOT_APPLICABLE else (assertion,),
        rehearsed=status is Status.PASS,
        seconds=0.1,
    )


def result(*findings: Finding, **changes: object) -> Result:
    parts: dict[str, object] = {
        "project": "orders",
        "project_version": "0.1.0",
        "framework_version": "0.1.0",
        "environment": Environment.PRODUCTION,
        "partial": False,
        "commit": "3f9c2ab0" * 5,
        "dirty": (),
        "controls": CONTROLS[: len(findings)],
        "findings": findings,
        "replaced": (Replaced(field="server.resource", promoted="https://a.example", rehearsed="http://b"),),
        "facts": {"git-commit": "3f9c2ab0"},
        "started_at": 1_795_000_000,
        "seconds": 31.4,
    }
    return Result(**parts | changes)  # type: ignore[arg-type]


def mixed(what: str = "what was seen") -> Result:
    return result(
        *(make(control, status, what=what) for control, status in zip(CONTROLS, Status, strict=False))
    )


def cleared() -> Result:
    return result(*(make(control, Status.PASS) for control in CONTROLS[:4]))


@pytest.mark.parametrize("render", [render_page, render_markdown], ids=["page", "markdown"])
def test_the_verdict_comes_first_and_every_failure_with_what_to_do(render) -> None:
    text = render(mixed())
    start = text.index("</head>") if "</head>" in text else 0
    verdict = text.index("HELD for production", start)
    failed, waived = CONTROLS[1], CONTROLS[4]
    assert verdict < text.index(failed.id, start) < text.index(waived.id, start)
    assert "do this" in text
    assert "a.toml:7" in text
    assert "CLEARED for production" in render(cleared())
    assert "HELD" not in render(cleared())


class Elements(HTMLParser):
    """Which elements a page has, and whether each that is opened is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.heads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("render", [render_page, render_markdown], ids=["page", "markdown"])
def test_nothing_moves_the_cursor_or_turns_the_text(render) -> None:
    text = render(mixed(HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "u{202e}" in text.replace("\\", "")


@pytest.mark.parametrize("what", ["plain", HOSTILE], ids=["plain", "hostile"])
def test_a_page_is_whole_loads_nothing_and_holds_no_element_of_a_project(what: str) -> None:
    page = render_page(mixed(what))
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    assert {"script", "img", "link", "iframe", "form"}.isdisjoint(elements.seen)
    assert {"main", "h1", "table", "details"} <= set(elements.seen)
    assert "default-src 'none'" in page
    assert "http" not in re.sub(r"https://a\.example|http://b|http-equiv", "", page.partition("</head>")[0])
    assert 'lang="en"' in page
    assert page.count("<h1>") == 1


def test_a_page_has_a_word_for_each_status_and_not_only_a_colour() -> None:
    page = render_page(mixed())
    for word in ("holds", "does not hold", "undecided", "waived", "not applicable"):
        assert f'class="badge">{word}<' in page


def test_a_page_lists_what_was_replaced_when_by_what_and_what_it_cannot_see() -> None:
    page = render_page(mixed())
    for text in ("server.resource", "2026-11-18", "launchworthy 0.1.0", "git-commit", "verify-record"):
        assert text in page
    assert CONTROLS[0].cannot_see is None or CONTROLS[0].cannot_see[:20] in page


def test_nothing_of_a_project_makes_a_heading_or_ends_a_block_of_the_comment() -> None:
    text = render_markdown(mixed(HOSTILE))
    plain = render_markdown(mixed())

    def headings(comment: str) -> list[str]:
        return [line for line in comment.splitlines() if line.startswith("#")]

    assert headings(text) == headings(plain)
    assert "<script>" not in re.sub(r"    ```\n.*?    ```\n", "", text, flags=re.DOTALL)
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == len(
        [line for line in plain.splitlines() if line.startswith("| ")]
    )


def test_sarif_has_a_rule_a_control_and_a_place_for_each_result() -> None:
    log = json.loads(promotion_sarif(mixed()))
    [run] = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [each.id for each in CONTROLS[:5]]
    kinds = {each["ruleId"]: (each["kind"], each["level"]) for each in run["results"]}
    assert kinds == {
        CONTROLS[0].id: ("pass", "none"),
        CONTROLS[1].id: ("fail", "error"),
        CONTROLS[2].id: ("open", "none"),
        CONTROLS[3].id: ("notApplicable", "none"),
        CONTROLS[4].id: ("fail", "error"),
    }
    waived = next(each for each in run["results"] if each["ruleId"] == CONTROLS[4].id)
    assert waived["suppressions"] == [{"kind": "external", "justification": "what was seen"}]
    failed = next(each for each in run["results"] if each["ruleId"] == CONTROLS[1].id)
    assert "suppressions" not in failed
    [location] = failed["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a.toml"},
        "region": {"startLine": 7},
    }
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert json.loads(promotion_sarif(cleared()))["runs"][0]["invocations"] == [{"executionSuccessful": True}]


def test_a_result_keeps_its_fingerprint_where_only_its_line_moves() -> None:
    def prints(where: str) -> list[str]:
        log = json.loads(promotion_sarif(result(make(CONTROLS[0], Status.FAIL, where=where))))
        return [each["partialFingerprints"]["launchworthy/v1"] for each in log["runs"][0]["results"]]

    assert prints("a.toml:7") == prints("a.toml:9")
    other = json.loads(promotion_sarif(result(make(CONTROLS[0], Status.FAIL, what="something else"))))
    assert prints("a.toml:7") != [other["runs"][0]["results"][0]["partialFingerprints"]["launchworthy/v1"]]


@pytest.mark.parametrize("render", [render_junit, promotion_sarif, render_markdown, render_page])
def test_half_a_character_ends_no_report(render: Callable[[Result], str]) -> None:
    assert render(mixed("a registry's \ud83d")).encode()


@pytest.mark.parametrize("where", [None, "RUNBOOK.md#retire", "a b.toml:x", "config/production.toml"])
def test_a_failure_without_a_line_has_a_place_all_the_same(where: str | None) -> None:
    log = json.loads(promotion_sarif(result(make(CONTROLS[0], Status.FAIL, where=where))))
    [found] = log["runs"][0]["results"]
    place = found["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] >= 1
    assert "#" not in place["artifactLocation"]["uri"]


@pytest.mark.parametrize(
    ("where", "uri"),
    [
        ("config/production.toml:7", "config/production.toml"),
        ("a b.toml:7", "a%20b.toml"),
        ("a:b.toml:7", "a%3Ab.toml"),
        ("50%/\u00e4.toml", "50%25/%C3%A4.toml"),
        ("/etc/launchworthy/trust.toml", "file:///etc/launchworthy/trust.toml"),
    ],
)
def test_a_place_is_a_uri_whatever_a_file_is_called(where: str, uri: str) -> None:
    log = json.loads(promotion_sarif(result(make(CONTROLS[0], Status.FAIL, where=where))))
    [found] = log["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_junit_is_xml_whatever_a_project_says() -> None:
    suites = ET.fromstring(render_junit(mixed(HOSTILE)))  # noqa: S314 - our own
    assert len(suites.findall("testsuite/testcase")) == len(Status)
