"""Each rule that makes an SVID ours, beside the SVID that passes it."""

import base64
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.proof import prove_x509
from launchworthy.identity.svid import (
    PresentedSvid,
    Update,
    describe_bundle_change,
    trust_domain_of,
    verify_update,
)
from launchworthy.testing.authority import SimulatedAuthority

OURS = "spiffe://dev.invalid/simulated/orders"


def presented(material):
    return PresentedSvid(
        unverified_id=material.spiffe_id,
        chain=tuple(_split(material.chain_der)),
        private_key=load_der_private_key(material.key_der, None),
    )


def _split(der):
    while der:
        length = 4 + int.from_bytes(der[2:4], "big")
        yield x509.load_der_x509_certificate(der[:length])
        der = der[length:]


def update(authority, *materials, bundles=None):
    return Update(
        svids=tuple(presented(material) for material in materials),
        bundles=bundles if bundles is not None else {authority.trust_domain: authority.roots},
    )


def refused(presented_update, now, expected_id=OURS):
    with pytest.raises(SourceError) as caught:
        verify_update(presented_update, expected_id=expected_id, now=now)
    return caught.value.failure


@pytest.mark.parametrize("intermediate", [False, True])
def test_a_good_svid_is_ours(now, intermediate):
    authority = SimulatedAuthority(clock=lambda: now, intermediate=intermediate)
    material = authority.mint_x509("orders", ttl=3600)
    identity = verify_update(update(authority, material), expected_id=OURS, now=now)
    assert identity.spiffe_id == OURS
    assert b"".join(identity.chain) == material.chain_der
    assert identity.bundle == (material.bundle_der,)
    assert identity.not_after == now + 3600 == material.not_after
    assert "private_key" not in repr(identity)


def test_ours_is_found_among_several(authority, now):
    others = [authority.mint_x509(name, ttl=60) for name in ("audit", "orders", "payments")]
    assert verify_update(update(authority, *others), expected_id=OURS, now=now).spiffe_id == OURS


def test_another_identity_is_not_ours(authority, now):
    failure = refused(update(authority, authority.mint_x509("payments", ttl=60)), now)
    assert failure.cause is Cause.OTHER_IDENTITY
    assert failure.detail == (
        "the agent gives `spiffe://dev.invalid/simulated/payments`,"
        " and `spiffe://dev.invalid/simulated/orders` is expected"
    )


def test_of_several_without_ours_each_is_named(authority, now):
    several = update(authority, *(authority.mint_x509(name, ttl=60) for name in ("audit", "payments")))
    failure = refused(several, now)
    assert failure.cause is Cause.OTHER_IDENTITY
    for name in ("audit", "payments", "orders"):
        assert f"`spiffe://dev.invalid/simulated/{name}`" in failure.detail


def test_of_two_by_our_name_the_first_counts_and_the_second_is_no_way_around_a_rule(authority, now):
    good, late = authority.mint_x509("orders", ttl=60), authority.mint_x509("orders", ttl=-1)
    taken = verify_update(update(authority, good, late), expected_id=OURS, now=now)
    assert taken.chain[0] == good.chain_der
    assert refused(update(authority, late, good), now).cause is Cause.EXPIRED


@pytest.mark.parametrize("name", ["orders/admin", "Orders", "order", "orders2"])
def test_an_identity_that_looks_alike_is_not_ours(authority, now, name):
    assert refused(update(authority, authority.mint_x509(name, ttl=60)), now).cause is Cause.OTHER_IDENTITY


def test_another_trust_domain_is_named(now):
    partner = SimulatedAuthority(clock=lambda: now, trust_domain="partner.dev.invalid")
    failure = refused(update(partner, partner.mint_x509("orders", ttl=60)), now)
    assert failure.cause is Cause.OTHER_TRUST_DOMAIN
    assert "the trust domain `dev.invalid` is expected" in failure.detail


def test_an_answer_without_an_svid_is_no_withdrawal(authority, now):
    assert refused(update(authority), now).cause is Cause.UNREADABLE


def test_the_key_must_belong_to_the_certificate(authority, now):
    mine, other = (authority.mint_x509("orders", ttl=60) for _ in range(2))
    assert refused(update(authority, replace(mine, key_der=other.key_der)), now).cause is Cause.KEY_MISMATCH


def test_the_certificate_must_bear_the_name_that_was_read(authority, now):
    lying = replace(authority.mint_x509("payments", ttl=60), spiffe_id=OURS)
    assert refused(update(authority, lying), now).cause is Cause.UNREADABLE


def test_a_certificate_without_a_name_is_refused(authority, now):
    svid = presented(authority.mint_x509("orders", ttl=60))
    nameless = (
        x509.CertificateBuilder(svid.chain[0].issuer, svid.chain[0].subject, svid.chain[0].public_key())
        .serial_number(1)
        .not_valid_before(svid.chain[0].not_valid_before_utc)
        .not_valid_after(svid.chain[0].not_valid_after_utc)
        .sign(svid.private_key, SHA256())
    )
    bare = Update(svids=(replace(svid, chain=(nameless,)),), bundles={"dev.invalid": authority.roots})
    assert refused(bare, now).detail == "the certificate names nobody"


