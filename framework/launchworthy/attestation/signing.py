"""Who signs a record, and how? A `Signer` has an identity; this package holds no key of its own.

The promoter is a workload: its X.509-SVID is fetched by whoever calls, used once and forgotten. A simulated
signer is the same thing in the trust domain `dev.invalid`, which staging and production refuse by name.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from launchworthy.attestation.envelope import (
    MAX_CERTIFICATES,
    PAYLOAD_TYPE,
    Envelope,
    pre_authentication_encoding,
    render_envelope,
)
from launchworthy.attestation.signature import make_signature
from launchworthy.attestation.statement import Statement, render_statement
from launchworthy.attestation.svid import key_id, parse_chain, unverified_spiffe_id

Stamper = Callable[[bytes], bytes]
"""From a signature to a time stamp over it (`stamp.py`)."""


class Signer(Protocol):
    """What signs: a key that is bound to an identity by certificates."""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """DER, leaf first, without the root."""

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the public key."""

    def sign(self, message: bytes) -> bytes:
        """A signature with the key's own algorithm (`signature.py`)."""


class X509SvidSigner:
    """Signs with an X.509-SVID.

    Attributes:
        identity: the SPIFFE ID of the leaf.
        not_before: seconds since the epoch.
        not_after: seconds since the epoch.
    """

    def __init__(self, *, private_key: PrivateKeyTypes, certificates: Sequence[bytes]) -> None:
        """Hold a key and its chain.

        Args:
            private_key: EC P-256, EC P-384 or RSA.
            certificates: DER, leaf first, without the root.

        Raises:
            UntrustedSignerError: the leaf is no X.509-SVID.
            ValueError: the key is not the leaf's, or the chain is too long.
        """
        chain = parse_chain(certificates)
        if len(chain) > MAX_CERTIFICATES:
            raise ValueError(f"a chain has at most {MAX_CERTIFICATES} certificates")
        leaf = chain[0]
        spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if leaf.public_key().public_bytes(*spki) != private_key.public_key().public_bytes(*spki):
            raise ValueError("the private key is not the certificate's")
        self._private_key = private_key
        self.certificates: tuple[bytes, ...] = tuple(certificates)
        self.key_id = key_id(leaf)
        self.identity = unverified_spiffe_id(leaf)
        self.not_before = int(leaf.not_valid_before_utc.timestamp())
        self.not_after = int(leaf.not_valid_after_utc.timestamp())

    def sign(self, message: bytes) -> bytes:
        """Sign a message.

        Raises:
            BadSignatureError: records are not signed with keys of this kind.
        """
        return make_signature(self._private_key, message)

    def __repr__(self) -> str:
        """The identity, nothing of the key."""
        return f"X509SvidSigner({self.identity})"


def sign_statement(statement: Statement, signer: Signer, *, stamper: Stamper | None) -> bytes:
    """Make the record: the bytes of `record-<environment>.dsse.json`.

    Args:
        statement: what is signed.
        signer: who signs.
        stamper: has the signature stamped; None where the trust policy names no time-stamp authority.
    """
    return sign_payload(render_statement(statement), signer, stamper=stamper)


def sign_payload(payload: bytes, signer: Signer, *, stamper: Stamper | None) -> bytes:
    """Put an in-toto Statement into an envelope.

    Args:
        payload: the statement's bytes.
        signer: who signs.
        stamper: as for `sign_statement`.
    """
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    envelope = Envelope(
        payload=payload,
        key_id=signer.key_id,
        signature=signature,
        certificates=signer.certificates,
        stamp=None if stamper is None else stamper(signature),
        material=None,
    )
    return render_envelope(envelope)
