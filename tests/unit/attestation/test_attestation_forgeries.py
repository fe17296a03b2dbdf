"""Each forgery beside the record that it was made from, which counts."""

import base64
import json
from collections.abc import Callable
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
    TRUST,
    Authority,
    facts,
    record,
    trust_policy,
)

from launchworthy.attestation import (
    Facts,
    Purpose,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    VerifiedRecord,
    X509SvidSigner,
    parse_envelope,
    render_envelope,
    unverified_environment,
    verify_longest_lasting,
    verify_record,
)
from launchworthy.vocabulary import Environment, ProblemError


def verify(
    unverified_record: UnverifiedRecord,
    trust: TrustPolicy,
    *,
    now: int = NOW,
    purpose: Purpose = Purpose.BUILT,
    here: Facts | None = None,
) -> VerifiedRecord:
    here = here if here is not None else facts()
    return verify_record(unverified_record, trust=trust, facts=here, purpose=purpose, now=now)


def refused(reason: str, call: Callable[[], object]) -> str:
    """Run something that must be refused for exactly this reason; what it says."""
    with pytest.raises(ProblemError) as caught:
        call()
    assert [problem.reason for problem in caught.value.problems] == [reason]
    return caught.value.problems[0].what


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


def test_no_record_is_no_record(release: X509SvidSigner, trust: TrustPolicy) -> None:
    def longest(*found: UnverifiedRecord) -> VerifiedRecord:
        return verify_longest_lasting(
            found, trust=trust, facts=facts(), purpose=Purpose.BUILT, now=NOW, searched="dist/promotion"
        )

    assert longest(record(release)).signer
    what = refused("no-record", longest)
    assert what == (
        "a production build of commit 0000000 needs a promotion record, and dist/promotion has none"
    )


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


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (Subject.COMMIT, "record-for-another-commit"),
        (Subject.TREE, "record-for-another-commit"),
        (Subject.WHEEL, "record-for-another-wheel"),
        *(
            (subject, "record-for-other-files")
            for subject in Subject
            if subject not in (Subject.COMMIT, Subject.TREE, Subject.WHEEL)
        ),
    ],
)
def test_every_subject_is_compared(
    subject: Subject, reason: str, release: X509SvidSigner, trust: TrustPolicy
) -> None:
    """Another commit with the same tree, the same tree with another lock, and so on for all of them."""
    good = record(release)
    other = "b" * len(DIGESTS[subject])
    assert verify(good, trust)
    what = refused(reason, lambda: verify(good, trust, here=facts(digests={**DIGESTS, subject: other})))
    assert other[:12] in what
    verified = verify(good, trust)
    verified.require(subject, DIGESTS[subject])
    refused(reason, lambda: verified.require(subject, other))


def test_all_that_differs_is_named_at_once(release: X509SvidSigner, trust: TrustPolicy) -> None:
    here = facts(commit="b" * 40, uv_lock="b" * 64, policy_files="b" * 64)
    with pytest.raises(ProblemError) as caught:
        verify(record(release), trust, here=here)
    assert [problem.reason for problem in caught.value.problems] == [
        "record-for-another-commit",
        "record-for-other-files",
    ]
    assert "`uv.lock`" in caught.value.problems[1].what
    assert "`policy/`" in caught.value.problems[1].what


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


@pytest.mark.parametrize(
    ("catalogue", "framework", "fits"),
    [
        ("0.1", "0.1.0", True),
        ("0.1.1", "1.0", True),
        ("0.10", "0.1.0", True),
        ("0.0.9", "0.1.0", False),
        ("0.1", "0.0.99", False),
    ],
)
def test_an_older_catalogue_or_framework_does_not_count(
    catalogue: str, framework: str, *, fits: bool, release: X509SvidSigner, trust: TrustPolicy
) -> None:
    made = record(release, catalogue=catalogue, framework=framework)
    if fits:
        assert verify(made, trust)
    else:
        refused("record-outdated", lambda: verify(made, trust))


def test_a_floor_is_compared_by_numbers(acme: Authority, simulated: Authority) -> None:
    policy = trust_policy(
        acme, simulated=simulated, toml=TRUST.replace('catalogue = "0.1"', 'catalogue = "0.9"')
    )
    assert verify(record(acme.signer(), catalogue="0.10"), policy)
    refused("record-outdated", lambda: verify(record(acme.signer(), catalogue="0.8"), policy))


def test_a_revoked_record_or_signer_does_not_count(acme: Authority, simulated: Authority) -> None:
    signer = acme.signer()
    good = record(signer)
    for revoked, fits in (
        (f'records = ["{RECORD_ID}"]', False),
        (f'records = ["{RECORD_ID[:-1]}2"]', True),
        (f'signers = ["{PROMOTER}"]', False),
        (f'signers = ["{signer.key_id}"]', False),
        (f'signers = ["{acme.signer().key_id}", "{PROMOTER}/x"]', True),
    ):
        policy = trust_policy(acme, simulated=simulated, more=f"[revoked]\n{revoked}")
        if fits:
            assert verify(good, policy)
        else:
            refused("record-revoked", lambda p=policy: verify(good, p))


