"""What exactly was signed, and by which key? A DSSE envelope with one signature.

Rules (DSSE v1.0.2, protocol and envelope):
1. the signature is over PAE(type, payload), so a payload never counts as one of another type;
2. exactly one signature, whose `keyid` is set: several would leave open which of them is meant;
3. base64 is the standard alphabet, padded and canonical: one record, one spelling;
4. the certificates of the signer stand beside the signature as `x5c` (RFC 7515 §4.1.6), leaf first, root
   left out; other DSSE readers ignore the field;
5. it is dated by one kind of proof at the most: a `stamp` over the signature, or what Sigstore's log and its
   authority say of it (`sigstore`: JSON of the bundle's verification material without the certificate).
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from launchworthy.attestation.json_document import MalformedRecordError, read_model
from launchworthy.attestation.statement import PAYLOAD_LIMIT

PAYLOAD_TYPE = "application/vnd.in-toto+json"
ENVELOPE_LIMIT = 256 * 1024
"""Bytes of an envelope; a real one has about 6,000."""
MAX_CERTIFICATES = 4
_MAX_SIGNATURE = 1024
_MAX_CERTIFICATE = 16 * 1024
MAX_STAMP = 32 * 1024
MAX_MATERIAL = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload, one signature over it, and who is said to have made it. Nothing here is verified.

    Attributes:
        payload: the statement, as it was signed.
        key_id: hex SHA-256 of the signer's public key (DER SubjectPublicKeyInfo).
        signature: over `signed_bytes`.
        certificates: DER, leaf first, without the root.
        stamp: DER of a TimeStampResp over the signature; None where nobody stamped it.
        material: JSON of Sigstore's log entry and stamps; None where the signer has a key of its own.
    """

    payload: bytes
    key_id: str
    signature: bytes
    certificates: tuple[bytes, ...]
    stamp: bytes | None
    material: bytes | None

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return pre_authentication_encoding(PAYLOAD_TYPE, self.payload)

    def payload_sha256(self) -> str:
        """Digest of what was signed, by which records name each other."""
        return hashlib.sha256(self.payload).hexdigest()


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """PAE of DSSE: type and payload with their lengths, so that neither can pass for a part of the other."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(document: bytes) -> Envelope:
    """Read an envelope by the rules of this module.

    Raises:
        MalformedRecordError: it breaks one of them.
    """
    wire = read_model(document, _WireEnvelope, limit=ENVELOPE_LIMIT)
    [signature] = wire.signatures
    if signature.sigstore is not None and (signature.stamp is not None or len(signature.x5c) != 1):
        raise MalformedRecordError("`sigstore` stands beside another proof than its one certificate")
    return Envelope(
        payload=_decode(wire.payload, "payload", PAYLOAD_LIMIT),
        key_id=signature.keyid,
        signature=_decode(signature.sig, "sig", _MAX_SIGNATURE),
        certificates=tuple(_decode(each, "x5c", _MAX_CERTIFICATE) for each in signature.x5c),
        stamp=None if signature.stamp is None else _decode(signature.stamp, "stamp", MAX_STAMP),
        material=None
        if signature.sigstore is None
        else _decode(signature.sigstore, "sigstore", MAX_MATERIAL),
    )


def render_envelope(envelope: Envelope) -> bytes:
    """The file `record-<environment>.dsse.json`; the same envelope gives the same bytes."""
    members = {
        "payload": _encode(envelope.payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {
                "keyid": envelope.key_id,
                "sig": _encode(envelope.signature),
                "x5c": [_encode(each) for each in envelope.certificates],
                **({} if envelope.stamp is None else {"stamp": _encode(envelope.stamp)}),
                **({} if envelope.material is None else {"sigstore": _encode(envelope.material)}),
            }
        ],
    }
    return (json.dumps(members, indent=1) + "\n").encode("ascii")


class _WireModel(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class _WireSignature(_WireModel):
    keyid: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sig: str
    x5c: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_CERTIFICATES)]
    stamp: str | None = None
    sigstore: str | None = None


class _WireEnvelope(_WireModel):
    payload: str
    payload_type: Annotated[Literal["application/vnd.in-toto+json"], Field(alias="payloadType")]
    signatures: Annotated[tuple[_WireSignature, ...], Field(min_length=1, max_length=1)]


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decode(text: str, field: str, limit: int) -> bytes:
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedRecordError(f"`{field}` is not base64") from None
    if _encode(value) != text:
        raise MalformedRecordError(f"`{field}` is not canonical base64")
    if not 0 < len(value) <= limit:
        raise MalformedRecordError(f"`{field}` has {len(value)} bytes")
    return value
