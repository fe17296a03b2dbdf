"""The finished project holds everywhere; the one that a template just made is held by what asks a person."""

import time

import pytest
from promotion_project import CHECKED, FILLED_IN, edit, findings, look
from shown_evidence import everything, project_showing

from launchworthy.promotion.control import controls_for
from launchworthy.promotion.finding import Status
from launchworthy.vocabulary import Environment

ASKS_TO_BE_SHOWN = {"GOV-03", "GOV-07", "SUP-04"}


@pytest.mark.parametrize("environment", [Environment.PRODUCTION, Environment.STAGING, Environment.REHEARSAL])
def test_the_finished_project_holds_wherever_it_can_be_read(reference, environment):
    staging = ("config/staging.toml", "staging.orders.invalid", "staging.acme.example")
    shown = everything(reference)
    project = project_showing(reference, *shown, edits=[staging], environment=environment)
    found = findings(project)
    assert set(found) == CHECKED
    counted = {control.id for control in controls_for(environment)}
    fine = {Status.PASS, Status.NOT_APPLICABLE}
    held = {control for control, finding in found.items() if finding.status not in fine}
    assert held & counted == {"TL-02"}, "the lock names the settings of staging too"


def test_what_the_template_just_made_is_held_by_exactly_what_asks_a_person(reference):
    back = [(path, after, before) for path, before, after in FILLED_IN]
    found = findings(reference.project(*back))
    assert {control for control, finding in found.items() if finding.status is not Status.PASS} == {
        "GOV-01",
        *ASKS_TO_BE_SHOWN,
    }
    assert [failure.where for failure in found["GOV-01"].failures] == [
        "manifests/server.toml:10",
        "manifests/server.toml:11",
        "manifests/server.toml:14",
    ]


@pytest.mark.parametrize(
    ("field", "before", "after", "held"),
    [
        ("resource", "https://orders.acme.example/mcp", "https://orders.invalid/mcp", {"TOK-04"}),
        ("issuer", "https://login.acme.example", "https://login.invalid", {"TOK-04"}),
        ("identity", "spiffe://acme.example/ns", "spiffe://orders.invalid/ns", {"ID-01"}),
    ],
)
def test_what_was_left_for_later_in_production_is_held_by_its_own_control(
    reference, field, before, after, held
):
    edits = [("config/production.toml", before, after)]
    if field == "identity":
        edits.append(("config/production.toml", '["acme.example"]', '["orders.invalid"]'))
    found = findings(reference.project(*edits))
    assert {control for control, finding in found.items() if finding.status is not Status.PASS} == {
        "TL-02",
        *ASKS_TO_BE_SHOWN,
        *held,
    }


@pytest.mark.speed
def test_reading_everything_takes_less_than_a_second(reference):
    project = reference.project()
    began = time.process_time()
    findings(project)
    assert time.process_time() - began < 1.0


def test_a_crash_in_a_check_is_undecided_and_nothing_else_suffers(reference):
    project = reference.project(("src/orders/broken.py", "", "def ("))
    found = findings(project)
    undecided = {control for control, finding in found.items() if finding.status is Status.ERROR}
    assert undecided == {"ID-05", "ID-06", "TL-03", "TR-06"}
    assert look("GOV-01", project).status is Status.PASS
    edit(project.root, ("src/orders/broken.py", "def (", "x = 1"))
