"""When was this signed, by a clock that is not the signer's? RFC 3161 time stamps over a record's signature.

An SVID dies within hours and a record counts for months, so it must be said when the signature was made, and
the signer's word for that is worth nothing once its key is stolen. A time-stamp authority signs a digest of
the signature together with its own time:
1. the answer says GRANTED, and holds one token (§2.4.2);
2. the token is signed, up to a root that the trust policy pins for this authority, by certificates that were
   valid at the stamped time, for time stamping only (§2.3);
3. the token is over this very signature;
4. the record's own `signed_at` is not after the stamp, nor more than ten minutes before it (a clock's minute
   aside), so that the record's dates count from a proved time.

The library is loaded here and not before: whoever needs no stamps does not pay for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

LATEST = 600
"""Seconds from `signed_at` to the stamp."""
SKEW = 60


class UntrustedStampError(ValueError):
    """This stamp does not show when the signature was made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampAuthority:
    """Somebody whose clock is believed.

    Attributes:
        url: where stamps are asked for (RFC 3161 §3.4).
        roots: that vouch for its certificates; old ones stay as long as records live.
    """

    url: str
    roots: tuple[x509.Certificate, ...]


def verify_stamp(
    stamp: bytes, *, signature: bytes, signed_at: int, authorities: Sequence[StampAuthority]
) -> int:
    """Verify a stamp by the four rules; returns the proved time, in seconds since the epoch.

    Args:
        stamp: DER of a TimeStampResp.
        signature: that it must be over.
        signed_at: when the signer says that this was.
        authorities: of the trust policy; one of them must have made it.

    Raises:
        UntrustedStampError: none of them has, or it is about something or some time else.
    """
    from rfc3161_client import VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    why = "the trust policy names no time-stamp authority"
    for authority in authorities:
        try:
            answer = decode_timestamp_response(stamp)
            VerifierBuilder(roots=list(authority.roots)).build().verify_message(answer, signature)
            stamped = int(answer.tst_info.gen_time.timestamp())
        except Exception as error:  # noqa: BLE001 - a stranger's CMS: whatever its parser raises, it is no stamp
            kind = type(error).__name__
            why = f"no authority of the trust policy made the time stamp over this signature ({kind})"
        else:
            return _in_time(stamped, signed_at)
    raise UntrustedStampError(why)


def _in_time(stamped: int, signed_at: int) -> int:
    if not signed_at - SKEW <= stamped <= signed_at + LATEST:
        raise UntrustedStampError(f"the time stamp is {stamped - signed_at} s from when the signer says")
    return stamped
