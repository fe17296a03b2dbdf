"""A certificate authority, promoters and records to be forged; time is a number, nothing touches a file."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.attestation import (
    Counts,
    Facts,
    Predicate,
    Stamper,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    X509SvidSigner,
    new_statement,
    parse_trust_policy,
    sign_statement,
)
from launchworthy.vocabulary import Environment

NOW = 1_795_183_371
"""2026-11-20, 14:02:51 UTC."""
DAY = 86_400
DOMAIN = "acme.example"
PROMOTER = f"spiffe://{DOMAIN}/ci/orders/release"
RECORD_ID = "lwr1-" + "0" * 31 + "1"
DIGESTS = {
    subject: f"{number:0{40 if subject.algorithm.startswith('git') else 64}x}"
    for number, subject in enumerate(Subject, start=0xA0)
}
_NAME = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test")])
_USAGE = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


def _builder(key: ec.EllipticCurvePublicKey, *, not_before: int, not_after: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(not_before, UTC))
        .not_valid_after(datetime.fromtimestamp(not_after, UTC))
    )


@dataclass
class Authority:
    """The certificate authority of one trust domain, as SPIRE makes them."""

    domain: str = DOMAIN
    not_before: int = NOW - 10 * DAY
    not_after: int = NOW + 10 * DAY
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.certificate = self.authority_certificate(self.key)

    def authority_certificate(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return (
            _builder(key.public_key(), not_before=self.not_before, not_after=self.not_after)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **_USAGE),
                critical=True,
            )
            .add_extension(identifier, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def leaf(
        self,
        key: CertificateIssuerPrivateKeyTypes,
        *uris: str,
        not_before: int = NOW - 600,
        not_after: int = NOW + 3000,
        is_authority: bool = False,
        digital_signature: bool = True,
        key_cert_sign: bool = False,
        crl_sign: bool = False,
        usage: bool = True,
        constraints: bool = True,
    ) -> x509.Certificate:
        builder = (
            _builder(key.public_key(), not_before=not_before, not_after=not_after)  # type: ignore[arg-type]
            .add_extension(
                x509.ExtendedKeyUsage(
                    [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(uri) for uri in uris] or [x509.DNSName("acme.example")]
                ),
                critical=False,
            )
        )
        if constraints:
            builder = builder.add_extension(
                x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
            )
        if usage:
            bits = x509.KeyUsage(
                digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign, **_USAGE
            )
            builder = builder.add_extension(bits, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def signer(self, spiffe_id: str = PROMOTER, **times: int) -> X509SvidSigner:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.leaf(key, spiffe_id, **times)
        return X509SvidSigner(private_key=key, certificates=(certificate.public_bytes(Encoding.DER),))


def predicate(**changes: object) -> Predicate:
    """A predicate that counts, but for what is changed."""
    members: dict[str, object] = {
        "record_id": RECORD_ID,
        "environment": Environment.PRODUCTION,
        "report_sha256": "e" * 64,
        "counts": Counts(passed=41, waived=0, not_applicable=2, requests=212),
        "waivers": (),
        "catalogue": "0.1",
        "framework": "0.1.0",
        "trust_policy_sha256": "f" * 64,
        "signed_at": NOW,
        "build_until": NOW + 30 * DAY,
        "run_until": NOW + 90 * DAY,
        "previous": None,
        **changes,
    }
    return Predicate.model_validate(members)


def record(
    signer: X509SvidSigner,
    *,
    digests: dict[Subject, str] = DIGESTS,
    stamper: Stamper | None = None,
    **changes: object,
) -> UnverifiedRecord:
    """A record by this signer that counts, but for what is changed."""
    statement = new_statement(digests, predicate(**changes))
    envelope = sign_statement(statement, signer, stamper=stamper)
    return UnverifiedRecord(where="record.dsse.json", envelope=envelope)


TRUST = f"""
[production]
promoters = ["{PROMOTER}"]
approvers = "released-job"
stamp     = "none"
catalogue = "0.1"
framework = "0.1"
[staging]
promoters = ["spiffe://{DOMAIN}/ci/orders/staging"]
stamp     = "none"
catalogue = "0.1"
[rehearsal]
promoters = ["spiffe://dev.invalid/promoter"]
stamp     = "none"
catalogue = "0.1"
[roots]
"{DOMAIN}"    = ["acme.pem"]
"dev.invalid" = ["dev.pem"]
"""


def trust_policy(root: Authority, *, simulated: Authority, more: str = "", toml: str = TRUST) -> TrustPolicy:
    """The platform's policy, with one more piece of TOML at its end."""
    pem = {"acme.pem": root.pem, "dev.pem": simulated.pem}
    return parse_trust_policy((toml + more).encode(), pem, where="trust.toml")


def facts(
    environment: Environment = Environment.PRODUCTION, digests: dict[Subject, str] = DIGESTS, **changes: str
) -> Facts:
    """What is here: everything that the record names, but for what is changed (`uv_lock="…"`)."""
    return Facts(
        environment=environment,
        digests={**digests, **{Subject[name.upper()]: digest for name, digest in changes.items()}},
    )
