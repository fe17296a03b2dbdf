"""The terminal says each thing once, the verdict first."""

from dataclasses import replace

from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Assertion, Finding, Status, undecided
from launchworthy.promotion.reports.terminal import render_terminal
from launchworthy.promotion.result import Result
from launchworthy.vocabulary import Environment

CONTROLS = load_catalogue()[:4]


def result(*findings):
    return Result(
        project="orders",
        project_version="0.1.0",
        framework_version="0.1.0",
        environment=Environment.PRODUCTION,
        partial=False,
        commit="3f9c2ab0" * 5,
        dirty=(),
        controls=CONTROLS[: len(findings)],
        findings=findings,
        replaced=(),
        facts={},
        started_at=0,
        seconds=1.0,
    )


def lost(control, why):
    return undecided(control.id, why, rehearsed=True, seconds=0.0)


def held(control):
    seen = Assertion(
        holds=False, what="nobody is on call", where="manifests/server.toml:10", fix=("say who",)
    )
    return Finding(
        control=control.id, status=Status.FAIL, message="", assertions=(seen,), rehearsed=False, seconds=0.0
    )


def test_one_cause_that_stops_many_controls_is_said_once():
    text = render_terminal(result(*(lost(each, "there is no uv here") for each in CONTROLS)), exit_code=2)
    assert text.count("there is no uv here") == 1
    assert "4 controls could not be decided, for one cause" in text
    assert all(each.id in text for each in CONTROLS)
    assert not any(each.fix in text for each in CONTROLS)


def test_a_cause_of_its_own_comes_with_the_fix_of_its_control():
    text = render_terminal(result(lost(CONTROLS[0], "it timed out")), exit_code=2)
    assert f" {CONTROLS[0].id}  could not be decided: it timed out" in text
    assert CONTROLS[0].fix in text


def test_the_verdict_comes_before_what_does_not_hold_and_that_before_the_table():
    text = render_terminal(result(held(CONTROLS[0]), lost(CONTROLS[1], "it timed out")), exit_code=1)
    assert "HELD" in "\n".join(text.splitlines()[:4])
    places = [
        text.index(each) for each in ("HELD", "nobody is on call", "it timed out", "controls       hold")
    ]
    assert places == sorted(places)
    assert "manifests/server.toml:10" in text
    assert "→ say who" in text


def test_a_file_of_the_project_does_nothing_to_the_terminal():
    seen = replace(held(CONTROLS[0]).assertions[0], where="src/\x1b[2J\nHOLD.py:1")
    finding = replace(held(CONTROLS[0]), assertions=(seen,))
    assert "         src/\\u{1b}[2J\\u{a}HOLD.py:1\n" in render_terminal(result(finding), exit_code=1)
