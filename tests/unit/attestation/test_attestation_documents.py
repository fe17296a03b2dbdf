"""What is a record at all: the form of envelope and statement, and everything that has two readings."""

import base64
import json
from collections.abc import Callable

import pytest
from promoters import DAY, DIGESTS, NOW, RECORD_ID, Authority, predicate, record
from pydantic import ValidationError

from launchworthy.attestation import (
    Counts,
    MalformedRecordError,
    RecordReference,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    Waiver,
    X509SvidSigner,
    new_statement,
    parse_envelope,
    parse_statement,
    render_envelope,
    render_instant,
    render_statement,
    unverified_environment,
)
from launchworthy.attestation.envelope import ENVELOPE_LIMIT, pre_authentication_encoding
from launchworthy.attestation.json_document import cite
from launchworthy.attestation.statement import PAYLOAD_LIMIT, PREDICATE_TYPE
from launchworthy.vocabulary import Environment, ProblemError

Json = dict[str, object]


@pytest.fixture(scope="module")
def envelope() -> bytes:
    return record(Authority().signer()).envelope


@pytest.fixture(scope="module")
def payload() -> bytes:
    return render_statement(new_statement(DIGESTS, predicate()))


def test_the_encoding_is_the_one_of_the_dsse_specification() -> None:
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_what_is_rendered_is_read_again_and_rendered_the_same(envelope: bytes, payload: bytes) -> None:
    assert render_envelope(parse_envelope(envelope)) == envelope
    assert render_statement(parse_statement(payload)) == payload


def test_a_statement_is_an_in_toto_statement_with_a_predicate_of_ours(payload: bytes) -> None:
    members = json.loads(payload)
    assert members["_type"] == "https://in-toto.io/Statement/v1"
    assert members["predicateType"] == PREDICATE_TYPE == "urn:launchworthy:promotion-record:v1"
    assert members["subject"][0] == {
        "name": "git-commit",
        "digest": {"gitCommit": DIGESTS[Subject.COMMIT]},
    }
    assert members["predicate"]["signed_at"] == "2026-11-20T14:02:51Z" == render_instant(NOW)
    assert [each["name"] for each in members["subject"]] == list(Subject)


def test_all_that_a_predicate_can_say_survives() -> None:
    full = predicate(
        waivers=(
            Waiver(control="SUP-04", owner="@acme/platform-security", until=NOW + 30 * DAY),
            Waiver(control="SUP-04", owner="@acme/platform-security", until=NOW + 31 * DAY),
        ),
        counts=Counts(passed=40, waived=1, not_applicable=0, requests=212),
        previous=RecordReference(record_id="lwr1-" + "2" * 32, sha256="3" * 64),
        environment=Environment.STAGING,
    )
    statement = new_statement({**DIGESTS, Subject.COMMIT: "c" * 64}, full)
    again = parse_statement(render_statement(statement))
    assert again == statement
    assert again.predicate == full


@pytest.mark.parametrize(
    "changes",
    [
        {"build_until": NOW + 30 * DAY + 1},
        {"build_until": NOW},
        {"run_until": NOW + 90 * DAY + 1},
        {"run_until": NOW},
        {"environment": Environment.DEVELOPMENT},
        {"environment": "everywhere"},
        {"record_id": "1"},
        {"record_id": RECORD_ID.upper()},
        {"report_sha256": "E" * 64},
        {"report_sha256": "e" * 63},
        {"catalogue": "1"},
        {"framework": "0.1.0rc1"},
        {"framework": ""},
        {"signed_at": -1},
        {"signed_at": True},
        {"signed_at": str(NOW)},
        {"counts": Counts(passed=1, waived=1, not_applicable=0, requests=0)},
        {"waivers": (Waiver(control="SUP-04", owner="@acme/x", until=NOW + DAY),)},
        {
            "waivers": (Waiver(control="SUP-04", owner="@acme/x", until=NOW + DAY),),
            "counts": Counts(passed=1, waived=1, not_applicable=0, requests=0),
        },
        {"previous": "lwr1"},
        {"says": "more"},
    ],
)
def test_a_predicate_that_breaks_a_rule_cannot_be_made(changes: Json) -> None:
    assert predicate()
    with pytest.raises(ValidationError):
        predicate(**changes)


