"""How does a CI system that shows tests show findings? JUnit XML, of suites and cases of any kind."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Ending(StrEnum):
    """How a test ended, in JUnit's words."""

    PASSED = "passed"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test.

    Attributes:
        class_name: what it is about.
        name: what was tested.
        ending: how it ended.
        message: why, where it did not pass.
        text: more of it; lines.
        seconds: how long it took; None where that was not measured.
    """

    __test__ = False

    class_name: str
    name: str
    ending: Ending
    message: str = ""
    text: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tests that belong together."""

    name: str
    cases: Sequence[TestCase]


def render_suites(name: str, suites: Sequence[Suite]) -> str:
    """One `testsuites` document."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuites name={_quoted(name)}>"]
    for suite in suites:
        lines.extend(_suite(suite))
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(suite: Suite) -> Iterator[str]:
    numbers = {
        word: sum(case.ending is ending for case in suite.cases)
        for word, ending in (
            ("failures", Ending.FAILURE),
            ("errors", Ending.ERROR),
            ("skipped", Ending.SKIPPED),
        )
    }
    counts = " ".join(f"{word}={_quoted(str(number))}" for word, number in numbers.items())
    yield f"<testsuite name={_quoted(suite.name)} tests={_quoted(str(len(suite.cases)))} {counts}>"
    for case in suite.cases:
        yield from _case(case)
    yield "</testsuite>"


def _case(case: TestCase) -> Iterator[str]:
    time = "" if case.seconds is None else f" time={_quoted(f'{case.seconds:.3f}')}"
    head = f"<testcase classname={_quoted(case.class_name)} name={_quoted(case.name)}{time}"
    if case.ending is Ending.PASSED:
        yield head + "/>"
        return
    yield head + ">"
    start = f"<{case.ending.value} message={_quoted(case.message)}"
    yield f"{start}>{_text(case.text)}</{case.ending.value}>" if case.text else f"{start}/>"
    yield "</testcase>"


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("�", text))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))
