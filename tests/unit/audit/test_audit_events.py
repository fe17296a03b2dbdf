"""The record types: all there, frozen, closed, safe whatever they are given, and never large."""

import json

import pytest
from audit_world import SECOND, Authority, Clock, attempt, bound_stream
from pydantic import ValidationError

from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.canonical import canonical
from launchworthy.audit.events import (
    EVENT_TYPES,
    AuthnDenied,
    Event,
    PreviousStream,
    ProtocolRejected,
    StreamOpen,
    ToolAttempt,
    ToolDenied,
    ToolOutcome,
)
from launchworthy.vocabulary import Reason

EXPECTED = tuple(
    """
stream.open stream.bound stream.checkpoint stream.close stream.degraded stream.recovered stream.deleted
server.starting server.ready server.stopping server.refused config.loaded trust.loaded
promotion.expiring promotion.revoked identity.peer_rejected
identity.acquired identity.rotated identity.bundle_changed identity.refresh_failed
identity.expired identity.revoked keys.changed keys.refresh_failed
authn.denied protocol.rejected request.served
subscription.opened subscription.closed control.changed ratelimit.denied breakglass.used
approval.requested approval.answered approval.turned_away approval.granted approval.declined
approval.replayed audit.hash_used
credential.issued credential.refused credential.revoked credential.revoke_failed
credential.abandoned
tool.attempt tool.denied tool.input_required tool.outcome resource.attempt resource.denied resource.outcome
prompt.attempt prompt.denied prompt.outcome
""".split()  # noqa: SIM905 - reads better than thirty quotes
)


def test_the_registry_holds_every_type_once():
    assert sorted(EVENT_TYPES) == sorted(EXPECTED)
    assert all(model.type == name for name, model in EVENT_TYPES.items())


@pytest.mark.parametrize("model", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_every_type_is_documented_frozen_and_closed(model):
    assert model.__doc__
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    with pytest.raises(ValidationError, match="Extra inputs"):
        model(nonsense=1)


def test_a_record_cannot_be_changed_after_it_was_made():
    event = attempt()
    with pytest.raises(ValidationError, match="frozen"):
        event.call = "other"


def test_what_has_nothing_to_say_is_not_written():
    event = ToolOutcome(call="c", target="t", outcome="ok", milliseconds=0)
    assert event.model_dump(exclude_defaults=True) == {
        "call": "c",
        "target": "t",
        "outcome": "ok",
        "milliseconds": 0,
    }


def test_text_from_elsewhere_is_made_safe_when_the_event_is_made():
    event = attempt(
        subject="a\nb", client="x" * 1000, scopes=("s\u202e",), client_says={"na\nme": "v\x1b", "n": 3}
    )
    assert event.subject == "a\\u{a}b"
    assert len(event.client) == 256
    assert event.scopes == ("s\\u{202e}",)
    assert event.client_says == {"na\\u{a}me": "v\\u{1b}", "n": "3"}


def test_scopes_may_come_as_a_set_and_are_always_in_one_order():
    assert attempt(scopes=frozenset({"b", "a", "c"})).scopes == ("a", "b", "c")


@pytest.mark.parametrize(
    "wrong",
    [
        {"milliseconds": 1.5},
        {"milliseconds": -1},
        {"milliseconds": True},
        {"milliseconds": 2**53},
        {"outcome": "fine"},
        {"target": None},
        {"target": b"t"},
    ],
    ids=str,
)
def test_a_field_of_another_kind_is_refused(wrong):
    good = {"call": "c", "target": "t", "outcome": "ok", "milliseconds": 1}
    ToolOutcome(**good)
    with pytest.raises(ValidationError):
        ToolOutcome(**{**good, **wrong})


def test_arguments_that_were_not_redacted_are_refused():
    attempt(arguments={"a": {"clear": "value"}})
    with pytest.raises(ValidationError):
        attempt(arguments={"a": "value"})


def test_a_mistake_does_not_repeat_the_value():
    with pytest.raises(ValidationError) as refused:
        attempt(arguments={"a": "hunter2-hunter2"})
    assert "hunter2" not in str(refused.value)


def test_a_refusal_without_a_principal_is_a_strangers():
    assert AuthnDenied(reason=Reason.TOKEN_AUDIENCE, status=401).stranger == "token.audience"
    assert ProtocolRejected(reason=Reason.HTTP_SIZE, status=413, subject="s").stranger is None
    assert ToolDenied(call="c", target="t", reason=Reason.TOOL_SCOPE, status=403).stranger is None
    assert AuthnDenied(reason=Reason.TOKEN_AUDIENCE, status=401, count=7).weight == 7


def test_what_was_written_can_be_read_into_the_same_event():
    event = attempt(scopes={"a"}, client_says={"name": "x"})
    text = json.dumps(event.model_dump(exclude_defaults=True))
    assert ToolAttempt.model_validate_json(text) == event


def test_the_first_record_names_the_stream_before():
    previous = PreviousStream(stream="s", opened="o", size=3, root="r")
    opened = StreamOpen(
        format="f", key="k", previous=previous, checkpoint_records=1, checkpoint_seconds=1, idle_seconds=1
    )
    assert opened.model_dump(exclude_defaults=True)["previous"] == {
        "stream": "s",
        "opened": "o",
        "size": 3,
        "root": "r",
    }


def test_the_largest_attempt_that_anyone_can_cause_stays_below_16_kilobytes(tmp_path):
    huge = "🙂" * 10_485_760
    long = "\\" * 100_000
    redactor = ArgumentRedactor.ephemeral("k" * 100)
    arguments = {f"{number}{long}": huge if number % 2 else [long] * 9 for number in range(1000)}
    classes = dict.fromkeys(arguments, "clear")
    texts = ("call", "target", "method", "issuer", "subject", "client", "kind", "revision", "rule", "trace")
    digests = ("policy_digest", "manifest_digest", "token_id")
    event = ToolAttempt(
        **dict.fromkeys(texts, huge),
        **dict.fromkeys(digests, long),
        actors=[huge] * 100,
        scopes=[long] * 100,
        arguments=redactor.redact(huge, classes, arguments),
        client_says=dict.fromkeys((f"{n}{long}" for n in range(100)), huge),
    )
    stream = bound_stream(tmp_path / "a", Authority().issue(), clock=Clock())
    stream.record(event, subject=huge)
    line = stream.path.read_bytes().splitlines()[-1]
    assert len(line) <= 16_384
    stream.close()


def test_every_field_of_every_type_can_be_written(tmp_path):
    stream = bound_stream(tmp_path / "a", Authority().issue(), clock=Clock(step=SECOND // 1000))
    assert isinstance(attempt(), Event)
    for event in (attempt(), AuthnDenied(reason=Reason.TOKEN_KEY, status=401, sources=("192.0.2.0/24",))):
        stream.record(event)
        assert canonical(json.loads(stream.path.read_bytes().splitlines()[-1]))
    stream.close()
