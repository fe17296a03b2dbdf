"""A believable little world for audit tests: an authority, a workload with an SVID, a clock, a full disk."""

import asyncio
import base64
import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from launchworthy.audit.binding import BindingProof
from launchworthy.audit.disk import RealDisk
from launchworthy.audit.events import ToolAttempt, ToolOutcome
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.stream_key import StreamKey

SOURCE = "spiffe://acme.example/ns/orders/sa/orders"
NOW = 1_795_140_000_000_000_000  # 2026-11-20T02:40:00Z
SECOND = 1_000_000_000


@dataclass
class Clock:
    """Nanoseconds; moves on by a millisecond each time it is read, or where it is told to."""

    now: int = NOW
    step: int = 1_000_000

    def __call__(self) -> int:
        self.now += self.step
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class Authority:
    """A SPIFFE authority of one trust domain."""

    def __init__(self, trust_domain: str = "acme.example", at: int = NOW) -> None:
        self.trust_domain = trust_domain
        self.at = datetime.fromtimestamp(at // SECOND, UTC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain)])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.at - timedelta(days=1))
            .not_valid_after(self.at + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def write_bundle(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        (directory / f"{self.trust_domain}.pem").write_bytes(pem)
        return directory

    def issue(
        self,
        identity: str = SOURCE,
        *,
        key: object = None,
        uris: Iterable[str] | None = None,
        authority: bool = False,
    ) -> "Workload":
        workload_key = key if key is not None else ec.generate_private_key(ec.SECP256R1())
        names = [x509.UniformResourceIdentifier(uri) for uri in (uris if uris is not None else [identity])]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.certificate.subject)
            .public_key(workload_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.at - timedelta(minutes=1))
            .not_valid_after(self.at + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return Workload(identity=identity, key=workload_key, certificate=certificate, authority=self)


@dataclass
class Workload:
    """Who holds an SVID, and can prove it."""

    identity: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    authority: Authority
    asked: list[bytes] = field(default_factory=list)

    def sign(self, payload: bytes) -> BindingProof:
        return BindingProof(
            kind="x509",
            chain=(_text(self.certificate),),
            bundle=(_text(self.authority.certificate),),
            signature=base64.b64encode(self.key.sign(payload, ec.ECDSA(hashes.SHA256()))).decode(),
            algorithm="ES256",
            token=None,
        )

    async def prove(self, payload: bytes) -> BindingProof:
        self.asked.append(payload)
        await asyncio.sleep(0)
        return self.sign(payload)


class SmallDisk(RealDisk):
    """The real disk, with little room: `room` bytes for everything together, the reserve included."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: dict[int, int] = {}
        self.failure: int | None = None

    @property
    def free(self) -> int:
        for descriptor in tuple(self.taken):
            try:
                self.taken[descriptor] = os.fstat(descriptor).st_size
            except OSError:
                del self.taken[descriptor]  # closed: its blocks are free
        return self.room - sum(self.taken.values())

    def write(self, descriptor: int, data: bytes | memoryview) -> int:  # type: ignore[override]
        if self.failure is not None:
            raise OSError(self.failure, os.strerror(self.failure))
        self.taken.setdefault(descriptor, 0)
        fits = min(len(data), self.free)
        if fits <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data[:fits])

    def allocate(self, descriptor: int, size: int) -> None:
        self.taken.setdefault(descriptor, 0)
        if size - os.fstat(descriptor).st_size > self.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().allocate(descriptor, size)


def seeded_key(seed: int) -> StreamKey:
    """The same key each time, for vectors."""
    return StreamKey(Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32)))


def attempt(call: str = "4T7K-9QX2-M0DV", **more: object) -> ToolAttempt:
    known = {
        "call": call,
        "target": "refund_order",
        "method": "tools/call",
        "issuer": "https://login.acme.example",
        "subject": "00u4f2c",
        "client": "support-agent",
        "kind": "person",
        "revision": "2026-07-28",
        "scopes": ("orders:read", "orders:refund"),
        "arguments": {"order_id": {"clear": 1042}, "reason": {"drop": "string", "length": 38}},
        "rule": "manifest:refund_order",
        "policy_digest": "9c41" * 16,
        "manifest_digest": "1f07" * 16,
        "token_age": 240,
        "durable": True,
    }
    return ToolAttempt(**{**known, **more})


def outcome(call: str = "4T7K-9QX2-M0DV", **more: object) -> ToolOutcome:
    known = {
        "call": call,
        "target": "refund_order",
        "outcome": "ok",
        "milliseconds": 221,
        "result_bytes": 118,
    }
    return ToolOutcome(**{**known, **more})


def bound_stream(
    directory: Path, workload: Workload, *, clock: Callable[[], int] | None = None, **more: object
) -> AuditStream:
    """An open stream with an identity, as a server has it when it becomes ready."""
    stream = AuditStream.open(directory, source=None, clock=clock or Clock(), **more)
    stream.bind(workload.sign(stream.binding_payload()), workload.identity)
    return stream


def _text(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
