"""What is compared, for how long a record counts, and what ends it before."""

import pytest
from promoters import (
    DAY,
    DIGESTS,
    NOW,
    PROMOTER,
    RECORD_ID,
    TRUST,
    Authority,
    facts,
    record,
    trust_policy,
)
from verifying import refused, verify

from launchworthy.attestation import (
    Facts,
    Purpose,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    VerifiedRecord,
    X509SvidSigner,
    verify_longest_lasting,
)
from launchworthy.vocabulary import Environment, ProblemError


def test_where_the_platform_requires_it_a_record_names_the_one_before(
    acme: Authority, simulated: Authority, trust: TrustPolicy
) -> None:
    chained = TRUST.replace('catalogue = "0.1"', 'catalogue = "0.1"\nprevious = "required"', 1)
    policy = trust_policy(acme, simulated=simulated, toml=chained)
    first = record(acme.signer())
    later = record(acme.signer(), previous={"record_id": RECORD_ID, "sha256": "a" * 64})
    assert verify(first, trust)
    assert verify(later, policy)
    refused("record-without-previous", lambda: verify(first, policy))


def test_a_link_of_the_chain_allows_nothing_and_outlives_what_ends_a_record(
    acme: Authority, simulated: Authority
) -> None:
    policy = trust_policy(acme, simulated=simulated, more=f'[revoked]\nrecords = ["{RECORD_ID}"]')
    nothing = Facts(environment=Environment.PRODUCTION, digests={})
    linked = verify(record(acme.signer()), policy, purpose=Purpose.LINK, now=NOW + 400 * DAY, here=nothing)
    assert linked.purpose is Purpose.LINK
    forged = record(Authority().signer())
    refused("record-not-trusted", lambda: verify(forged, policy, purpose=Purpose.LINK, here=nothing))


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
    Purpose.LINK: set(),
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
