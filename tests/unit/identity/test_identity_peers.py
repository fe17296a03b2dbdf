"""Who may be at the other end: one rule after the other, and what each refuses."""

import itertools
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate

from launchworthy.identity import IdentityStatus, IdentityUnavailable, Phase
from launchworthy.identity.peer_session import PeerSession
from launchworthy.identity.peers import PeerRejected, PeerRule, parse_spiffe_id, verify_peer
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of
from launchworthy.vocabulary import Reason

NOW = 1_700_000_000.0
EDGE = "spiffe://dev.invalid/simulated/edge"
ALL = PeerRule.of(["spiffe://dev.invalid", "spiffe://partner.dev.invalid"])
READY = IdentityStatus(phase=Phase.READY, subject=EDGE, not_after=1, reason=None, detail="not trusted")


class Trust:
    """Two authorities; what is taken out is not trusted any more."""

    def __init__(self, *, intermediate=False):
        self.ours = SimulatedAuthority(clock=lambda: NOW, intermediate=intermediate)
        self.partner = SimulatedAuthority(clock=lambda: NOW, trust_domain="partner.dev.invalid")
        self.bundles = {each.trust_domain: each.roots for each in (self.ours, self.partner)}

    def bundle_for(self, domain):
        try:
            return self.bundles[domain]
        except KeyError:
            raise IdentityUnavailable(READY) from None

    def verify(self, material, rule=ALL, now=NOW):
        return verify_peer(chain_of(material), bundle_for=self.bundle_for, rule=rule, now=now)


def chain_of(material):
    return tuple(load_der_x509_certificate(each) for each in identity_of(material).chain)


@pytest.fixture(scope="module")
def trust():
    return Trust()


def rejected(function, *args, **options):
    with pytest.raises(PeerRejected) as refused:
        function(*args, **options)
    return refused.value


@pytest.mark.parametrize("name", [EDGE, "spiffe://dev.invalid"])
def test_a_workload_that_is_named_is_let_in(trust, name):
    peer = trust.verify(trust.ours.mint_x509("edge", ttl=60), PeerRule.of([name]))
    assert (peer.spiffe_id, peer.trust_domain, peer.not_after) == (EDGE, "dev.invalid", int(NOW) + 60)


def test_a_workload_of_a_federated_domain_is_let_in_by_its_own_authority(trust):
    peer = trust.verify(trust.partner.mint_x509("edge", ttl=60))
    assert peer.spiffe_id == "spiffe://partner.dev.invalid/simulated/edge"


def test_a_chain_with_an_intermediate_authority_verifies():
    trust = Trust(intermediate=True)
    material = trust.ours.mint_x509("edge", ttl=60)
    assert len(chain_of(material)) == 2
    assert trust.verify(material).spiffe_id == EDGE


def test_a_federated_authority_cannot_sign_a_name_of_ours(trust):
    forged = trust.partner.mint_x509("edge", ttl=60, spiffe_id=EDGE)
    refused = rejected(trust.verify, forged)
    assert refused.reason is Reason.PEER_UNTRUSTED
    assert refused.peer is None
    assert trust.verify(trust.ours.mint_x509("edge", ttl=60)).spiffe_id == EDGE


def test_our_own_authority_cannot_sign_a_name_of_a_partner(trust):
    forged = trust.ours.mint_x509("x", ttl=60, spiffe_id="spiffe://partner.dev.invalid/simulated/edge")
    assert rejected(trust.verify, forged).reason is Reason.PEER_UNTRUSTED


def test_an_authority_of_the_same_name_that_is_another_is_refused(trust):
    other = SimulatedAuthority(clock=lambda: NOW)
    assert rejected(trust.verify, other.mint_x509("edge", ttl=60)).reason is Reason.PEER_UNTRUSTED


def test_a_trust_domain_that_is_not_federated_is_refused(trust):
    other = SimulatedAuthority(clock=lambda: NOW, trust_domain="other.dev.invalid")
    refused = rejected(trust.verify, other.mint_x509("edge", ttl=60))
    assert (refused.reason, "`other.dev.invalid`" in refused.detail) == (Reason.PEER_UNTRUSTED, True)


@pytest.mark.parametrize(
    ("ttl", "age", "now", "good"),
    [
        (60, 0, NOW + 59, True),
        (60, 0, NOW + 60, False),
        (60, 120, NOW, False),
        (60, 0, NOW - 60, False),
    ],
)
def test_a_certificate_counts_within_its_time_only(trust, ttl, age, now, good):
    material = trust.ours.mint_x509("edge", ttl=ttl, age=age)
    if good:
        assert trust.verify(material, now=now)
    else:
        assert rejected(trust.verify, material, now=now).reason is Reason.PEER_EXPIRED


def test_a_verified_workload_that_is_not_named_is_refused_by_its_name(trust):
    refused = rejected(trust.verify, trust.ours.mint_x509("job", ttl=60), PeerRule.of([EDGE]))
    assert refused.reason is Reason.PEER_NOT_ALLOWED
    assert refused.peer == "spiffe://dev.invalid/simulated/job"


def test_a_name_is_allowed_whole_never_by_its_beginning(trust):
    longer = trust.ours.mint_x509("x", ttl=60, spiffe_id=EDGE + "/more")
    assert rejected(trust.verify, longer, PeerRule.of([EDGE])).reason is Reason.PEER_NOT_ALLOWED


