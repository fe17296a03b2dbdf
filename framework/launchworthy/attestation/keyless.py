"""Did a workflow sign this by way of Sigstore? With a one-off key, certified for minutes, in a public log.

The rules, in this order:
1. the leaf names exactly one workflow, and workflow, issuer and repository are a promoter's, word for word
   (Fulcio's extensions 1.3.6.1.4.1.57264.1.8 and .12; the older, unstructured ones count for nothing);
2. it was issued to a run for the very commit that the record is about (extension .13), so that a run for
   another one, released by somebody who looked at that, signs nothing for this one;
3. the key is EC P-256, the signature is over the exact payload, with SHA-256, whatever the record says;
4. the certificate lives an hour at the most, and the record's own `signed_at` lies in its life;
5. Sigstore's own verifier, over the pinned root as it was in force then, without a network: the chain to
   Fulcio, the proof that the certificate was logged, the entry of this signature in the transparency log, and
   a signed time within the certificate's life.

The library is loaded for the fifth rule and not before: whoever has no such record needs no `sigstore`.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field

from launchworthy.attestation.envelope import PAYLOAD_TYPE, Envelope
from launchworthy.attestation.json_document import MalformedRecordError, cite, read_model
from launchworthy.attestation.signature import verify_signature
from launchworthy.attestation.svid import UntrustedSignerError, key_id, parse_chain, public_key_of
from launchworthy.attestation.workflow import Sigstore, Workflow, in_force

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
INSTALL = "uv add 'launchworthy[sigstore]'"
MAX_LIFE = 3600
"""Seconds of a certificate; Fulcio's live ten minutes."""
_SKEW = 60
_LIMIT = 64 * 1024
_NAME = 300
_FULCIO = "1.3.6.1.4.1.57264.1"
_ISSUER = x509.ObjectIdentifier(f"{_FULCIO}.8")
_REPOSITORY = x509.ObjectIdentifier(f"{_FULCIO}.12")
_COMMIT = x509.ObjectIdentifier(f"{_FULCIO}.13")
_UTF8_STRING = 0x0C
_SHORT, _BYTE = 0x80, 0x100


