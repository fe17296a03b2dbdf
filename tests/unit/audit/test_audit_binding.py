"""The binding: only the workload's own key, for this stream and source, on roots that were brought."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from audit_world import NOW, SECOND, SOURCE, Authority
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.audit.binding import (
    BindingError,
    BindingUntrusted,
    binding_payload,
    check_binding,
    trust_domain_of,
    verify_binding,
)

AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()
PAYLOAD = binding_payload("ab" * 16, "key", 3, "root")
PROOF = WORKLOAD.sign(PAYLOAD)
AT = datetime.fromtimestamp(NOW // SECOND, UTC)
ROOTS = (AUTHORITY.certificate,)


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_the_payload_is_five_lines():
    assert PAYLOAD == b"launchworthy-audit-key/1\nabababababababababababababababab\nkey\n3\nroot\n"


def test_the_workloads_own_proof_is_believed_on_its_authoritys_word():
    check_binding(PROOF, PAYLOAD, SOURCE)
    verify_binding(PROOF, PAYLOAD, source=SOURCE, at=AT, roots=ROOTS)


@pytest.mark.parametrize(
    "payload",
    [
        binding_payload("cd" * 16, "key", 3, "root"),
        binding_payload("ab" * 16, "other", 3, "root"),
        binding_payload("ab" * 16, "key", 4, "root"),
        binding_payload("ab" * 16, "key", 3, "toor"),
    ],
)
def test_a_proof_for_another_stream_key_size_or_root_is_refused(payload):
    with pytest.raises(BindingError, match="has not signed"):
        check_binding(PROOF, payload, SOURCE)


def test_a_proof_of_another_workload_is_refused():
    other = AUTHORITY.issue("spiffe://acme.example/ns/orders/sa/other")
    with pytest.raises(BindingError, match="another identity"):
        check_binding(other.sign(PAYLOAD), PAYLOAD, SOURCE)


def test_a_certificate_with_two_names_or_none_is_refused():
    for uris in ((SOURCE, "spiffe://acme.example/admin"), ()):
        with pytest.raises(BindingError, match="exactly one URI"):
            check_binding(AUTHORITY.issue(uris=uris).sign(PAYLOAD), PAYLOAD, SOURCE)


def test_an_authority_is_no_workload():
    proof = replace(PROOF, chain=PROOF.bundle)
    with pytest.raises(BindingError, match="authority"):
        check_binding(proof, PAYLOAD, SOURCE)
    with pytest.raises(BindingError, match="authority"):
        check_binding(AUTHORITY.issue(authority=True).sign(PAYLOAD), PAYLOAD, SOURCE)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": text(b"nonsense")},
        {"signature": "not base64"},
        {"signature": ""},
        {"algorithm": "RS256"},
        {"algorithm": "ES384"},
        {"algorithm": "none"},
        {"chain": ()},
        {"chain": ("AAAA",)},
        {"chain": ("not base64",)},
        {"chain": PROOF.chain * 9},
        {"kind": "token"},
    ],
    ids=lambda change: ", ".join(sorted(change)),
)
def test_half_a_proof_is_refused(change):
    with pytest.raises(BindingError):
        check_binding(replace(PROOF, **change), PAYLOAD, SOURCE)


def test_without_roots_nothing_is_decided():
    with pytest.raises(BindingUntrusted, match="no roots"):
        verify_binding(PROOF, PAYLOAD, source=SOURCE, at=AT, roots=())


def test_the_bundle_in_the_proof_is_not_believed():
    stranger = Authority()
    proof = stranger.issue().sign(PAYLOAD)
    with pytest.raises(BindingUntrusted, match="none of the roots"):
        verify_binding(proof, PAYLOAD, source=SOURCE, at=AT, roots=ROOTS)


@pytest.mark.parametrize("late", [timedelta(hours=-1), timedelta(hours=2)])
def test_a_certificate_counts_only_at_the_time_of_the_record(late):
    with pytest.raises(BindingUntrusted):
        verify_binding(PROOF, PAYLOAD, source=SOURCE, at=AT + late, roots=ROOTS)


def test_a_token_is_recorded_but_decides_nothing():
    proof = replace(PROOF, kind="token", chain=(), signature="", algorithm="none", token="ab" * 32)
    check_binding(proof, PAYLOAD, SOURCE)
    with pytest.raises(BindingUntrusted, match="token"):
        verify_binding(proof, PAYLOAD, source=SOURCE, at=AT, roots=ROOTS)


def test_two_integers_are_as_good_a_signature_as_der():
    r, s = decode_dss_signature(base64.b64decode(PROOF.signature))
    proof = replace(PROOF, signature=text(r.to_bytes(32) + s.to_bytes(32)))
    check_binding(proof, PAYLOAD, SOURCE)
    with pytest.raises(BindingError):
        check_binding(replace(PROOF, signature=text(s.to_bytes(32) + r.to_bytes(32))), PAYLOAD, SOURCE)


def signed(key, signature, algorithm):
    certificate = AUTHORITY.issue(key=key).certificate.public_bytes(Encoding.DER)
    return replace(PROOF, chain=(text(certificate),), signature=text(signature), algorithm=algorithm)


RSA_KEY = rsa.generate_private_key(65537, 2048)
P384_KEY = ec.generate_private_key(ec.SECP384R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


@pytest.mark.parametrize(
    ("key", "signature", "algorithm"),
    [
        (RSA_KEY, RSA_KEY.sign(PAYLOAD, padding.PKCS1v15(), hashes.SHA256()), "RS256"),
        (RSA_KEY, RSA_KEY.sign(PAYLOAD, PSS, hashes.SHA256()), "PS256"),
        (P384_KEY, P384_KEY.sign(PAYLOAD, ec.ECDSA(hashes.SHA384())), "ES384"),
        (ED_KEY, ED_KEY.sign(PAYLOAD), "Ed25519"),
    ],
    ids=["RS256", "PS256", "ES384", "Ed25519"],
)
def test_every_algorithm_signs_as_itself_and_as_no_other(key, signature, algorithm):
    proof = signed(key, signature, algorithm)
    check_binding(proof, PAYLOAD, SOURCE)
    for other in {"ES256", "ES384", "RS256", "PS256", "Ed25519"} - {algorithm}:
        with pytest.raises(BindingError):
            check_binding(replace(proof, algorithm=other), PAYLOAD, SOURCE)


@pytest.mark.parametrize(
    ("source", "domain"),
    [
        (SOURCE, "acme.example"),
        ("spiffe://acme.example", "acme.example"),
        ("https://acme.example/x", ""),
        ("urn:launchworthy:stream:ab", ""),
    ],
)
def test_the_trust_domain_is_that_of_a_spiffe_id(source, domain):
    assert trust_domain_of(source) == domain