def test_nothing_is_promoted_by_nothing() -> None:
    with pytest.raises(ValidationError):
        Counts(passed=0, waived=0, not_applicable=70, requests=0)


def test_a_statement_names_every_subject() -> None:
    for subject in Subject:
        fewer = {name: digest for name, digest in DIGESTS.items() if name is not subject}
        with pytest.raises(ValueError, match=f"no digest of {subject}"):
            new_statement(fewer, predicate())
        with pytest.raises(ValueError, match="lower-case hex"):
            new_statement({**DIGESTS, subject: "A" * 64}, predicate())


def changed(document: bytes, change: Callable[[Json], object]) -> bytes:
    members = json.loads(document)
    change(members)
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda statement: statement.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda statement: statement.update(predicateType="https://slsa.dev/verification_summary/v1"),
        lambda statement: statement.update(more=1),
        lambda statement: statement.pop("subject"),
        lambda statement: statement["subject"].pop(),
        lambda statement: statement["subject"].reverse(),
        lambda statement: statement["subject"].append(statement["subject"][0]),
        lambda statement: statement["subject"][0].update(name="gitcommit"),
        lambda statement: statement["subject"][0].update(uri="x"),
        lambda statement: statement["subject"][0].update(digest={"sha1": "0" * 40}),
        lambda statement: statement["subject"][0]["digest"].update(sha256="0" * 64),
        lambda statement: statement["subject"][2].update(digest={"sha256": "0" * 63}),
        lambda statement: statement["subject"][2].update(digest={}),
        lambda statement: statement["predicate"].pop("previous"),
        lambda statement: statement["predicate"].update(signed_at=NOW),
        lambda statement: statement["predicate"].update(signed_at="2026-11-20T14:02:51+00:00"),
        lambda statement: statement["predicate"].update(signed_at="2026-11-20t14:02:51z"),
        lambda statement: statement["predicate"].update(signed_at="2026-02-30T14:02:51Z"),
        lambda statement: statement["predicate"].update(signed_at="\u0662026-11-20T14:02:51Z"),
        lambda statement: statement["predicate"]["counts"].update(passed=41.0),
        lambda statement: statement["predicate"]["counts"].update(passed="41"),
        lambda statement: statement["predicate"]["counts"].update(passed=True),
        lambda statement: statement["predicate"].update(environment="\ud800"),
    ],
)
def test_a_statement_of_another_form_is_none(change: Callable[[Json], object], payload: bytes) -> None:
    assert parse_statement(changed(payload, lambda _: None))
    with pytest.raises(MalformedRecordError):
        parse_statement(changed(payload, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda envelope: envelope.update(payloadType="application/json"),
        lambda envelope: envelope.update(more=1),
        lambda envelope: envelope.update(payload=""),
        lambda envelope: envelope.update(payload=envelope["payload"].rstrip("=") + "\n"),
        lambda envelope: envelope.update(payload=" " + envelope["payload"]),
        lambda envelope: envelope.update(payload="é"),
        lambda envelope: envelope["signatures"].append(envelope["signatures"][0]),
        lambda envelope: envelope["signatures"].clear(),
        lambda envelope: envelope["signatures"][0].update(keyid=""),
        lambda envelope: envelope["signatures"][0].pop("keyid"),
        lambda envelope: envelope["signatures"][0].update(sig=""),
        lambda envelope: envelope["signatures"][0].update(sig="A" * 2000),
        lambda envelope: envelope["signatures"][0].update(x5c=[]),
        lambda envelope: envelope["signatures"][0].update(x5c=envelope["signatures"][0]["x5c"] * 5),
        lambda envelope: envelope["signatures"][0].update(alg="none"),
    ],
)
def test_an_envelope_of_another_form_is_none(change: Callable[[Json], object], envelope: bytes) -> None:
    assert parse_envelope(changed(envelope, lambda _: None))
    with pytest.raises(MalformedRecordError):
        parse_envelope(changed(envelope, change))