@pytest.mark.parametrize(
    ("purpose", "last_good_day"), [(Purpose.BUILD, 30), (Purpose.BUILT, 30), (Purpose.START, 90)]
)
def test_each_purpose_has_its_last_instant(
    purpose: Purpose, last_good_day: int, release: X509SvidSigner, trust: TrustPolicy
) -> None:
    good, end = record(release), NOW + last_good_day * DAY
    assert verify(good, trust, purpose=purpose, now=end)
    refused("record-expired", lambda: verify(good, trust, purpose=purpose, now=end + 1))


def test_an_expired_record_can_still_be_read_but_a_forged_one_not(
    release: X509SvidSigner, trust: TrustPolicy
) -> None:
    later = NOW + 400 * DAY
    nothing = Facts(environment=Environment.PRODUCTION, digests={})
    inspected = verify(record(release), trust, purpose=Purpose.INSPECT, now=later, here=nothing)
    assert inspected.purpose is Purpose.INSPECT
    forged = record(Authority().signer())
    refused(
        "record-not-trusted",
        lambda: verify(forged, trust, purpose=Purpose.INSPECT, now=later, here=nothing),
    )


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (60, True), (61, False)])
def test_a_record_is_not_signed_in_the_future(
    seconds: int, *, fits: bool, release: X509SvidSigner, trust: TrustPolicy
) -> None:
    if fits:
        assert verify(record(release), trust, now=NOW - seconds)
    else:
        refused("record-not-yet-valid", lambda: verify(record(release), trust, now=NOW - seconds))


def test_a_fact_left_out_is_a_programmers_error(release: X509SvidSigner, trust: TrustPolicy) -> None:
    for purpose in (Purpose.BUILD, Purpose.BUILT, Purpose.START):
        nothing = Facts(environment=Environment.PRODUCTION, digests={})
        with pytest.raises(ValueError, match=f"to {purpose}, facts need"):
            verify(record(release), trust, purpose=purpose, here=nothing)
        with pytest.raises(ValueError, match=f"to {purpose}, facts need"):
            verify_longest_lasting(
                (), trust=trust, facts=nothing, purpose=purpose, now=NOW, searched="dist/promotion"
            )


NEEDED = {
    Purpose.BUILD: set(Subject)
    - {Subject.WHEEL, Subject.MANIFESTS, Subject.POLICY, Subject.SETTINGS, Subject.CATALOGUE},
    Purpose.BUILT: set(Subject) - {Subject.MANIFESTS, Subject.POLICY, Subject.SETTINGS, Subject.CATALOGUE},
    Purpose.START: {Subject.WHEEL, Subject.MANIFESTS, Subject.POLICY, Subject.SETTINGS},
    Purpose.INSPECT: set(),
}


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_needs_its_facts_and_no_others(
    purpose: Purpose, release: X509SvidSigner, trust: TrustPolicy
) -> None:
    """A build compares the tree file by file, a start what it loaded; what cannot be known is not asked."""

    def known(subjects: set[Subject]) -> Facts:
        digests = {subject: DIGESTS[subject] for subject in subjects}
        return Facts(environment=Environment.PRODUCTION, digests=digests)

    assert verify(record(release), trust, purpose=purpose, here=known(NEEDED[purpose]))
    for subject in NEEDED[purpose]:
        with pytest.raises(ValueError, match=f"facts need {subject}$"):
            verify(record(release), trust, purpose=purpose, here=known(NEEDED[purpose] - {subject}))


@pytest.mark.parametrize(
    ("subject", "digest"), [(Subject.UV_LOCK, "A" * 64), (Subject.UV_LOCK, "a" * 40), (Subject.COMMIT, "")]
)
def test_a_fact_that_could_equal_nothing_is_a_programmers_error(subject: Subject, digest: str) -> None:
    with pytest.raises(ValueError, match="lower-case hex"):
        Facts(environment=Environment.PRODUCTION, digests={subject: digest})


def test_a_record_says_under_which_policy_it_was_verified(
    release: X509SvidSigner, trust: TrustPolicy
) -> None:
    """Not the policy of the day it was signed: that one is in the predicate."""
    verified = verify(record(release), trust)
    assert verified.trust_policy_sha256 == trust.sha256
    assert verified.predicate.trust_policy_sha256 == "f" * 64


def test_the_record_that_counts_longest_is_taken(acme: Authority, trust: TrustPolicy) -> None:
    signer = acme.signer()
    ids = [f"lwr1-{number:032x}" for number in range(4)]
    found = (
        record(signer, record_id=ids[0], run_until=NOW + 10 * DAY, build_until=NOW + 9 * DAY),
        record(signer, record_id=ids[1], run_until=NOW + 80 * DAY, build_until=NOW + 5 * DAY),
        record(Authority().signer(), record_id=ids[2]),
        UnverifiedRecord(where="garbage", envelope=b"\xff"),
    )

    def longest(purpose: Purpose, *found: UnverifiedRecord) -> str:
        return verify_longest_lasting(
            found, trust=trust, facts=facts(), purpose=purpose, now=NOW, searched="here"
        ).predicate.record_id

    assert longest(Purpose.START, *found) == ids[1]
    assert longest(Purpose.BUILD, *found) == ids[0]
    with pytest.raises(ProblemError) as caught:
        longest(Purpose.START, *found[2:])
    assert [problem.reason for problem in caught.value.problems] == ["record-not-trusted", "record-malformed"]
