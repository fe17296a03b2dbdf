"""Who vouches for identities in the simulated world? A SPIFFE certificate authority that says what it is.

Everything that it issues names the trust domain `dev.invalid` (or one below it, for federation), and its
certificates bear a subject that says so. Staging and production refuse that domain by name.

The forms are SPIRE's: leaf with one URI SAN, CA:false, digitalSignature, both extended usages, not-before ten
seconds ago; JWT-SVIDs with `kid`, an `aud` that is a list, no `iss` and no `jti` unless asked for.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN

BACKDATED_SECONDS = 10
ROOT_SECONDS = 7 * 86400
_ORGANISATION = "SIMULATED, trust nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SvidMaterial:
    """An X.509-SVID as the Workload API sends it.

    Attributes:
        spiffe_id: its name.
        chain_der: certificates one after the other, leaf first, without the root.
        key_der: PKCS #8, not encrypted; never shown.
        bundle_der: the authorities of its trust domain, one after the other.
        not_after: seconds since the epoch.
    """

    spiffe_id: str
    chain_der: bytes
    key_der: bytes = field(repr=False)
    bundle_der: bytes
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


class SimulatedAuthority:
    """The authority of one simulated trust domain, with its X.509 roots and its JWT keys."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        trust_domain: str = SIMULATED_TRUST_DOMAIN,
        intermediate: bool = False,
    ) -> None:
        """Make an authority with one root and one JWT key.

        Args:
            clock: seconds since the epoch.
            trust_domain: `dev.invalid`, or a name below it.
            intermediate: sign through an intermediate authority, as big installations do.

        Raises:
            ValueError: the trust domain is not a simulated one.
        """
        if trust_domain != SIMULATED_TRUST_DOMAIN and not trust_domain.endswith(f".{SIMULATED_TRUST_DOMAIN}"):
            raise ValueError(
                f"a simulated authority vouches for `{SIMULATED_TRUST_DOMAIN}` and names below it only"
            )
        self.trust_domain = trust_domain
        self._clock = clock
        self._roots: list[_Root] = []
        self._jwt_keys: list[ECKey] = []
        self.add_root()
        self.add_jwt_key()
        self._intermediate = self._sign_authority("intermediate", self._roots[0]) if intermediate else None

    def spiffe_id(self, name: str) -> str:
        """`spiffe://dev.invalid/simulated/orders` for `orders`."""
        return f"spiffe://{self.trust_domain}/simulated/{name}"

    def add_root(self) -> None:
        """Begin to sign with a new root; the old ones stay in the bundle."""
        self._roots.insert(0, self._sign_authority("root", None))
        self._intermediate = None

    def drop_old_roots(self) -> None:
        """Take all roots but the newest out of the bundle."""
        del self._roots[1:]

    def add_jwt_key(self) -> None:
        """Begin to sign tokens with a new key; the old ones stay in the key set."""
        self._jwt_keys.insert(0, ECKey.generate_key("P-256", {"kid": secrets.token_hex(8)}, private=True))

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The bundle."""
        return tuple(root.certificate for root in self._roots)

    def bundle_der(self) -> bytes:
        """The bundle as the Workload API sends it."""
        return b"".join(root.public_bytes(serialization.Encoding.DER) for root in self.roots)

    def bundle_pem(self) -> bytes:
        """The bundle as trust policies pin it."""
        return b"".join(root.public_bytes(serialization.Encoding.PEM) for root in self.roots)

    def jwks(self) -> dict[str, Any]:
        """The keys of its tokens, as the Workload API sends them: no `use`, no `alg`."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self._jwt_keys]}

    def mint_x509(
        self,
        name: str,
        *,
        ttl: float,
        age: float = 0,
        spiffe_id: str | None = None,
        dns: tuple[str, ...] = (),
    ) -> SvidMaterial:
        """Issue an X.509-SVID with a key of its own.

        Args:
            name: of the workload.
            ttl: seconds that it lives, counted from its issue.
            age: seconds since its issue; more than `ttl` makes an expired one.
            spiffe_id: another name than the authority would give, also of a trust domain that is not its own.
            dns: DNS names; the first becomes the common name, as in SPIRE.
        """
        spiffe_id = spiffe_id if spiffe_id is not None else self.spiffe_id(name)
        issued = self._clock() - age
        key = ec.generate_private_key(ec.SECP256R1())
        signer = self._intermediate or self._roots[0]
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(spiffe_id)]
        names += [x509.DNSName(each) for each in dns]
        builder = (
            _builder(_subject("workload", *dns[:1]), signer.certificate.subject, key.public_key())
            .not_valid_before(_utc(issued - BACKDATED_SECONDS))
            .not_valid_after(_utc(issued + ttl))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(_authority_key(signer), critical=False)
        )
        chain = [builder.sign(signer.key, hashes.SHA256())]
        if self._intermediate is not None:
            chain.append(self._intermediate.certificate)
        return SvidMaterial(
            spiffe_id=spiffe_id,
            chain_der=b"".join(each.public_bytes(serialization.Encoding.DER) for each in chain),
            key_der=key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            bundle_der=self.bundle_der(),
            not_after=int(issued + ttl),
        )

    def mint_jwt(
        self, subject: str, audience: tuple[str, ...], *, ttl: float, age: float = 0, **claims: Any
    ) -> str:
        """Issue a token: a JWT-SVID, or with `iss` and so on the projected token of a platform.

        Args:
            subject: `sub`.
            audience: `aud`, always a list.
            ttl: seconds that it lives, counted from its issue.
            age: seconds since its issue.
            claims: further claims, or others instead of these.
        """
        issued = int(self._clock() - age)
        key = self._jwt_keys[0]
        payload: Mapping[str, Any] = {
            "sub": subject,
            "aud": list(audience),
            "iat": issued,
            "exp": int(issued + ttl),
            **claims,
        }
        return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, dict(payload), key)

    def _sign_authority(self, kind: str, signer: _Root | None) -> _Root:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(f"{kind} of {self.trust_domain}")
        now = self._clock()
        builder = (
            _builder(subject, signer.certificate.subject if signer is not None else subject, key.public_key())
            .not_valid_before(_utc(now - ROOT_SECONDS))
            .not_valid_after(_utc(now + ROOT_SECONDS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(f"spiffe://{self.trust_domain}")]
                ),
                critical=False,
            )
        )
        if signer is not None:
            builder = builder.add_extension(_authority_key(signer), critical=False)
        signing_key = signer.key if signer is not None else key
        return _Root(certificate=builder.sign(signing_key, hashes.SHA256()), key=key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(unit: str, *common_names: str) -> x509.Name:
    attributes = [(NameOID.ORGANIZATION_NAME, _ORGANISATION), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit)]
    attributes += [(NameOID.COMMON_NAME, name) for name in common_names]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _authority_key(signer: _Root) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
