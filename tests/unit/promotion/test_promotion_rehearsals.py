"""What rehearsals are there, and what may be signed of what they say?"""

import json
from pathlib import Path
from typing import Any

import pytest

from launchworthy.promotion.approvals.asking import approvable
from launchworthy.promotion.control import CATALOGUE_VERSION, controls_for, load_catalogue, to_come
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals import engine
from launchworthy.promotion.report_file import REPORT_LIMIT, read_report, report_content, require_cleared
from launchworthy.promotion.result import SCHEMA
from launchworthy.promotion.verdict import Verdict
from launchworthy.vocabulary import Environment, ProblemError

assert engine


def finding(control: str, **changes: Any) -> dict[str, Any]:
    assertion = {"holds": True, "what": "seen", "where": None, "fix": [], "requests": 1, "twin": True}
    return {
        "control": control,
        "title": "it holds",
        "family": "tokens",
        "status": "pass",
        "message": "seen",
        "rehearsed": True,
        "requests": 1,
        "milliseconds": 5,
        "assertions": [assertion],
    } | changes


def report(**changes: Any) -> bytes:
    """A report that may be signed, and what differs from it."""
    said = {
        "schema": SCHEMA,
        "project": "orders",
        "project_version": "0.1.0",
        "framework_version": "0.1.0",
        "catalogue": CATALOGUE_VERSION,
        "to_come": [],
        "environment": "production",
        "partial": False,
        "verdict": "cleared",
        "commit": "0" * 40,
        "dirty": [],
        "facts": {},
        "requests": 1,
        "findings": [finding(control.id) for control in controls_for(Environment.PRODUCTION)],
        "replaced": [],
        "started_at": 1,
        "milliseconds": 1,
    }
    return json.dumps(said | changes).encode()


def test_every_rehearsal_is_about_controls_of_the_catalogue() -> None:
    known = {control.id for control in load_catalogue()}
    assert {control for each in registry.rehearsals for control in each.controls} <= known


def test_no_control_that_is_rehearsed_is_still_to_come() -> None:
    assert not {control for each in registry.rehearsals for control in each.controls} & set(to_come())


def test_every_control_of_the_catalogue_is_decided_by_something() -> None:
    assert {control.id for control in load_catalogue()} == set(registry.decided())


def test_a_report_that_clears_the_whole_catalogue_may_be_signed() -> None:
    require_cleared(read_report(report(), where="report.json"), where="report.json")


EVERY = [control.id for control in controls_for(Environment.PRODUCTION)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"partial": True}, "report-partial"),
        ({"verdict": "held"}, "report-not-cleared"),
        ({"findings": [finding(each) for each in EVERY[1:]]}, "report-of-another-catalogue"),
        ({"findings": [finding(each) for each in (*EVERY, EVERY[0])]}, "report-of-another-catalogue"),
        ({"findings": []}, "report-of-another-catalogue"),
        ({"catalogue": "0.0"}, "report-of-another-catalogue"),
        (
            {"findings": [finding(EVERY[0], status="fail"), *(finding(each) for each in EVERY[1:])]},
            "report-not-cleared",
        ),
        (
            {"findings": [finding(EVERY[0], status="error"), *(finding(each) for each in EVERY[1:])]},
            "report-not-cleared",
        ),
        (
            {"findings": [finding(EVERY[0], assertions=[]), *(finding(each) for each in EVERY[1:])]},
            "report-malformed",
        ),
    ],
)
def test_any_other_report_may_not(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProblemError) as refused:
        require_cleared(read_report(report(**changes), where="report.json"), where="report.json")
    assert refused.value.problems[0].reason == reason


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", report(schema="urn:other:v1"), report(unknown=1), report(requests=True)]
)
def test_what_is_no_report_is_not_read(content: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        read_report(content, where="report.json")
    assert refused.value.problems[0].reason == "report-malformed"


def test_no_more_is_read_of_a_report_than_one_can_have(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    good = report()
    file.write_bytes(good + b" " * (REPORT_LIMIT - len(good)))
    assert read_report(report_content(file), where="report.json").verdict is Verdict.CLEARED
    with file.open("ab") as end:
        end.write(b" ")
    with pytest.raises(ProblemError) as refused:
        report_content(file)
    assert refused.value.problems[0].reason == "report-too-large"
    with pytest.raises(ProblemError) as refused:
        approvable(file, environment=Environment.PRODUCTION)
    assert refused.value.problems[0].reason == "not-approvable"


def test_a_report_that_is_not_there_is_none(tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "report.json"):
        with pytest.raises(ProblemError) as refused:
            report_content(missing)
        assert refused.value.problems[0].reason == "no-report"
