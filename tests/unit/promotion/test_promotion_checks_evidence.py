"""GOV-03, GOV-07 and the container of SUP-04: what counts as shown, and what does not."""

import hashlib
import json

import pytest
from promotion_project import NOW, look
from shown_evidence import (
    CONTAINER,
    DAY,
    ENTRY,
    SERVING,
    commit_of,
    everything,
    handover,
    project_showing,
    shown,
    step,
)

from launchworthy.promotion.finding import Status
from launchworthy.vocabulary import Environment

ASKED = ("GOV-03", "GOV-07", "SUP-04")
RESOURCE = "https://orders.acme.example/mcp"
PROCESS = {
    "root": {"uids": [0, 0, 0, 0]},
    "root once": {"uids": [65532, 65532, 0, 65532]},
    "a capability": {"effective": 1 << 21, "permitted": 1 << 21},
    "a capability that it may take": {"permitted": 1 << 21},
    "capabilities that it could get": {"bounding": 0xFFFF},
    "new privileges": {"no_new_privileges": False},
    "any system call": {"seccomp": 0},
}
CONTAINERS = {
    **{name: {"processes": [SERVING, {**SERVING, "pid": 7, **change}]} for name, change in PROCESS.items()},
    "a root that can be written": {"read_only_root": False},
    "no limit": {"memory_limit": None},
    "another server": {"server": "payments"},
    "another environment": {"environment": "staging"},
    "too old": {"made_at": NOW - 31 * DAY},
    "from the future": {"made_at": NOW + DAY},
    "no process": {"processes": []},
    "another schema": {"schema": "urn:other"},
    "a field too many": {"approved": True},
}
ENTRIES = {
    "another server of the same name": {"remotes": [{"type": "x", "url": "https://orders.evil.example/mcp"}]},
    "its path besides": {"remotes": [{"type": "x", "url": RESOURCE + "/v2"}]},
    "its address as a description only": {"remotes": [], "description": RESOURCE},
    "another name": {"name": "example.acme/payments"},
    "no id": {"_meta": {}},
    "an empty id": {"_meta": {"id": ""}},
}
HANDOVERS = {
    "a step that failed": {
        "steps": [step("clone"), step("install", holds=False, exit_code=2, says="exit 2")]
    },
    "three steps": {"steps": [step("clone"), step("install"), step("check")]},
    "no step": {"steps": []},
    "other steps": {"steps": [step("clone")] * 4},
    "its author": {"operator": "team@orders.invalid"},
    "its author in capitals": {"operator": "TEAM@orders.invalid"},
    "nobody": {"operator": "somebody"},
    "another server": {"server": "payments"},
    "another repository": {"commit": "0" * 40},
    "too old": {"made_at": NOW - 91 * DAY},
    "from the future": {"made_at": NOW + DAY},
}


@pytest.mark.parametrize("control", ASKED)
def test_what_is_shown_and_approved_holds(reference, control):
    finding = look(control, project_showing(reference, *everything(reference)))
    assert finding.status is Status.PASS, finding.failures


@pytest.mark.parametrize("control", ASKED)
def test_without_evidence_a_deployment_is_held(reference, control):
    finding = look(control, reference.project())
    assert finding.status is Status.FAIL
    assert any("[[evidence]]" in line for line in finding.failures[0].fix)


@pytest.mark.parametrize("control", ASKED)
def test_what_nobody_approved_shows_nothing(reference, control):
    project = project_showing(reference, *everything(reference), approved=False)
    finding = look(control, project)
    assert (finding.status, len(finding.failures)) == (Status.FAIL, 1)
    assert finding.failures[0].where == "promotion.toml"


@pytest.mark.parametrize("control", ASKED)
def test_evidence_that_ended_shows_nothing(reference, control):
    pieces = {piece[2].split('"')[1]: piece for piece in everything(reference)}
    path, text, entry = pieces[control]
    ended = (path, text, entry.replace("expires = 2026-12-18", "expires = 2026-11-17"))
    assert "2026-11-17" in ended[2]
    assert look(control, project_showing(reference, ended)).status is Status.FAIL


