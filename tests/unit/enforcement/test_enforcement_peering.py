"""Whose word about its own peer counts, and what such a word may look like."""

import pytest
from cryptography.x509 import load_der_x509_certificate

from launchworthy.enforcement.peering import FORWARDED, STATE, forwarded_by, peering_of
from launchworthy.identity.peer_session import PeerSession
from launchworthy.identity.peers import PeerRule, verify_peer
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of
from launchworthy.vocabulary import Reason, Refused

NOW = 1_700_000_000.0
EDGE = "spiffe://dev.invalid/simulated/edge"
AGENT = "spiffe://dev.invalid/agents/support"
GOOD = f'By={EDGE};Hash=ab12;Subject="CN=agent,O=A, \\"B\\"; C";URI={AGENT};DNS=agent.dev.invalid'.encode()


@pytest.fixture(scope="module")
def connection():
    """A connection of the workload `edge`, and a clock to move."""
    authority = SimulatedAuthority(clock=lambda: NOW)
    now = [NOW]
    rule = PeerRule.of(["spiffe://dev.invalid"])
    chain = [
        load_der_x509_certificate(each) for each in identity_of(authority.mint_x509("edge", ttl=60)).chain
    ]
    roots = authority.roots
    peer = verify_peer(chain, bundle_for=lambda _: roots, rule=rule, now=NOW)
    return PeerSession(peer, bundle_for=lambda _: roots, rule=rule, clock=lambda: now[0]), now


def asked(session, *headers, proxies=frozenset()):
    return peering_of({"state": {STATE: session}}, headers, proxies)


def refused(function, *args, **options):
    with pytest.raises(Refused) as error:
        function(*args, **options)
    return error.value.reason


def test_the_peer_is_who_the_handshake_says_and_headers_say_nothing(connection):
    found = asked(connection[0], (FORWARDED, GOOD), (b"x-forwarded-user", b"root"))
    assert (found.peer, found.forwarded) == (EDGE, None)


def test_only_a_proxy_that_is_named_may_speak_for_somebody(connection):
    other = asked(connection[0], (FORWARDED, GOOD), proxies=frozenset({EDGE + "2"}))
    assert other.forwarded is None
    named = asked(connection[0], (FORWARDED, GOOD), proxies=frozenset({EDGE}))
    assert (named.peer, named.forwarded) == (EDGE, AGENT)


def test_what_strangers_write_is_not_even_read(connection):
    assert asked(connection[0], (FORWARDED, b"\xff\xff"), (FORWARDED, b";;")).forwarded is None


@pytest.mark.parametrize("scope", [{}, {"state": {}}, {"state": {STATE: EDGE}}, {"state": {STATE: None}}])
def test_a_connection_without_a_verified_peer_is_refused(scope):
    assert refused(peering_of, scope, (), frozenset()) is Reason.PEER_MISSING


def test_a_peer_that_has_expired_meanwhile_is_refused(connection):
    session, now = connection
    open_stream = asked(session)
    now[0] = NOW + 61
    try:
        assert refused(asked, session) is Reason.PEER_EXPIRED
        assert refused(open_stream.require) is Reason.PEER_EXPIRED
    finally:
        now[0] = NOW
    assert asked(session).peer == EDGE


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (GOOD, AGENT),
        (f"URI={AGENT}".encode(), AGENT),
        (f'uri="{AGENT}"'.encode(), AGENT),
        (b"Hash=ab12;DNS=a.dev.invalid", None),
    ],
)
def test_one_element_with_one_uri_is_read(value, found):
    assert forwarded_by([(b"host", b"x"), (FORWARDED, value)]) == found


def test_no_header_is_nobody():
    assert forwarded_by([(b"host", b"x")]) is None


@pytest.mark.parametrize(
    "values",
    [
        (GOOD, GOOD),
        (GOOD + b"," + GOOD,),
        (f"URI={AGENT};URI={EDGE}".encode(),),
        (b"URI=https://dev.invalid/x",),
        (b"URI=spiffe://dev.invalid",),
        (b"URI=",),
        (b"",),
        (b"nonsense",),
        (b'Subject="CN=x;URI=' + AGENT.encode(),),
        (GOOD + b";",),
        (b"Hash=" + b"a" * 20_000,),
        (f"By=x;URI={AGENT} ".encode(),),
    ],
)
def test_what_a_trusted_proxy_says_twice_or_badly_is_refused(values):
    assert refused(forwarded_by, [(FORWARDED, value) for value in values]) is Reason.PEER_FORWARDED
