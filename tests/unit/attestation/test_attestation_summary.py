"""What other tools are told of a record: the same subjects, and no more than it says."""

import json

from promoters import DIGESTS, Authority, predicate, record

from launchworthy.attestation import Subject, Waiver, parse_envelope, sign_payload
from launchworthy.attestation.summary import SUMMARY_TYPE, render_summary, summary_name
from launchworthy.vocabulary import Environment


def said(**changes: object) -> dict[str, object]:
    document: dict[str, object] = json.loads(render_summary(DIGESTS, predicate(**changes)))
    return document


def test_it_names_the_subjects_of_the_record_and_where_it_counts() -> None:
    summary = said()
    assert summary["predicateType"] == SUMMARY_TYPE
    subjects = summary["subject"]
    assert isinstance(subjects, list)
    assert {each["name"]: next(iter(each["digest"].values())) for each in subjects} == {
        subject.value: digest for subject, digest in DIGESTS.items()
    }
    properties = summary["predicate"]["properties"]  # type: ignore[index]
    assert properties[0] == "LAUNCHWORTHY_PROMOTED_PRODUCTION"
    assert "LAUNCHWORTHY_NOTHING_WAIVED" in properties
    staging = said(environment=Environment.STAGING)["predicate"]["properties"]  # type: ignore[index]
    assert staging[0] == "LAUNCHWORTHY_PROMOTED_STAGING"


def test_what_is_waived_is_not_hidden() -> None:
    waiver = Waiver(control="SUP-01", owner="@acme/orders", until=predicate().build_until)
    counts = {"passed": 41, "waived": 1, "not_applicable": 2, "requests": 212}
    properties = said(waivers=(waiver,), counts=counts)["predicate"]["properties"]  # type: ignore[index]
    assert "LAUNCHWORTHY_NOTHING_WAIVED" not in properties


def test_it_is_signed_like_the_record_and_is_none(acme: Authority) -> None:
    signer = acme.signer()
    envelope = sign_payload(render_summary(DIGESTS, predicate()), signer, stamper=None)
    assert parse_envelope(envelope).key_id == parse_envelope(record(signer).envelope).key_id
    assert not summary_name(Environment.PRODUCTION).endswith(".dsse.json"), "nobody looks for records there"
    assert len(tuple(Subject)) == len(DIGESTS)