def test_base64_has_one_spelling(envelope: bytes) -> None:
    """A lenient reader takes `QR==` for `QQ==`, and does without padding."""
    for good, others in (("QQ==", ("QR==", "QQ", "QQ=", "QQ==\n", "QQ===")), ("+/+/", ("-_-_", "+/+_"))):

        def with_signature(text: str) -> bytes:
            return changed(envelope, lambda members: members["signatures"][0].update(sig=text))  # type: ignore[index]

        assert parse_envelope(with_signature(good)).signature == base64.b64decode(good)
        for other in others:
            with pytest.raises(MalformedRecordError):
                parse_envelope(with_signature(other))


def test_a_name_that_stands_twice_is_refused_wherever_it_stands(envelope: bytes, payload: bytes) -> None:
    """Two readers that keep the first and the last one would see two records with one signature."""
    text = payload.decode()
    for once, twice in (
        ('"environment":"production"', '"environment":"production","environment":"production"'),
        ('"environment":"production"', '"environment":"staging","environment":"production"'),
        ('"environment":"production"', '"environment":"production","environmen\\u0074":"staging"'),
        ('"passed":41', '"passed":41,"passed":42'),
        ('{"gitCommit"', '{"gitCommit":"' + "0" * 40 + '","gitCommit"'),
    ):
        assert once in text
        with pytest.raises(MalformedRecordError, match="twice"):
            parse_statement(text.replace(once, twice).encode())
    with pytest.raises(MalformedRecordError, match="twice"):
        parse_envelope(envelope.replace(b'"payload":', b'"payload": "", "payload":', 1))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e5}',
        b'{"a": 1.0}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 900 + b"]" * 900,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "{}".encode("utf-16"),
        b"{} {}",
    ],
)
def test_what_is_no_document_is_refused_without_a_crash(document: bytes) -> None:
    for parse in (parse_envelope, parse_statement):
        with pytest.raises(MalformedRecordError):
            parse(document)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e5", "1.0", "-0.0"])
def test_a_number_is_an_integer(number: str, payload: bytes) -> None:
    with pytest.raises(MalformedRecordError, match="a number that is no integer"):
        parse_statement(payload.replace(b'"passed":41', f'"passed":{number}'.encode()))


def test_lengths_have_limits(envelope: bytes, payload: bytes) -> None:
    for parse, document, limit in (
        (parse_envelope, envelope, ENVELOPE_LIMIT),
        (parse_statement, payload, PAYLOAD_LIMIT),
    ):
        assert parse(document + b" " * (limit - len(document)))
        with pytest.raises(MalformedRecordError, match="longer than"):
            parse(document + b" " * (limit - len(document) + 1))


def test_a_strangers_words_are_printed_safely() -> None:
    assert cite("plain, words") == "plain, words"
    assert cite("\x1b[31m`rm`\u202e\n") == "?[31m?rm???"
    assert len(cite("x" * 10_000)) == 80


def test_a_message_shows_nothing_of_the_document(payload: bytes) -> None:
    secret = "hunter2-hunter2"
    with pytest.raises(MalformedRecordError) as caught:
        parse_statement(payload.replace(b'"production"', f'"{secret}"'.encode()))
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_no_record_is_named_so(release: X509SvidSigner, trust: TrustPolicy) -> None:
    assert unverified_environment(record(release)) is Environment.PRODUCTION
    with pytest.raises(ProblemError) as caught:
        unverified_environment(UnverifiedRecord(where="/etc/launchworthy/records/x", envelope=b"{}"))
    [problem] = caught.value.problems
    assert (problem.reason, problem.where) == ("record-malformed", "/etc/launchworthy/records/x")
    assert trust.where == "trust.toml"