def test_a_key_that_cannot_sign_here_is_refused(authority, now):
    svid = replace(
        presented(authority.mint_x509("orders", ttl=60)), private_key=ed25519.Ed25519PrivateKey.generate()
    )
    bundles = {"dev.invalid": authority.roots}
    assert refused(Update(svids=(svid,), bundles=bundles), now).cause is Cause.UNREADABLE


@pytest.mark.parametrize(("at", "cause"), [(60, Cause.EXPIRED), (3600, Cause.EXPIRED), (-11, Cause.NOT_YET)])
def test_an_svid_out_of_its_time_is_refused(authority, now, at, cause):
    assert refused(update(authority, authority.mint_x509("orders", ttl=60)), now + at).cause is cause


@pytest.mark.parametrize("at", [-10, 0, 59.9])
def test_an_svid_in_its_time_is_taken(authority, now, at):
    good = update(authority, authority.mint_x509("orders", ttl=60))
    assert verify_update(good, expected_id=OURS, now=now + at).spiffe_id == OURS


def test_a_chain_to_somebody_elses_root_is_refused(authority, now):
    forger = SimulatedAuthority(clock=lambda: now)
    forged = forger.mint_x509("orders", ttl=60)
    assert refused(update(authority, forged), now).cause is Cause.UNTRUSTED_CHAIN


def test_a_federated_authority_cannot_sign_our_names(authority, now):
    partner = SimulatedAuthority(clock=lambda: now, trust_domain="partner.dev.invalid")
    forged = partner.mint_x509("orders", ttl=60, spiffe_id=OURS)
    bundles = {"dev.invalid": authority.roots, "partner.dev.invalid": partner.roots}
    assert refused(update(authority, forged, bundles=bundles), now).cause is Cause.UNTRUSTED_CHAIN
    honest = authority.mint_x509("orders", ttl=60)
    verify_update(update(authority, honest, bundles=bundles), expected_id=OURS, now=now)


def test_an_svid_without_its_own_bundle_is_refused(authority, now):
    alone = update(authority, authority.mint_x509("orders", ttl=60), bundles={})
    assert refused(alone, now).cause is Cause.NO_BUNDLE


def test_a_root_that_was_dropped_signs_nothing_any_more(now):
    authority = SimulatedAuthority(clock=lambda: now)
    old = authority.mint_x509("orders", ttl=60)
    authority.add_root()
    verify_update(update(authority, old), expected_id=OURS, now=now)
    authority.drop_old_roots()
    assert refused(update(authority, old), now).cause is Cause.UNTRUSTED_CHAIN


@pytest.mark.parametrize(
    "text", ["spiffe://acme.example", "spiffe://acme.example/", "spiffe:///ns", "https://acme.example/a", ""]
)
def test_what_is_no_name_of_a_workload_is_refused(text):
    with pytest.raises(ValueError, match="no SPIFFE ID of a workload"):
        trust_domain_of(text)


def test_a_workloads_name_has_a_trust_domain():
    assert trust_domain_of("spiffe://acme.example/ns/orders") == "acme.example"


def test_a_change_of_trust_is_told_in_words(authority, now):
    partner = SimulatedAuthority(clock=lambda: now, trust_domain="partner.dev.invalid")
    alone, both = {"dev.invalid": authority.roots}, {"dev.invalid": authority.roots, "p": partner.roots}
    assert describe_bundle_change(alone, alone) == ""
    assert describe_bundle_change(alone, both) == "`p` is trusted now"
    assert describe_bundle_change(both, alone) == "`p` is not trusted any more"
    renewed = {"dev.invalid": partner.roots}
    assert describe_bundle_change(alone, renewed) == "`dev.invalid` has 1 new and 1 withdrawn authorities"


@pytest.mark.parametrize(
    ("make", "algorithm", "length"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "ES256", 64),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "ES384", 96),
        (lambda: rsa.generate_private_key(65537, 2048), "RS256", 256),
    ],
)
def test_each_kind_of_key_signs_with_its_own_algorithm(authority, now, make, algorithm, length):
    good = update(authority, authority.mint_x509("orders", ttl=60))
    identity = replace(verify_update(good, expected_id=OURS, now=now), private_key=make())
    proof = prove_x509(identity, b"payload")
    assert (proof.algorithm, len(base64.b64decode(proof.signature))) == (algorithm, length)


def test_a_curve_without_an_algorithm_does_not_sign(authority, now):
    identity = verify_update(
        update(authority, authority.mint_x509("orders", ttl=60)), expected_id=OURS, now=now
    )
    with pytest.raises(SourceError, match="secp521r1"):
        prove_x509(replace(identity, private_key=ec.generate_private_key(ec.SECP521R1())), b"payload")


def test_a_simulated_authority_vouches_for_simulated_names_only(now):
    for name in ("acme.example", "dev.invalid.example", "xdev.invalid", ""):
        with pytest.raises(ValueError, match="names below it only"):
            SimulatedAuthority(clock=lambda: now, trust_domain=name)


def test_a_simulated_certificate_says_so(authority):
    for certificate in (*authority.roots, *presented(authority.mint_x509("orders", ttl=60)).chain):
        assert "SIMULATED, trust nothing" in certificate.subject.rfc4514_string().replace("\\,", ",")
