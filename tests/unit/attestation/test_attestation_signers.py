"""Who can sign at all: certificates that are X.509-SVIDs, keys of the kinds that SPIRE issues."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from promoters import DIGESTS, NOW, PROMOTER, Authority, predicate, record

from launchworthy.attestation import (
    Facts,
    Purpose,
    SpiffeId,
    TrustPolicy,
    UntrustedSignerError,
    UnverifiedRecord,
    X509SvidSigner,
    new_statement,
    parse_envelope,
    render_envelope,
    sign_statement,
    verify_record,
)
from launchworthy.attestation.signature import BadSignatureError, make_signature, verify_signature
from launchworthy.attestation.svid import key_id, parse_chain, unverified_spiffe_id
from launchworthy.vocabulary import Environment, ProblemError

KEYS: dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA-2048": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
OTHER_KEYS: dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA-1024": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505
}


def signer_of(authority: Authority, key: CertificateIssuerPrivateKeyTypes) -> X509SvidSigner:
    leaf = authority.leaf(key, PROMOTER)
    return X509SvidSigner(private_key=key, certificates=(leaf.public_bytes(Encoding.DER),))


@pytest.mark.parametrize("kind", KEYS)
def test_the_keys_that_spire_issues_sign_records(kind: str, acme: Authority, trust: TrustPolicy) -> None:
    verified = verify_record(
        record(signer_of(acme, KEYS[kind]())),
        trust=trust,
        facts=Facts(environment=Environment.PRODUCTION, digests=DIGESTS),
        purpose=Purpose.BUILT,
        now=NOW,
    )
    assert str(verified.signer) == PROMOTER


@pytest.mark.parametrize("kind", OTHER_KEYS)
def test_other_keys_sign_no_records(kind: str, acme: Authority) -> None:
    signer = signer_of(acme, OTHER_KEYS[kind]())
    with pytest.raises(BadSignatureError):
        sign_statement(new_statement(DIGESTS, predicate()), signer, stamper=None)
    with pytest.raises(BadSignatureError):
        verify_signature(OTHER_KEYS[kind]().public_key(), b"\0" * 64, b"message")


@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_is_of_one_key_over_one_message(kind: str) -> None:
    key, other = KEYS[kind](), KEYS[kind]()
    signature = make_signature(key, b"message")
    verify_signature(key.public_key(), signature, b"message")
    for public_key, wrong, message in (
        (other.public_key(), signature, b"message"),
        (key.public_key(), signature, b"messagE"),
        (key.public_key(), signature[:-1], b"message"),
        (key.public_key(), b"", b"message"),
    ):
        with pytest.raises(BadSignatureError):
            verify_signature(public_key, wrong, message)


def test_an_rsa_signature_is_the_one_that_other_dsse_readers_expect() -> None:
    """RSASSA-PSS with SHA-256 and a salt as long as the digest."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    key.public_key().verify(make_signature(key, b"message"), b"message", pss, hashes.SHA256())


def test_a_signer_needs_the_key_of_its_certificate(acme: Authority) -> None:
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    leaf = acme.leaf(key, PROMOTER).public_bytes(Encoding.DER)
    signer = X509SvidSigner(private_key=key, certificates=(leaf,))
    assert str(signer.identity) == PROMOTER
    assert (signer.not_before, signer.not_after) == (NOW - 600, NOW + 3000)
    assert repr(signer) == f"X509SvidSigner({PROMOTER})"
    with pytest.raises(ValueError, match="not the certificate's"):
        X509SvidSigner(private_key=other, certificates=(leaf,))
    with pytest.raises(ValueError, match="at most 4"):
        X509SvidSigner(private_key=key, certificates=(leaf,) * 5)


@pytest.mark.parametrize("certificates", [(), (b"",), (b"\x30\x00",)])
def test_a_signer_needs_a_certificate(certificates: tuple[bytes, ...]) -> None:
    with pytest.raises(UntrustedSignerError):
        X509SvidSigner(private_key=ec.generate_private_key(ec.SECP256R1()), certificates=certificates)


def test_the_key_id_is_in_the_envelope(release: X509SvidSigner) -> None:
    envelope = parse_envelope(record(release).envelope)
    [leaf] = parse_chain(envelope.certificates)
    assert envelope.key_id == release.key_id == key_id(leaf)


