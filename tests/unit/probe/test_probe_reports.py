"""The same findings in every format, and nothing of a server's in any of them that is not safe to show."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import httpx2
import pytest

from launchworthy.probe.answer import read_answer
from launchworthy.probe.cases import CASES
from launchworthy.probe.documents import RESOURCE
from launchworthy.probe.report import Report, Result, Seen, report_schema
from launchworthy.probe.reports.rendering import report_json, report_junit, report_sarif
from launchworthy.probe.reports.terminal import render_terminal, verdict
from launchworthy.probe.row import row_of, seen_of

EVIL = "\x1b[31mred\x1b[0m \u202eevil\u2066 \r\nHELD\x07 \ud800"
PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "probe-report.schema.json"
SEEN = Seen(status=200, summary="200", body_sha256="0" * 64, body_bytes=2)
NO_END = next(case for case in CASES if case.id == "dates.no-end")


def report(*findings, **changes) -> Report:
    return Report(
        **{
            "url": "https://orders.acme.example/mcp",
            "launchworthy": "0.1.0",
            "started_at": 1_795_000_000,
            "milliseconds": 1200,
            "requests": 12,
            "revisions": ("2026-07-28",),
            "not_served": {"2025-11-25": "a good request was answered with 400"},
            "sessions": False,
            "targets": ("find_orders",),
            "tokens": "command",
            "ended": None,
            "findings": findings,
            **changes,
        }
    )


def found(**said):
    return row_of(NO_END).found(revision="2026-07-28", target="find_orders", **said)


RIGHT = found(seen=SEEN, twin=SEEN)
WRONG = found(seen=SEEN, twin=SEEN, wrong=("it went through: 200",))
NOT_RUN = found(not_run="only an issuer could sign it")
EACH = (RIGHT, WRONG, NOT_RUN)


def test_nothing_is_right_without_anything_seen():
    with pytest.raises(ValueError, match="nothing was seen"):
        found()
    with pytest.raises(ValueError, match="nothing was seen"):
        found(twin=SEEN)


def test_the_verdict_is_the_worst_that_was_found():
    assert verdict(report(*EACH)) == "WRONG   1 of 2 cases, 1 was not run"
    assert verdict(report(RIGHT, NOT_RUN)) == "RIGHT   1 case, 1 was not run"
    assert verdict(report(NOT_RUN)).startswith("UNDECIDED   0 cases are right")
    assert verdict(report(RIGHT, ended="it was interrupted")).startswith("UNDECIDED")
    assert verdict(report(RESOURCE.found(seen=SEEN))).startswith("UNDECIDED")


def test_people_see_the_verdict_then_what_is_wrong_and_what_is_right_instead():
    text = render_terminal(report(*EACH), exit_code=1)
    lines = text.splitlines()
    verdict_at = lines.index(" WRONG   1 of 2 cases, 1 was not run")
    assert verdict_at < 6
    assert lines[verdict_at + 3].startswith(" dates.no-end")
    for said in ("it went through: 200", "401", NO_END.why, NO_END.source, "only an issuer could sign it"):
        assert said in text
    assert max(map(len, lines)) <= 98


def test_json_is_what_its_schema_says_and_reads_back():
    text = report_json(report(*EACH))
    assert Report.model_validate_json(text) == report(*EACH)


def test_the_published_schema_is_the_one_of_the_code():
    """Renew it: python -m launchworthy.probe.schema docs/reference."""
    assert json.loads(PUBLISHED.read_text()) == report_schema()


def test_junit_counts_what_was_found():
    [suite] = ET.fromstring(report_junit(report(*EACH)))  # noqa: S314 - of our own
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }


def test_sarif_has_a_rule_for_each_result_and_a_level_for_failures_only():
    log = json.loads(report_sarif(report(*EACH)))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["dates.no-end"]
    assert [(each["kind"], each["level"]) for each in run["results"]] == [
        ("pass", "none"),
        ("fail", "error"),
        ("open", "none"),
    ]
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        assert each["message"]["text"]
        assert each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("https://")
        assert len(each["partialFingerprints"]["launchworthy/v1"]) == 32


@pytest.mark.parametrize(
    "render", [report_json, report_junit, report_sarif, lambda each: render_terminal(each, exit_code=1)]
)
def test_no_format_shows_what_a_server_wrote_unless_it_is_safe(render):
    headers = {"content-type": "application/json"}
    body = json.dumps({"error": {"code": 1, "data": {"reason": EVIL}}})
    answer = read_answer(httpx2.Response(403, headers=headers, content=body.encode()))
    finding = found(seen=seen_of(answer, ""), wrong=(f"it names `{EVIL}`",))
    text = render(report(finding, found(not_run=EVIL)))
    assert text.isprintable() or set(text) - set("\n") == {each for each in text if each.isprintable()}
    assert "\nHELD" not in text


def test_only_a_digest_of_an_answer_is_kept():
    answer = read_answer(httpx2.Response(200, content=b'{"secret":"of the server"}'))
    seen = seen_of(answer, "")
    assert (seen.status, seen.body_bytes, len(seen.body_sha256)) == (200, 26, 64)
    assert "secret" not in str(seen)


def test_a_report_counts_its_results():
    assert [len(report(*EACH).of(result)) for result in Result] == [1, 1, 1]
