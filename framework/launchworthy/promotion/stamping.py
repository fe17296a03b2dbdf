"""Who says when a record was signed? The time-stamp authorities of the trust policy, one after the other.

RFC 3161 §3.4: one POST of a TimeStampReq. What comes back is verified here as a start would verify it, with
the nonce of the question, before anything is written.
"""

import ssl
from collections.abc import Callable
from typing import Final

import httpx2

from launchworthy.attestation import StampAuthority, Stamper
from launchworthy.attestation.envelope import MAX_STAMP
from launchworthy.attestation.stamp import UntrustedStampError, verify_stamp
from launchworthy.vocabulary import Problem, ProblemError

SECONDS: Final = 10.0
_HEADERS: Final = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}


def stamper_of(
    authorities: tuple[StampAuthority, ...], *, where: str, clock: Callable[[], float]
) -> Stamper | None:
    """What has signatures stamped; None where the trust policy names nobody who does.

    Args:
        authorities: of the trust policy, in its order; the first that answers well is taken.
        where: the trust policy, for messages.
        clock: seconds since the epoch.
    """
    if not authorities:
        return None

    def stamp(signature: bytes) -> bytes:
        whys: list[str] = []
        for authority in authorities:
            try:
                return _ask(authority, signature, int(clock()))
            except (OSError, UntrustedStampError) as error:
                whys.append(f"{authority.url}: {error}")
        what = f"no time-stamp authority of {where} has stamped the signature: {'; '.join(whys)}"
        fix = ("try again when one of them answers; they stand in `time_stamp_authorities`",)
        raise ProblemError(Problem(reason="not-stamped", what=what, fix=fix))

    return stamp


def _ask(authority: StampAuthority, signature: bytes, now: int) -> bytes:
    """One question; raises `OSError` where there is no answer, and `UntrustedStampError` for a bad one."""
    from rfc3161_client import (  # noqa: PLC0415 - only who stamps needs it
        HashAlgorithm,
        TimestampRequestBuilder,
        decode_timestamp_response,
    )

    asked = (
        TimestampRequestBuilder()
        .data(signature)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    answer = _post(authority.url, asked.as_bytes())
    verify_stamp(answer, signature=signature, signed_at=now, authorities=(authority,))
    if decode_timestamp_response(answer).tst_info.nonce != asked.nonce:
        raise UntrustedStampError("it answered another question")
    return answer


def _post(url: str, content: bytes) -> bytes:
    """Raises `OSError`."""
    try:
        with (
            httpx2.Client(
                verify=ssl.create_default_context(),
                timeout=SECONDS,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("POST", url, content=content, headers=_HEADERS) as answer,
        ):
            if not answer.is_success:
                raise OSError(f"status {answer.status_code}")
            body = bytearray()
            for chunk in answer.iter_raw():
                body += chunk
                if len(body) > MAX_STAMP:
                    raise OSError(f"an answer of more than {MAX_STAMP} bytes")
            return bytes(body)
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        raise OSError(type(error).__name__) from None