def test_nothing_shown_is_refused(trust):
    refused = rejected(verify_peer, (), bundle_for=trust.bundle_for, rule=ALL, now=NOW)
    assert refused.reason is Reason.PEER_MISSING


@pytest.mark.parametrize(
    "name",
    [
        "https://dev.invalid/simulated/edge",
        "spiffe://dev.invalid",
        "spiffe://dev.invalid/",
        "spiffe://dev.invalid/a//b",
        "spiffe://dev.invalid/a/../b",
        "spiffe://dev.invalid/./b",
        "spiffe://DEV.invalid/a",
        "spiffe://dev.invalid:1/a",
        "spiffe://u@dev.invalid/a",
        "spiffe://dev.invalid/a?b",
        "spiffe://dev.invalid/a%2fb",
        "spiffe://dev.invalid/" + "a" * 2048,
    ],
)
def test_a_name_that_is_no_workloads_is_refused(trust, name):
    with pytest.raises(ValueError, match="not the SPIFFE ID"):
        parse_spiffe_id(name)
    refused = rejected(trust.verify, trust.ours.mint_x509("x", ttl=60, spiffe_id=name))
    assert refused.reason is Reason.PEER_NAME


@pytest.mark.parametrize("count", [0, 2])
def test_a_certificate_with_no_or_two_names_is_refused(trust, count):
    """Signed by hand with a key that the authority would never lend."""
    key = ec.generate_private_key(ec.SECP256R1())
    model = chain_of(trust.ours.mint_x509("edge", ttl=60))[0]
    names = [x509.UniformResourceIdentifier(EDGE), x509.UniformResourceIdentifier(EDGE + "2")][:count]
    built = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(model.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.DNSName("edge.dev.invalid")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    refused = rejected(verify_peer, (built,), bundle_for=trust.bundle_for, rule=ALL, now=NOW)
    assert (refused.reason, f"{count} URI names" in refused.detail) == (Reason.PEER_NAME, True)


@pytest.mark.parametrize(
    "names", [[], ["acme.example"], ["spiffe://"], ["spiffe://acme.example/"], ["spiffe://A.example/x"]]
)
def test_a_rule_that_names_nobody_or_nonsense_cannot_be_made(names):
    with pytest.raises(ValueError, match=r"names somebody|neither"):
        PeerRule.of(names)


def test_without_an_identity_of_our_own_nobody_is_let_in(trust):
    def expired(_domain):
        status = IdentityStatus(
            phase=Phase.EXPIRED, subject=EDGE, not_after=1, reason=Reason.IDENTITY_EXPIRED, detail="expired"
        )
        raise IdentityUnavailable(status)

    chain = chain_of(trust.ours.mint_x509("edge", ttl=60))
    refused = rejected(verify_peer, chain, bundle_for=expired, rule=ALL, now=NOW)
    assert refused.reason is Reason.IDENTITY_EXPIRED


# ------------------------------------------------------------------------------------------- one connection


class Connection:
    """A session over a trust that changes."""

    def __init__(self):
        self.trust = Trust()
        self.now = NOW
        peer = self.trust.verify(self.trust.ours.mint_x509("edge", ttl=60))
        self.asked = itertools.count()
        self.session = PeerSession(peer, bundle_for=self.bundle_for, rule=ALL, clock=lambda: self.now)

    def bundle_for(self, domain):
        next(self.asked)
        return self.trust.bundle_for(domain)


def test_a_peer_stays_until_its_certificate_ends():
    connection = Connection()
    connection.now = NOW + 59
    assert connection.session.require().spiffe_id == EDGE
    connection.now = NOW + 60
    refused = rejected(connection.session.require)
    assert (refused.reason, refused.peer) == (Reason.PEER_EXPIRED, EDGE)


def test_a_peer_is_verified_again_only_when_what_it_rests_on_is_another():
    connection = Connection()
    before = connection.session.require()
    assert connection.session.require() is before
    connection.trust.ours.add_root()
    connection.trust.bundles["dev.invalid"] = connection.trust.ours.roots
    after = connection.session.require()
    assert after is not before
    assert connection.session.require() is after


def test_a_peer_whose_authority_was_withdrawn_is_out_at_once():
    connection = Connection()
    connection.trust.ours.add_root()
    connection.trust.ours.drop_old_roots()
    connection.trust.bundles["dev.invalid"] = connection.trust.ours.roots
    assert rejected(connection.session.require).reason is Reason.PEER_UNTRUSTED


def test_a_peer_whose_federation_has_ended_is_out_at_once():
    connection = Connection()
    del connection.trust.bundles["dev.invalid"]
    assert rejected(connection.session.require).reason is Reason.PEER_UNTRUSTED


@pytest.mark.speed
def test_a_request_on_an_open_connection_costs_a_fraction_of_its_handshake():
    connection = Connection()
    material = connection.trust.ours.mint_x509("edge", ttl=60)
    chain = chain_of(material)

    def best(function, rounds=200):
        spent = []
        for _ in range(5):
            began = time.thread_time()
            for _ in range(rounds):
                function()
            spent.append((time.thread_time() - began) / rounds)
        return min(spent)

    verify = best(lambda: verify_peer(chain, bundle_for=connection.trust.bundle_for, rule=ALL, now=NOW))
    again = best(connection.session.require)
    assert again * 20 < verify, (again, verify)