class SigstoreMissingError(ImportError):
    """The library that verifies such records is not installed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyless:
    """What was proved.

    Attributes:
        workflow: that signed.
        stamped_at: from when its certificate lived; the signed time lies in that life.
    """

    workflow: Workflow
    stamped_at: int


def verify_keyless(
    envelope: Envelope,
    *,
    workflows: Collection[Workflow],
    sigstore: Sigstore | None,
    commit: str,
    signed_at: int,
    simulated: bool,
) -> Keyless:
    """Verify by the five rules.

    Args:
        envelope: with the certificate, and `material` from Sigstore's bundle.
        workflows: that may sign for the record's environment.
        sigstore: that the trust policy pins.
        commit: that the record is about.
        signed_at: when the signer says that this was.
        simulated: whether the record's environment is of the simulated world.

    Raises:
        UntrustedSignerError: a rule is broken.
        BadSignatureError: the signature is not over this payload.
        SigstoreMissingError: all but the fifth hold, and nobody can verify that here.
    """
    [leaf] = parse_chain(envelope.certificates)
    workflow = _workflow_of(leaf, workflows)  # 1
    if sigstore is None:
        raise UntrustedSignerError("the trust policy pins no Sigstore")
    if workflow.simulated is not simulated:
        raise UntrustedSignerError(f"`{workflow}` is of the other world")
    if _extension(leaf, _COMMIT) != der_text(commit):  # 2
        raise UntrustedSignerError("its certificate was issued to a run for another commit")
    if envelope.key_id != key_id(leaf):
        raise UntrustedSignerError("its `keyid` is not the certificate's key")
    public_key = public_key_of(leaf)
    if not (isinstance(public_key, ec.EllipticCurvePublicKey) and isinstance(public_key.curve, ec.SECP256R1)):
        raise UntrustedSignerError("its certificate's key is not EC P-256")  # 3
    verify_signature(public_key, envelope.signature, envelope.signed_bytes())
    start, end = int(leaf.not_valid_before_utc.timestamp()), int(leaf.not_valid_after_utc.timestamp())
    if end - start > MAX_LIFE:  # 4
        raise UntrustedSignerError(f"its certificate lives {end - start} s, and a one-off key's does not")
    if not start - _SKEW <= signed_at <= end:
        raise UntrustedSignerError("it says that it was signed when its certificate was not valid")
    _ask_the_library(envelope, workflow, sigstore, commit=commit, at=start)  # 5
    return Keyless(workflow=workflow, stamped_at=start)


def der_text(text: str) -> bytes:
    """A text as Fulcio writes it into a certificate: a UTF8String in DER."""
    content = text.encode("utf-8")
    if len(content) < _SHORT:
        length = bytes([len(content)])
    elif len(content) < _BYTE:
        length = bytes([_SHORT | 1, len(content)])
    else:
        length = bytes([_SHORT | 2]) + len(content).to_bytes(2, "big")
    return bytes([_UTF8_STRING]) + length + content


def bundle_of(envelope: Envelope) -> bytes:
    """The Sigstore bundle that an envelope is a spelling of.

    Raises:
        UntrustedSignerError: what it holds of it is malformed.
    """
    try:
        material = read_model(envelope.material or b"", _Material, limit=_LIMIT)
    except MalformedRecordError as error:
        raise UntrustedSignerError(f"its `sigstore` is malformed: {error}") from None
    [leaf] = envelope.certificates
    members = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            "certificate": {"rawBytes": _base64(leaf)},
            "tlogEntries": material.tlog_entries,
            "timestampVerificationData": material.timestamps,
        },
        "dsseEnvelope": {
            "payload": _base64(envelope.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(envelope.signature), "keyid": ""}],
        },
    }
    return json.dumps(members).encode("utf-8")


def material_of(bundle: str) -> bytes:
    """What an envelope holds of a bundle beside certificate, payload and signature."""
    material = json.loads(bundle)["verificationMaterial"]
    kept = {name: material[name] for name in ("tlogEntries", "timestampVerificationData") if name in material}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode("utf-8")


def trust_config(sigstore: Sigstore, *, at: int) -> str:
    """Both files as the one document that the library reads: root of trust, and where to sign.

    Args:
        sigstore: as pinned.
        at: the instant for which the root must have been in force.
    """
    members = {
        "mediaType": CONFIG_TYPE,
        "trustedRoot": json.loads(in_force(sigstore.trusted_root, at)),
        "signingConfig": json.loads(sigstore.signing_config),
    }
    return json.dumps(members)


class _Material(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    tlog_entries: Annotated[
        tuple[dict[str, Any], ...], Field(alias="tlogEntries", min_length=1, max_length=1)
    ]
    timestamps: Annotated[dict[str, Any], Field(alias="timestampVerificationData")] = {}


def _workflow_of(leaf: x509.Certificate, workflows: Collection[Workflow]) -> Workflow:
    try:
        names = list(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        names = []
    if len(names) != 1 or not isinstance(names[0], x509.UniformResourceIdentifier):
        raise UntrustedSignerError("the certificate does not name exactly one workflow")
    claimed, issuer, repository = names[0].value, _extension(leaf, _ISSUER), _extension(leaf, _REPOSITORY)
    for each in workflows:
        expected = (each.identity, der_text(each.issuer), der_text(each.repository))
        if (claimed, issuer, repository) == expected:
            return each
    named = cite(claimed, _NAME)
    if claimed in {each.identity for each in workflows}:
        said = cite(repository[2:].decode("utf-8", "replace"), _NAME)
        raise UntrustedSignerError(
            f"`{named}` ran for another repository or issuer than a promoter: `{said}`"
        )
    raise UntrustedSignerError(f"`{named}` is no promoter of this environment")


def _extension(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    try:
        value = leaf.extensions.get_extension_for_oid(oid).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return b""
    return value.value if isinstance(value, x509.UnrecognizedExtension) else b""


def _ask_the_library(
    envelope: Envelope, workflow: Workflow, sigstore: Sigstore, *, commit: str, at: int
) -> None:
    try:
        from sigstore.models import Bundle, ClientTrustConfig  # noqa: PLC0415 - an extra
        from sigstore.verify import Verifier, policy  # noqa: PLC0415 - an extra
    except ImportError:
        raise SigstoreMissingError(INSTALL) from None
    try:
        verifier = Verifier(
            trusted_root=ClientTrustConfig.from_json(trust_config(sigstore, at=at)).trusted_root
        )
        wanted = policy.AllOf(
            [
                policy.Identity(identity=workflow.identity),
                policy.OIDCIssuerV2(workflow.issuer),
                policy.OIDCSourceRepositoryURI(workflow.repository),
                policy.OIDCSourceRepositoryDigest(commit),
            ]
        )
        kind, payload = verifier.verify_dsse(Bundle.from_json(bundle_of(envelope)), wanted)
    except UntrustedSignerError:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's bundle: whatever the library raises, it is no proof
        why = cite(str(error)) or type(error).__name__
        raise UntrustedSignerError(
            f"Sigstore's verifier refuses its certificate or its log entry: {why}"
        ) from None
    if (kind, payload) != (PAYLOAD_TYPE, envelope.payload):
        raise UntrustedSignerError("Sigstore's verifier saw another payload")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
