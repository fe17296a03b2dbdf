"""Asking for a time stamp: the first authority that answers well is taken, and a bad answer is none."""

import time

import pytest
from cryptography import x509

from launchworthy.attestation import StampAuthority
from launchworthy.attestation.stamp import verify_stamp
from launchworthy.promotion.stamping import stamper_of
from launchworthy.testing.time_stamps import SimulatedTimeStamps
from launchworthy.testing.waiting import free_port
from launchworthy.vocabulary import ProblemError


def authority(stamps: SimulatedTimeStamps, *, url: str | None = None) -> StampAuthority:
    roots = tuple(x509.load_pem_x509_certificates(stamps.root_pem))
    return StampAuthority(url=url or stamps.url, roots=roots)


def closed() -> str:
    return f"http://127.0.0.1:{free_port()}/"


def test_where_nobody_is_named_nobody_is_asked() -> None:
    assert stamper_of((), where="trust.toml", clock=time.time) is None


def test_a_signature_is_stamped_by_the_first_that_answers() -> None:
    with SimulatedTimeStamps(clock=time.time) as stamps:
        authorities = (authority(stamps, url=closed()), authority(stamps))
        stamper = stamper_of(authorities, where="trust.toml", clock=time.time)
        assert stamper is not None
        stamp = stamper(b"a signature")
        assert stamps.asked == 1
    now = int(time.time())
    assert (
        abs(verify_stamp(stamp, signature=b"a signature", signed_at=now, authorities=authorities) - now) < 9
    )


@pytest.mark.parametrize("shift", [-7200.0, 7200.0])
def test_an_authority_whose_clock_is_wrong_stamps_nothing(shift: float) -> None:
    with SimulatedTimeStamps(clock=lambda: time.time() + shift) as stamps:
        stamper = stamper_of((authority(stamps),), where="trust.toml", clock=time.time)
        assert stamper is not None
        with pytest.raises(ProblemError) as caught:
            stamper(b"a signature")
    assert caught.value.problems[0].reason == "not-stamped"


def test_another_authority_at_the_same_address_stamps_nothing() -> None:
    trusted = SimulatedTimeStamps(clock=time.time)
    with SimulatedTimeStamps(clock=time.time) as other:
        stamper = stamper_of((authority(trusted, url=other.url),), where="trust.toml", clock=time.time)
        assert stamper is not None
        with pytest.raises(ProblemError) as caught:
            stamper(b"a signature")
        assert other.asked == 1
    assert caught.value.problems[0].reason == "not-stamped"
    assert other.url in caught.value.problems[0].what
