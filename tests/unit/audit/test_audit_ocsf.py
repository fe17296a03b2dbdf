"""Every record has an OCSF event with what its class demands; what OCSF has no field for is not lost."""

import json

import pytest
from audit_world import NOW

from launchworthy.audit.events import EVENT_TYPES
from launchworthy.audit.moment import rfc3339
from launchworthy.audit.ocsf import OCSF_VERSION, ocsf_event
from launchworthy.audit.reading import Record
from launchworthy.cli.pages.event_examples import event_examples

REQUIRED = {
    "base": ("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"),
    6003: ("actor", "api", "src_endpoint"),
    3002: ("user",),
    3004: ("entity",),
    6002: ("app",),
}
"""What OCSF 1.8 marks as required, by class: our own table of it, from the published schema."""
ACTIVITIES = {6003: {1, 2, 3, 4, 99}, 3002: {1, 99}, 3004: {1, 2, 3, 4, 99}, 6002: {3, 4, 6, 7, 8, 99}}


def event_of(name):
    data = event_examples()[name].model_dump(mode="json", exclude_defaults=True)
    record = Record(7, "s" * 32, rfc3339(NOW), name, "spiffe://acme.example/x", "order/1042", data)
    return record, ocsf_event(record)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_record_type_becomes_an_event_with_what_is_required(name):
    record, event = event_of(name)
    for field in (*REQUIRED["base"], *REQUIRED[event["class_uid"]]):
        assert event[field] not in (None, "", {}), field
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["category_uid"] == event["class_uid"] // 1000
    assert event["activity_id"] in ACTIVITIES[event["class_uid"]]
    assert (event["activity_id"] == 99) == ("activity_name" in event)
    assert event["severity_id"] in range(1, 7)
    assert event["status_id"] in (0, 1, 2)
    assert event["time"] == NOW // 1_000_000
    assert event["metadata"]["version"] == OCSF_VERSION
    assert event["metadata"]["product"]["vendor_name"]
    assert event["metadata"]["uid"] == f"{record.stream}/7"
    assert event["unmapped"]["data"] == record.data
    assert json.loads(json.dumps(event)) == event


def test_the_classes_are_those_of_the_design():
    classes = {name: event_of(name)[1]["class_uid"] for name in EVENT_TYPES}
    assert classes["tool.attempt"] == classes["tool.denied"] == classes["tool.outcome"] == 6003
    assert classes["authn.denied"] == 3002
    assert classes["credential.issued"] == classes["identity.acquired"] == 3004
    assert classes["server.ready"] == classes["stream.open"] == classes["config.loaded"] == 6002


def test_a_denial_says_denied_and_a_call_says_who_and_what():
    _, denied = event_of("tool.denied")
    assert (denied["action_id"], denied["status_id"]) == (2, 2)
    _, ran = event_of("tool.outcome")
    assert (ran["action_id"], ran["status_id"]) == (1, 1)
    _, asked = event_of("tool.attempt")
    assert asked["status_id"] == 0
    assert asked["actor"]["user"]["uid"] == "00u4f2c"
    assert asked["api"]["operation"] == "refund_order"
    assert asked["metadata"]["correlation_uid"] == ran["metadata"]["correlation_uid"]


def test_a_record_of_a_type_that_is_not_known_is_exported_too():
    record = Record(1, "s", rfc3339(NOW), "weather.changed", "x", None, {"a": 1})
    assert ocsf_event(record)["unmapped"]["data"] == {"a": 1}