@pytest.mark.parametrize("control", ASKED)
def test_a_changed_file_shows_nothing(reference, control):
    pieces = {piece[2].split('"')[1]: piece for piece in everything(reference)}
    path, text, entry = pieces[control]
    assert look(control, project_showing(reference, (path, text + "\n", entry))).status is Status.FAIL


def test_the_entry_to_paste_names_the_digest_once_the_file_is_there(reference):
    text = json.dumps(CONTAINER)
    project = reference.project(("docs/evidence/container.json", "", text))
    said = look("SUP-04", project).failures[0].fix
    assert f'sha256  = "{hashlib.sha256(text.encode()).hexdigest()}"' in said
    assert 'file    = "docs/evidence/container.json"' in said


def test_a_wheel_for_rehearsals_is_asked_for_nothing(reference):
    project = reference.project(environment=Environment.REHEARSAL)
    statuses = {control: look(control, project).status for control in ASKED}
    assert statuses == {
        "GOV-03": Status.NOT_APPLICABLE,
        "GOV-07": Status.NOT_APPLICABLE,
        "SUP-04": Status.PASS,
    }


@pytest.mark.parametrize("environment", [Environment.PRODUCTION, Environment.REHEARSAL])
@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("changes", ENTRIES.values(), ids=list(ENTRIES))
def test_the_entry_of_another_server_is_refused_wherever_it_lies(reference, environment, approved, changes):
    entry = shown("GOV-03", {**ENTRY, **changes})
    project = project_showing(reference, entry, approved=approved, environment=environment)
    finding = look("GOV-03", project)
    assert finding.status is Status.FAIL
    assert finding.failures[0].where == "promotion.toml:2"


@pytest.mark.parametrize("text", ["", "[]", '"orders"', "{", "null"])
def test_what_is_no_entry_is_refused(reference, text):
    entry = shown("GOV-03", None, text=text)
    assert look("GOV-03", project_showing(reference, entry)).status is Status.FAIL


@pytest.mark.parametrize("changes", CONTAINERS.values(), ids=list(CONTAINERS))
def test_a_container_that_is_open_is_held(reference, changes):
    evidence = shown("SUP-04", {**CONTAINER, **changes})
    finding = look("SUP-04", project_showing(reference, evidence))
    assert finding.status is Status.FAIL
    assert finding.failures[0].where == "promotion.toml:2"


def test_one_good_piece_does_not_excuse_a_bad_one(reference):
    open_ = shown("SUP-04", {**CONTAINER, "read_only_root": False})
    good = shown("SUP-04", CONTAINER)
    other = ("docs/evidence/other.json", good[1], good[2].replace("sup-04.json", "other.json"))
    assert look("SUP-04", project_showing(reference, open_, other)).status is Status.FAIL


def test_a_container_may_bind_a_low_port(reference):
    evidence = shown("SUP-04", {**CONTAINER, "processes": [{**SERVING, "bounding": 1 << 10}]})
    assert look("SUP-04", project_showing(reference, evidence)).status is Status.PASS


@pytest.mark.parametrize("changes", HANDOVERS.values(), ids=list(HANDOVERS))
def test_a_handover_that_is_none_is_held(reference, changes):
    evidence = shown("GOV-07", handover(commit_of(reference), **changes))
    finding = look("GOV-07", project_showing(reference, evidence))
    assert finding.status is Status.FAIL
    assert finding.failures[0].where == "promotion.toml:2"


def test_what_is_not_written_by_the_command_is_no_handover(reference):
    said = json.dumps({"we": "talked about it"})
    assert look("GOV-07", project_showing(reference, shown("GOV-07", None, text=said))).status is Status.FAIL
