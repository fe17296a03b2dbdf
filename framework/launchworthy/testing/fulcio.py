"""Who vouches for a workflow in the simulated world? A Fulcio, and the log of its certificates.

It issues what the public one issues: a certificate for minutes, about a one-off key, that names the workflow,
its issuer, its repository and its commit, with a promise of the certificate log in it (RFC 6962 §3.3).
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from launchworthy.attestation.keyless import der_text

LIFE: Final = 600
"""Seconds of a certificate."""
_YEARS: Final = 10 * 365 * 86_400
_FULCIO: Final = "1.3.6.1.4.1.57264.1"
_PROMISES: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SHA256_ECDSA: Final = b"\x04\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a token says of the run of a workflow.

    Attributes:
        identity: of the workflow and its version.
        issuer: of the token.
        repository: for which it runs.
        commit: for which it runs.
    """

    identity: str
    issuer: str
    repository: str
    commit: str


class SimulatedFulcio:
    """A certificate authority and its log."""

    def __init__(self, *, now: float) -> None:
        """Make the root, what is below it, and the key of the log.

        Args:
            now: seconds since the epoch; the authority is valid for years around it.
        """
        self._root_key, self._key, self._log_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "123")
        span = (int(now) - _YEARS, int(now) + _YEARS)
        root = self._authority("root", self._root_key, self._root_key, span)
        self._issuing = self._authority("issuing", self._key, self._root_key, span)
        self.chain = (self._issuing, root)

    @property
    def log_public_key(self) -> bytes:
        """DER, as a trusted root has it."""
        return public_der(self._log_key.public_key())

    def certificate(
        self,
        public_key: CertificatePublicKeyTypes,
        run: Run,
        *,
        at: int,
        life: int = LIFE,
        more_names: tuple[str, ...] = (),
        logged: bool = True,
    ) -> x509.Certificate:
        """Issue a certificate.

        Args:
            public_key: one-off.
            run: of the workflow.
            at: from when it lives.
            life: for how many seconds.
            more_names: beside the workflow's.
            logged: whether the log has promised to list it.
        """
        builder = self._leaf(public_key, run, at=at, life=life, more_names=more_names)
        unlogged = builder.sign(self._key, hashes.SHA256())
        if not logged:
            return unlogged
        promise = x509.UnrecognizedExtension(_PROMISES, self._promise(unlogged.tbs_certificate_bytes, at))
        return builder.add_extension(promise, critical=False).sign(self._key, hashes.SHA256())

    def _leaf(
        self,
        public_key: CertificatePublicKeyTypes,
        run: Run,
        *,
        at: int,
        life: int,
        more_names: tuple[str, ...],
    ) -> x509.CertificateBuilder:
        names = [x509.UniformResourceIdentifier(each) for each in (run.identity, *more_names)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._issuing.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.fromtimestamp(at, UTC))
            .not_valid_after(datetime.fromtimestamp(at + life, UTC))
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
        )
        for number, value in (
            (1, run.issuer.encode()),
            (8, der_text(run.issuer)),
            (9, der_text(run.identity)),
            (12, der_text(run.repository)),
            (13, der_text(run.commit)),
        ):
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO}.{number}"), value)
            builder = builder.add_extension(extension, critical=False)
        return builder

    def _promise(self, to_be_signed: bytes, at: int) -> bytes:
        """A SignedCertificateTimestampList with one entry, in its OCTET STRING."""
        issuer = hashlib.sha256(public_der(self._key.public_key())).digest()
        moment = at * 1000
        entry = issuer + len(to_be_signed).to_bytes(3, "big") + to_be_signed
        signed = struct.pack("!BBQH", 0, 0, moment, 1) + entry + b"\x00\x00"
        signature = self._log_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        log_id = hashlib.sha256(self.log_public_key).digest()
        promise = b"\x00" + log_id + struct.pack("!QH", moment, 0) + _SHA256_ECDSA + _counted(signature)
        listed = _counted(_counted(promise))
        return b"\x04" + (bytes([len(listed)]) if len(listed) < 0x80 else bytes([0x81, len(listed)])) + listed  # noqa: PLR2004 - X.690

    def _authority(
        self, name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey,
        span: tuple[int, int],
    ) -> x509.Certificate:  # fmt: skip
        root = signer is key
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.fromtimestamp(span[0], UTC))
            .not_valid_after(datetime.fromtimestamp(span[1], UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1 if root else 0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .sign(signer, hashes.SHA256())
        )


def public_der(key: CertificatePublicKeyTypes) -> bytes:
    """DER of a SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _counted(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _name(unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED, trust nothing"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"workflows, {unit}"),
        ]
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