@pytest.mark.parametrize(
    ("uris", "changes"),
    [
        ((), {}),
        ((PROMOTER, PROMOTER), {}),
        ((PROMOTER, "https://acme.example"), {}),
        (("https://acme.example/ci/orders/release",), {}),
        (("spiffe://acme.example",), {}),
        (("spiffe://acme.example/",), {}),
        ((PROMOTER,), {"is_authority": True}),
        ((PROMOTER,), {"key_cert_sign": True}),
        ((PROMOTER,), {"crl_sign": True}),
        ((PROMOTER,), {"digital_signature": False}),
        ((PROMOTER,), {"usage": False}),
    ],
)
def test_a_certificate_that_is_no_svid_leaf_names_nobody(
    uris: tuple[str, ...], changes: dict[str, bool], acme: Authority
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert unverified_spiffe_id(acme.leaf(key, PROMOTER)) == SpiffeId.parse(PROMOTER)
    with pytest.raises(UntrustedSignerError):
        unverified_spiffe_id(acme.leaf(key, *uris, **changes))  # type: ignore[arg-type]


def test_a_leaf_may_leave_out_that_it_is_no_authority(acme: Authority) -> None:
    """X.509-SVID §4.1: only a certificate that says `CA` is one."""
    leaf = acme.leaf(ec.generate_private_key(ec.SECP256R1()), PROMOTER, constraints=False)
    assert str(unverified_spiffe_id(leaf)) == PROMOTER


def test_a_key_of_an_unknown_kind_is_not_trusted(release: X509SvidSigner, trust: TrustPolicy) -> None:
    """The certificate names a curve that nobody knows."""
    good = parse_envelope(record(release).envelope)
    [leaf] = good.certificates
    known = bytes.fromhex("06082a8648ce3d030107")
    assert known in leaf
    forged = replace(good, certificates=(leaf.replace(known, known[:-1] + b"\x7f"),))
    with pytest.raises(ProblemError) as caught:
        verify_record(
            UnverifiedRecord(where="r", envelope=render_envelope(forged)),
            trust=trust,
            facts=Facts(environment=Environment.PRODUCTION, digests=DIGESTS),
            purpose=Purpose.BUILT,
            now=NOW,
        )
    assert caught.value.problems[0].reason == "record-not-trusted"


def test_an_authoritys_certificate_names_nobody(acme: Authority) -> None:
    with pytest.raises(UntrustedSignerError):
        unverified_spiffe_id(acme.certificate)


def test_a_name_may_stand_beside_the_uri(acme: Authority) -> None:
    """X.509-SVID §2: exactly one URI name; other kinds of names may be there."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = acme.leaf(key, PROMOTER)
    assert [
        type(name) for name in leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ] == [x509.UniformResourceIdentifier]
    assert str(unverified_spiffe_id(leaf)) == PROMOTER


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("spiffe://acme.example/a", True),
        ("spiffe://acme-1.example_2/A/b.c/d_e-f", True),
        ("spiffe://acme.example/" + "a" * 255, True),
        ("spiffe://acme.example", False),
        ("spiffe://acme.example/", False),
        ("spiffe://acme.example/a/", False),
        ("spiffe://acme.example//a", False),
        ("spiffe://acme.example/./a", False),
        ("spiffe://acme.example/a/..", False),
        ("spiffe://ACME.example/a", False),
        ("spiffe:///a", False),
        ("SPIFFE://acme.example/a", False),
        ("spiffe://acme.example:8080/a", False),
        ("spiffe://user@acme.example/a", False),
        ("spiffe://acme.example/a?b", False),
        ("spiffe://acme.example/a#b", False),
        ("spiffe://acme.example/%61", False),
        ("spiffe://acme.example/a\n", False),
        ("spiffe://acme.example/ä", False),
        (" spiffe://acme.example/a", False),
        ("spiffe://acme.example" + "/a" * 33, False),
        ("spiffe://acme.example/" + "/".join(["a" * 200] * 10), True),
        ("spiffe://acme.example/" + "/".join(["a" * 200] * 11), False),
        ("", False),
    ],
)
def test_a_spiffe_id_has_one_grammar(text: str, *, fits: bool) -> None:
    if fits:
        assert str(SpiffeId.parse(text)) == text
    else:
        with pytest.raises(ValueError, match="not a SPIFFE ID"):
            SpiffeId.parse(text)
