"""Who signed what: each forgery beside the record that it was made from, which counts."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from promoters import (
    DAY,
    DIGESTS,
    DOMAIN,
    NOW,
    PROMOTER,
    RECORD_ID,
    Authority,
    facts,
    record,
    trust_policy,
)
from verifying import refused, verify

from launchworthy.attestation import (
    Purpose,
    TrustPolicy,
    UnverifiedRecord,
    X509SvidSigner,
    parse_envelope,
    render_envelope,
    unverified_environment,
)
from launchworthy.vocabulary import Environment


def edited(good: UnverifiedRecord, **members: object) -> UnverifiedRecord:
    """The same envelope with other members, unsigned."""
    envelope = json.loads(good.envelope)
    return replace(good, envelope=json.dumps({**envelope, **members}).encode())


def test_a_genuine_record_counts_and_says_who_signed_what(
    release: X509SvidSigner, trust: TrustPolicy
) -> None:
    good = record(release)
    verified = verify(good, trust)
    assert str(verified.signer) == PROMOTER
    assert verified.predicate.record_id == RECORD_ID
    assert verified.digests == DIGESTS
    assert verified.reference.record_id == RECORD_ID
    assert verified.reference.sha256 == parse_envelope(good.envelope).payload_sha256()
    assert unverified_environment(good) is Environment.PRODUCTION


def test_a_foreign_authority_is_not_trusted(trust: TrustPolicy, release: X509SvidSigner) -> None:
    assert verify(record(release), trust)
    refused("record-not-trusted", lambda: verify(record(Authority().signer()), trust))


def test_the_authority_of_another_trust_domain_cannot_name_ours(
    simulated: Authority, acme: Authority, trust: TrustPolicy
) -> None:
    assert verify(record(acme.signer()), trust)
    refused("record-not-trusted", lambda: verify(record(simulated.signer(PROMOTER)), trust))


@pytest.mark.parametrize(
    "other",
    [
        f"spiffe://{DOMAIN}/ci/orders/staging",
        f"spiffe://{DOMAIN}/ns/orders/sa/orders",
        f"{PROMOTER}/x",
        f"spiffe://{DOMAIN}/ci/orders/releas",
        f"spiffe://{DOMAIN}/CI/orders/release",
        "spiffe://other.example/ci/orders/release",
    ],
)
def test_another_workloads_identity_is_no_promoters(other: str, acme: Authority, trust: TrustPolicy) -> None:
    assert verify(record(acme.signer(PROMOTER)), trust)
    assert "no promoter" in refused("record-not-trusted", lambda: verify(record(acme.signer(other)), trust))


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_the_certificate_was_valid_when_it_signed(seconds: int, acme: Authority, trust: TrustPolicy) -> None:
    def signed(shift: int) -> UnverifiedRecord:
        return record(acme.signer(not_before=NOW - 600 + shift, not_after=NOW + 600 + shift))

    assert verify(signed(0), trust)
    refused("record-not-trusted", lambda: verify(signed(seconds), trust))


def test_a_record_outlives_its_certificate(acme: Authority, trust: TrustPolicy) -> None:
    short = record(acme.signer(not_before=NOW - 10, not_after=NOW + 10))
    assert verify(short, trust, now=NOW + 80 * DAY, purpose=Purpose.START)


def test_a_rotated_authority_counts_while_its_root_is_pinned(
    acme: Authority, simulated: Authority, trust: TrustPolicy
) -> None:
    old = record(acme.signer())
    assert verify(old, trust)
    rotated = trust_policy(Authority(), simulated=simulated)
    refused("record-not-trusted", lambda: verify(old, rotated))


def test_a_root_that_was_not_yet_valid_vouches_for_nothing(simulated: Authority) -> None:
    for not_before, fits in ((NOW - DAY, True), (NOW + 60, False)):
        root = Authority(not_before=not_before)
        policy = trust_policy(root, simulated=simulated)
        if fits:
            assert verify(record(root.signer()), policy)
        else:
            refused("record-not-trusted", lambda r=root, p=policy: verify(record(r.signer()), p))


def test_an_intermediate_of_the_pinned_root_may_issue(acme: Authority, trust: TrustPolicy) -> None:
    for parent, fits in ((acme, True), (Authority(), False)):
        below = Authority()
        certificate = parent.authority_certificate(below.key)
        key = ec.generate_private_key(ec.SECP256R1())
        chain = tuple(each.public_bytes(Encoding.DER) for each in (below.leaf(key, PROMOTER), certificate))
        forged = record(X509SvidSigner(private_key=key, certificates=chain))
        if fits:
            assert verify(forged, trust)
        else:
            refused("record-not-trusted", lambda f=forged: verify(f, trust))


def test_a_leaf_issues_nothing(acme: Authority, trust: TrustPolicy) -> None:
    """Whoever holds another workload's SVID, or even the promoter's, cannot make certificates with it."""
    below = Authority()
    not_an_authority = acme.leaf(below.key, f"spiffe://{DOMAIN}/ns/orders/sa/orders")
    key = ec.generate_private_key(ec.SECP256R1())
    chain = tuple(each.public_bytes(Encoding.DER) for each in (below.leaf(key, PROMOTER), not_an_authority))
    refused(
        "record-not-trusted",
        lambda: verify(record(X509SvidSigner(private_key=key, certificates=chain)), trust),
    )


def test_an_altered_payload_does_not_fit_its_signature(release: X509SvidSigner, trust: TrustPolicy) -> None:
    good = record(release)
    assert verify(good, trust)
    payload = base64.b64decode(json.loads(good.envelope)["payload"])
    altered = payload.replace(b'"passed":41', b'"passed":70')
    assert altered != payload
    forged = edited(good, payload=base64.b64encode(altered).decode())
    refused("record-altered", lambda: verify(forged, trust))


def test_the_signature_of_another_record_does_not_fit(release: X509SvidSigner, trust: TrustPolicy) -> None:
    good, other = record(release), record(release, framework="0.2.0")
    assert verify(good, trust)
    assert verify(other, trust)
    forged = edited(good, signatures=json.loads(other.envelope)["signatures"])
    refused("record-altered", lambda: verify(forged, trust))


def test_the_certificate_of_the_promoter_beside_the_signature_of_another(
    release: X509SvidSigner, acme: Authority, trust: TrustPolicy
) -> None:
    other = parse_envelope(record(acme.signer(f"spiffe://{DOMAIN}/other")).envelope)
    forged = replace(other, certificates=release.certificates)
    named = replace(forged, key_id=release.key_id)
    refused(
        "record-not-trusted",
        lambda: verify(UnverifiedRecord(where="r", envelope=render_envelope(forged)), trust),
    )
    refused(
        "record-altered", lambda: verify(UnverifiedRecord(where="r", envelope=render_envelope(named)), trust)
    )


def test_a_record_of_another_environment_does_not_count(acme: Authority, trust: TrustPolicy) -> None:
    staging = record(
        acme.signer(f"spiffe://{DOMAIN}/ci/orders/staging"),
        environment=Environment.STAGING,
    )
    assert verify(staging, trust, here=facts(Environment.STAGING))
    refused("record-for-another-environment", lambda: verify(staging, trust))
    refused(
        "record-for-another-environment",
        lambda: verify(record(acme.signer()), trust, here=facts(Environment.STAGING)),
    )


def test_the_promoter_of_one_environment_is_none_of_another(acme: Authority, trust: TrustPolicy) -> None:
    assert verify(record(acme.signer(PROMOTER)), trust)
    forged = record(acme.signer(f"spiffe://{DOMAIN}/ci/orders/staging"))
    refused("record-not-trusted", lambda: verify(forged, trust))


def test_a_simulated_signer_signs_for_rehearsals_only(simulated: Authority, trust: TrustPolicy) -> None:
    signer = simulated.signer("spiffe://dev.invalid/promoter")
    assert verify(record(signer, environment=Environment.REHEARSAL), trust, here=facts(Environment.REHEARSAL))
    assert "simulated" in refused("record-not-trusted", lambda: verify(record(signer), trust))


def test_a_simulated_signer_is_refused_whatever_a_policy_lists(
    simulated: Authority, trust: TrustPolicy
) -> None:
    """`parse_trust_policy` refuses such a policy too; this is the second net."""
    promoter = "spiffe://dev.invalid/promoter"
    table = replace(trust.environments[Environment.PRODUCTION], promoters=frozenset({promoter}))
    lax = replace(trust, environments={Environment.PRODUCTION: table})
    what = refused("record-not-trusted", lambda: verify(record(simulated.signer(promoter)), lax))
    assert "simulated" in what


def test_a_policy_without_the_environment_trusts_nobody_for_it(
    release: X509SvidSigner, trust: TrustPolicy
) -> None:
    only_staging = replace(trust, environments={Environment.STAGING: trust.environments[Environment.STAGING]})
    assert verify(record(release), trust)
    refused("nobody-trusted", lambda: verify(record(release), only_staging))


def test_a_trust_domain_without_roots_vouches_for_nobody(release: X509SvidSigner, trust: TrustPolicy) -> None:
    refused("record-not-trusted", lambda: verify(record(release), replace(trust, roots={})))
