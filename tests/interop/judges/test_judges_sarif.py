"""Is our SARIF what its authors say it is, and what a code host takes? Their validator, and its rules."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from promoted_orders import PromotedOrders

UNIT = Path(__file__).resolve().parents[2] / "unit"
sys.path[:0] = [str(UNIT / "promotion"), str(UNIT / "probe")]
from test_probe_reports import EACH, report  # noqa: E402 - results of every kind, as they are made there
from test_promotion_reports import CONTROLS, HOSTILE, cleared, make, mixed, result  # noqa: E402

from launchworthy.cli.check import _run, open_project  # noqa: E402
from launchworthy.probe.reports.rendering import report_sarif  # noqa: E402
from launchworthy.promotion.finding import Status  # noqa: E402
from launchworthy.promotion.reports.sarif import promotion_sarif  # noqa: E402
from launchworthy.vocabulary import Environment  # noqa: E402

pytestmark = pytest.mark.foreign
ANSWERED = {
    "SARIF2005": "informationUri: this release has no address of its own, and none is made up",
    "SARIF2017": "region: what the probe looks at is a server, which has no lines",
}
_KINDS = "Sarif;Ghas"  # those of the standard, and those of the code host that most teams have


def said_of(multitool: Path, log: str, folder: Path) -> set[str]:
    """The rules by which it finds anything wrong, or worth a warning."""
    file, out = folder / "log.sarif", folder / "said.sarif"
    file.write_text(log)
    command = [
        multitool,
        "validate",
        file,
        "--rule-kind",
        _KINDS,
        "--level",
        "Error;Warning",
        "--output",
        out,
    ]
    done = subprocess.run(
        [*command, "--log", "ForceOverwrite"], capture_output=True, text=True, timeout=120, check=False
    )
    assert "1 files scanned" in done.stdout, done.stdout + done.stderr
    [run] = json.loads(out.read_text(encoding="utf-8-sig"))["runs"]
    assert all(each["executionSuccessful"] for each in run["invocations"]), run["invocations"]
    return {each["ruleId"] for each in run.get("results", ())}


@pytest.mark.parametrize(
    ("log", "answered"),
    [
        (promotion_sarif(cleared()), {"SARIF2005"}),
        (promotion_sarif(mixed(HOSTILE)), {"SARIF2005"}),
        (report_sarif(report(*EACH)), {"SARIF2005", "SARIF2017"}),
    ],
    ids=["cleared", "results of every kind", "probe"],
)
def test_it_has_nothing_against_what_we_write_but_what_is_answered(
    multitool: Path, tmp_path: Path, log: str, answered: set[str]
) -> None:
    assert said_of(multitool, log, tmp_path) == answered
    assert answered <= set(ANSWERED)


def _result(log: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = log["runs"][0]["results"][1]
    return found


def _place(log: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = _result(log)["locations"][0]["physicalLocation"]
    return place


def test_it_has_nothing_against_what_is_said_of_a_whole_project(
    multitool: Path, orders: PromotedOrders, tmp_path: Path
) -> None:
    orders.edit("manifests/server.toml", "https://on-call.acme.example", "https://on-call.orders.invalid")
    try:
        with chdir(orders.root):
            project = open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")
            judged = _run(project, [], rehearse=False, began=time.monotonic())
    finally:
        orders.run("git", "checkout", "-q", "manifests/server.toml")
    log = promotion_sarif(judged)
    kinds = {each["kind"] for each in json.loads(log)["runs"][0]["results"]}
    assert kinds >= {"pass", "fail", "notApplicable"}
    assert said_of(multitool, log, tmp_path) == {"SARIF2005"}


@pytest.mark.parametrize(
    "where",
    [
        "a b.toml:7",
        "a:b.toml:3",
        "[x]\\y.toml:1",
        "50%/\u00e4.toml",
        "<script>:1",
        "../x.toml:1",
        "/etc/x.toml",
    ],
)
def test_it_takes_whatever_a_file_of_a_project_is_called(multitool: Path, tmp_path: Path, where: str) -> None:
    log = promotion_sarif(result(make(CONTROLS[0], Status.FAIL, where=where, what=HOSTILE)))
    assert said_of(multitool, log, tmp_path) == {"SARIF2005"}


PLANTED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a rule that is not there": (lambda log: _result(log).update(ruleIndex=99), "SARIF1009"),
    "no message": (lambda log: _result(log).pop("message"), "JSON1"),
    "a line before the first": (lambda log: _place(log)["region"].update(startLine=0), "JSON1"),
    "a place that is no URI": (
        lambda log: _place(log)["artifactLocation"].update(uri="a b.toml"),
        "SARIF1002",
    ),
    "a member that SARIF has not": (lambda log: _result(log).update(severity="high"), "JSON1"),
}


@pytest.mark.parametrize(("plant", "found"), PLANTED.values(), ids=list(PLANTED))
def test_it_finds_what_is_planted(
    multitool: Path, tmp_path: Path, plant: Callable[[dict[str, Any]], object], found: str
) -> None:
    log = json.loads(promotion_sarif(mixed()))
    plant(log)
    said = said_of(multitool, json.dumps(log), tmp_path) - set(ANSWERED)
    assert any(each.startswith(found) for each in said), said
