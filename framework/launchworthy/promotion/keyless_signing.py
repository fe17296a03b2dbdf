"""How does a CI job sign that has no key? By way of Sigstore, with the token that the job itself is given.

1. the job's own OIDC token, for the audience `sigstore`, from its CI system; nothing else is looked for
2. the Fulcio of the trust policy certifies a one-off key for it, for minutes
3. the statement is signed, and the signature is logged, and dated, at the services of the trust policy

The library does all of it. What is kept of its bundle is what a DSSE envelope has no place for (`keyless`).
Its requests have no deadline of their own, so they run in a thread that is not waited for longer than one.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.attestation import Envelope, TrustPolicy, render_envelope
from launchworthy.attestation.keyless import INSTALL, material_of, trust_config
from launchworthy.attestation.svid import key_id
from launchworthy.vocabulary import Problem, ProblemError

SECONDS: Final = 90.0
_PERMIT = ("permissions:  id-token: write   # in the job that signs, and in no other",)


def keyless_sealing(trust: TrustPolicy, *, clock: Callable[[], float]) -> Callable[[bytes], bytes]:
    """What signs statements by way of the Sigstore that the trust policy pins.

    Args:
        trust: the platform's; one of its promoters is a workflow.
        clock: seconds since the epoch.

    Raises:
        ProblemError: the library is not installed, the job has no token, or nobody certifies it.
    """
    if trust.sigstore is None:
        raise ValueError("a trust policy with workflows has [sigstore]")
    try:
        from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - an extra
        from sigstore.oidc import IdentityToken, detect_credential  # noqa: PLC0415 - an extra
        from sigstore.sign import SigningContext  # noqa: PLC0415 - an extra
    except ImportError:
        what = f"signing by way of Sigstore needs its library, which is not installed here: {INSTALL}"
        fix = ("install it in the job that signs, and wherever its records are verified",)
        raise ProblemError(Problem(reason="sigstore-not-installed", what=what, fix=fix)) from None
    config = trust_config(trust.sigstore, at=int(clock()))

    def certified() -> Any:
        token = detect_credential()
        if token is None:
            what = "this is no job of a CI system that gives it a token"
            raise ProblemError(Problem(reason="no-identity", what=what, fix=_PERMIT))
        context = SigningContext.from_trust_config(ClientTrustConfig.from_json(config))
        with context.signer(IdentityToken(token)) as signer:
            return signer

    signer = _within(certified, doing="have the job's token certified")

    def seal(payload: bytes) -> bytes:
        bundle = _within(lambda: signer.sign_dsse(_statement(payload)), doing="sign, and have that logged")
        return render_envelope(_envelope(bundle, payload))

    return seal


def _statement(payload: bytes) -> Any:
    """The library's Statement around bytes of ours: its own model knows no digests of git."""
    from sigstore.dsse import Statement  # noqa: PLC0415 - an extra

    statement = Statement.__new__(Statement)
    statement._contents = payload  # noqa: SLF001 - all that it signs; the bundle is verified before it is written
    return statement


def _envelope(bundle: Any, payload: bytes) -> Envelope:
    leaf: x509.Certificate = bundle.signing_certificate
    return Envelope(
        payload=payload,
        key_id=key_id(leaf),
        signature=bundle.signature,
        certificates=(leaf.public_bytes(Encoding.DER),),
        stamp=None,
        material=material_of(bundle.to_json()),
    )


def _within(act: Callable[[], Any], *, doing: str) -> Any:
    """What an act returns, or why there is nothing; a refusal, too, where it takes too long."""
    done: list[Any] = []
    whys: list[BaseException] = []

    def run() -> None:
        try:
            done.append(act())
        except Exception as error:  # noqa: BLE001 - whatever a library of others raises, nothing is signed
            whys.append(error)

    thread = threading.Thread(target=run, name="sigstore", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if done:
        return done[0]
    if whys and isinstance(whys[0], ProblemError):
        raise whys[0]
    why = type(whys[0]).__name__ if whys else f"no answer within {SECONDS:.0f} s"
    what = f"Sigstore did not {doing}: {why}"
    fix = ("try again; is `id-token: write` granted, and do the services of `signing_config` answer?",)
    raise ProblemError(Problem(reason="not-signed", what=what, fix=fix))
