"""When it was signed: each stamp that shows nothing, beside one that does."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from promoters import DAY, NOW, TRUST, Authority, record, trust_policy
from verifying import refused, verify

from launchworthy.attestation import (
    Purpose,
    TrustPolicy,
    UnverifiedRecord,
    X509SvidSigner,
    parse_envelope,
    parse_trust_policy,
    render_envelope,
)
from launchworthy.attestation.stamp import LATEST, SKEW
from launchworthy.testing.time_stamps import SimulatedTimeStamps
from launchworthy.vocabulary import ProblemError

REQUIRED = TRUST.replace(
    'stamp     = "none"',
    'time_stamp_authorities = [{ url = "https://stamp.acme.example", roots = ["stamps.pem"] }]',
    1,
)


def clock(moment: float) -> Callable[[], float]:
    return lambda: moment


@pytest.fixture(scope="module")
def stamps() -> SimulatedTimeStamps:
    return SimulatedTimeStamps(clock=clock(NOW + 2))


def requiring(
    root: Authority, stamps: SimulatedTimeStamps, simulated: Authority, toml: str = REQUIRED
) -> TrustPolicy:
    files = {"acme.pem": root.pem, "dev.pem": simulated.pem, "stamps.pem": stamps.root_pem}
    return parse_trust_policy(toml.encode(), files, where="trust.toml")


@pytest.fixture(scope="module")
def asking(acme: Authority, stamps: SimulatedTimeStamps, simulated: Authority) -> TrustPolicy:
    return requiring(acme, stamps, simulated)


def with_stamp(good: UnverifiedRecord, stamp: bytes | None) -> UnverifiedRecord:
    envelope = replace(parse_envelope(good.envelope), stamp=stamp)
    return replace(good, envelope=render_envelope(envelope))


def test_a_stamped_record_counts_and_says_when(
    release: X509SvidSigner, stamps: SimulatedTimeStamps, asking: TrustPolicy
) -> None:
    verified = verify(record(release, stamper=stamps.stamp), asking)
    assert verified.stamped_at == NOW + 2


def test_a_record_without_a_stamp_is_refused_where_one_is_required(
    release: X509SvidSigner, stamps: SimulatedTimeStamps, asking: TrustPolicy, trust: TrustPolicy
) -> None:
    unstamped = record(release)
    assert verify(unstamped, trust).stamped_at is None  # where the platform takes the signer's word
    assert "requires one" in refused("record-not-stamped", lambda: verify(unstamped, asking))
    refused(
        "record-not-stamped", lambda: verify(with_stamp(record(release, stamper=stamps.stamp), None), asking)
    )


def test_a_stamp_over_another_signature_dates_nothing(
    release: X509SvidSigner, stamps: SimulatedTimeStamps, asking: TrustPolicy
) -> None:
    good, other = (record(release, stamper=stamps.stamp, framework=each) for each in ("0.1.0", "0.2.0"))
    assert verify(good, asking)
    forged = with_stamp(good, parse_envelope(other.envelope).stamp)
    refused("record-stamp-not-trusted", lambda: verify(forged, asking))
    over_the_payload = with_stamp(good, stamps.stamp(parse_envelope(good.envelope).payload))
    refused("record-stamp-not-trusted", lambda: verify(over_the_payload, asking))


def test_a_foreign_authority_dates_nothing(
    release: X509SvidSigner, stamps: SimulatedTimeStamps, asking: TrustPolicy
) -> None:
    assert verify(record(release, stamper=stamps.stamp), asking)
    foreign = SimulatedTimeStamps(clock=clock(NOW + 2))
    refused("record-stamp-not-trusted", lambda: verify(record(release, stamper=foreign.stamp), asking))


@pytest.mark.parametrize(("life", "eku", "fits"), [(10, True, True), (1, True, False), (10, False, False)])
def test_an_authority_is_for_stamps_and_alive_when_it_stamps(
    life: int, *, eku: bool, fits: bool, acme: Authority, simulated: Authority
) -> None:
    moment = [float(NOW)]
    own = SimulatedTimeStamps(clock=lambda: moment[0], life=life, eku=eku)
    policy = requiring(acme, own, simulated)
    moment[0] = NOW + 5
    made = record(acme.signer(), stamper=own.stamp)
    if fits:
        assert verify(made, policy, now=NOW + 60 * DAY, purpose=Purpose.START)  # long after it expired
    else:
        refused("record-stamp-not-trusted", lambda: verify(made, policy))


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [(-SKEW, True), (-SKEW - 1, False), (0, True), (LATEST, True), (LATEST + 1, False), (-DAY, False)],
)
def test_the_dates_of_a_record_count_from_a_proved_time(
    seconds: int, *, fits: bool, acme: Authority, simulated: Authority
) -> None:
    own = SimulatedTimeStamps(clock=clock(NOW + seconds))
    policy = requiring(acme, own, simulated)
    made = record(acme.signer(), stamper=own.stamp)
    if fits:
        assert verify(made, policy, now=NOW + LATEST)
    else:
        said = refused("record-stamp-not-trusted", lambda: verify(made, policy, now=NOW + LATEST))
        assert f"{seconds} s from when the signer says" in said


def test_a_stolen_key_signs_nothing_after_its_certificate_is_dead(
    acme: Authority, simulated: Authority, trust: TrustPolicy
) -> None:
    """What the signer says of its time is believed without a stamp, and only then."""
    dead = acme.signer(not_before=NOW - 600, not_after=NOW + 3000)
    later = SimulatedTimeStamps(clock=clock(NOW + 5 * DAY))
    policy = requiring(acme, later, simulated)
    honest = record(dead, stamper=later.stamp, signed_at=NOW + 5 * DAY, run_until=NOW + 90 * DAY)
    refused("record-not-trusted", lambda: verify(honest, policy, now=NOW + 5 * DAY))
    backdated = record(dead, stamper=later.stamp)
    refused("record-stamp-not-trusted", lambda: verify(backdated, policy, now=NOW + 5 * DAY))
    assert verify(with_stamp(backdated, None), trust, now=NOW + 5 * DAY)


def test_a_certificate_that_died_before_the_stamp_has_signed_nothing(
    acme: Authority, simulated: Authority
) -> None:
    own = SimulatedTimeStamps(clock=clock(NOW + 300))
    policy = requiring(acme, own, simulated)
    for not_after, fits in ((NOW + 400, True), (NOW + 200, False)):
        made = record(acme.signer(not_after=not_after), stamper=own.stamp)
        if fits:
            assert verify(made, policy, now=NOW + 300)
        else:
            refused("record-not-trusted", lambda m=made: verify(m, policy, now=NOW + 300))


def test_an_authority_that_was_rotated_away_between_signing_and_start(
    simulated: Authority, stamps: SimulatedTimeStamps
) -> None:
    """The root that vouched is dead by the start, and a new one signs: the stamp says when it was alive."""
    old, new = Authority(not_after=NOW + DAY), Authority()
    signer = old.signer()
    stamped, unstamped = record(signer, stamper=stamps.stamp), record(signer)
    later = NOW + 60 * DAY

    def start(made: UnverifiedRecord, *roots: Authority) -> object:
        files = {"dev.pem": simulated.pem, "stamps.pem": stamps.root_pem}
        files["acme.pem"] = b"".join(each.pem for each in roots)
        policy = parse_trust_policy(REQUIRED.encode(), files, where="trust.toml")
        return verify(made, policy, now=later, purpose=Purpose.START)

    assert start(stamped, old, new)
    refused("record-not-stamped", lambda: start(unstamped, old, new))
    refused("record-not-trusted", lambda: start(stamped, new))


@pytest.mark.parametrize(
    "stamp", [b"\x00", b"\x30\x03\x02\x01\x00", b"\x30\x05\x30\x03\x02\x01\x02", b"x" * 99]
)
def test_garbage_is_no_stamp(stamp: bytes, release: X509SvidSigner, asking: TrustPolicy) -> None:
    refused("record-stamp-not-trusted", lambda: verify(with_stamp(record(release), stamp), asking))


def test_one_other_byte_anywhere_in_a_stamp_dates_nothing(
    release: X509SvidSigner, stamps: SimulatedTimeStamps, asking: TrustPolicy
) -> None:
    good = record(release, stamper=stamps.stamp)
    stamp = parse_envelope(good.envelope).stamp
    assert stamp is not None
    believed = []
    for place in range(0, len(stamp), 9):
        altered = stamp[:place] + bytes([stamp[place] ^ 1]) + stamp[place + 1 :]
        with suppress(ProblemError):
            believed.append(verify(with_stamp(good, altered), asking).stamped_at)
    assert set(believed) <= {NOW + 2}, "some bytes of a CMS message are signed by nobody, and say nothing"


def test_the_authority_of_another_environment_dates_nothing(
    acme: Authority, simulated: Authority, stamps: SimulatedTimeStamps
) -> None:
    """Each environment names its own; production's are none of staging's."""
    policy = requiring(acme, stamps, simulated)
    with_both = trust_policy(acme, simulated=simulated)
    made = record(acme.signer(), stamper=stamps.stamp)
    assert verify(made, policy).stamped_at == NOW + 2
    assert verify(made, with_both).stamped_at is None  # nobody's stamps are believed: the signer's word is
