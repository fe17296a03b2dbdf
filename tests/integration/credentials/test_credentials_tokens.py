"""How this workload asks issuers for tokens: each proof, each grant, and each trap of the library."""

import asyncio
import base64
import json
import sys
import time
from dataclasses import replace

import pytest
from issuing import SCOPES, UPSTREAM, Listener, house
from starlette.responses import JSONResponse, RedirectResponse, Response

from launchworthy.credentials import Revocation
from launchworthy.credentials.brokers.client_credentials import ClientCredentials
from launchworthy.credentials.brokers.identity_assertion import IdentityAssertion
from launchworthy.credentials.brokers.token_exchange import TokenExchange
from launchworthy.credentials.client_proof import ProofKind
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.token_answer import Expected
from launchworthy.credentials.token_server import TokenRequest
from launchworthy.identity import IdentityChange, IdentityUnavailable
from launchworthy.identity.phase import Phase
from launchworthy.identity.status import ChangeKind, IdentityStatus
from launchworthy.testing.issuer import Fault
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.kept_metadata import METADATA_SECONDS
from launchworthy.vocabulary import Reason, Secret

BEARER = Expected(token_type="bearer", issued_token_type=None, scopes=("refunds:create",))
REQUEST = TokenRequest(
    grant="client_credentials",
    resource=UPSTREAM,
    scopes=("refunds:create",),
    parameters={},
    secrets={},
    expected=BEARER,
)


@pytest.fixture
def place():
    with house() as found:
        yield found


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def own(place, **more):
    given = {
        "identity": place.identity,
        "assertion_is_grant": False,
        "clock": time.time,
        "new_id": lambda: "x",
    }
    return ClientCredentials(
        place.server(proven=not more.get("assertion_is_grant")), UPSTREAM, **given | more
    )


@pytest.mark.parametrize("kind", list(ProofKind))
def test_each_proof_is_taken_once_and_again(place, kind):
    async def ask():
        server = place.server(kind=kind)
        tokens = [await server.ask(REQUEST), await server.ask(REQUEST)]
        await server.aclose()
        return tokens

    one, two = asyncio.run(ask())
    assert one.secret.reveal() != two.secret.reveal()
    assert (one.scopes, one.expires_in) == (("refunds:create",), 120)
    assert place.issuer.good_for(one.secret.reveal(), UPSTREAM)


def test_a_signed_proof_is_for_the_issuer_alone_for_a_minute_and_never_the_same(place):
    async def prove():
        return [
            dict(await place.proof(ProofKind.PRIVATE_KEY_JWT).parameters(place.issuer.issuer))
            for _ in range(2)
        ]

    one, two = (claims_of(each["client_assertion"]) for each in asyncio.run(prove()))
    assert one["jti"] != two["jti"]
    assert one["exp"] - one["iat"] == 60
    assert (one["iss"], one["sub"], one["aud"]) == (
        place.identity.subject, place.identity.subject, place.issuer.issuer,
    )  # fmt: skip


def test_each_grant_gets_a_token_for_the_upstream_and_nothing_else(place):
    async def lend():
        brokers = (
            own(place),
            own(place, assertion_is_grant=True),
            TokenExchange(place.server(), UPSTREAM, clock=time.time, new_id=lambda: "x"),
            IdentityAssertion(place.server(), place.server(), UPSTREAM, clock=time.time, new_id=lambda: "x"),
        )
        found = {}
        for broker in brokers:
            found[broker.name] = await broker.issue(place.request())
            await broker.aclose()
        return found

    leases = asyncio.run(lend())
    assert set(leases) == {"client-credentials", "jwt-bearer", "token-exchange", "id-jag"}
    for name, lease in leases.items():
        claims = claims_of(lease.secret.reveal())
        assert (claims["aud"], claims["scope"]) == (UPSTREAM, "refunds:create"), name
        assert lease.not_after <= time.time() + 120
    agent = place.issuer.client.client_id
    said = {name: claims_of(lease.secret.reveal()) for name, lease in leases.items()}
    assert said["token-exchange"]["act"] == {"sub": place.identity.subject}
    assert (said["token-exchange"]["sub"], said["client-credentials"]["sub"]) == (
        agent,
        place.identity.subject,
    )
    assert leases["client-credentials"].revocation is Revocation.EXPIRY
    assert leases["token-exchange"].revocation is Revocation.SERVER


def test_an_exchanged_token_is_got_anew_for_each_call(place):
    async def lend():
        broker = TokenExchange(place.server(), UPSTREAM, clock=time.time, new_id=lambda: "x")
        return [(await broker.issue(place.request())).secret.reveal() for _ in range(2)]

    one, two = asyncio.run(lend())
    assert one != two
    assert place.issuer.counts["token"] == 2


@pytest.mark.parametrize("kind", ["token-exchange", "id-jag"])
def test_no_token_is_lost_between_its_issuer_and_the_lease_book(place, kind):
    """Whether it can be taken back is known before it is asked for; the book gives up after a time."""

    async def lend():
        known = place.server()
        there = place.server(endpoint=(await known.endpoints()).token)
        ends = {"clock": time.time, "new_id": lambda: "x"}
        broker = (
            TokenExchange(there, UPSTREAM, **ends)
            if kind == "token-exchange"
            else IdentityAssertion(known, there, UPSTREAM, **ends)
        )
        place.issuer.faults.discovery = Fault.HANG
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await broker.issue(place.request())
        first = place.issuer.counts["token"]
        place.issuer.faults.clear()
        await broker.issue(place.request())
        await broker.aclose()
        return first

    grants = 0 if kind == "token-exchange" else 1
    assert asyncio.run(lend()) == grants


def test_a_callers_token_goes_to_its_own_issuer_only(place):
    broker = TokenExchange(place.server(), UPSTREAM, clock=time.time, new_id=lambda: "x")
    with pytest.raises(BrokerError, match="goes to no other"):
        asyncio.run(broker.issue(place.request(issuer="https://other.acme.example")))
    assert place.issuer.counts["token"] == 0


def test_a_request_is_one_form_with_one_resource_and_nothing_that_was_not_meant(place, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Listener() as listener:
        listener.good()

        async def ask():
            server = place.server(endpoint=listener.url)
            for _ in range(2):
                await server.ask(REQUEST)
            assert "tok-en" not in repr(vars(server))
            await server.aclose()

        asyncio.run(ask())
        for method, headers, form in listener.seen:
            names = [name for name, _ in form]
            assert method == "POST"
            assert sorted(names) == sorted({*names}), "a parameter stands twice"
            assert dict(form)["resource"] == UPSTREAM
            assert dict(form)["scope"] == "refunds:create"
            assert not {"authorization", "cookie", "proxy-authorization"} & headers.keys()
            assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (JSONResponse({"message": "nope"}, status_code=400), "refused with 400"),
        (JSONResponse({"access_token": "t", "token_type": "Bearer"}), "without an end"),
        (
            JSONResponse({"access_token": "t", "token_type": "Bearer", "expires_in": 60}, status_code=201),
            "201",
        ),
        (RedirectResponse("/elsewhere", status_code=307), "307"),
        (Response("<html>", media_type="text/html"), "not JSON"),
        (Response(b"x" * 70_000, media_type="application/json"), "broke off"),
        (Response(b"{}", media_type="application/json", headers={"content-encoding": "gzip"}), "broke off"),
    ],
)
def test_what_the_library_would_take_for_a_token_is_refused(place, answer, why):
    with Listener() as listener:
        listener.answer = answer

        async def ask():
            server = place.server(endpoint=listener.url)
            with pytest.raises(BrokerError, match=why):
                await server.ask(REQUEST)
            await server.aclose()

        asyncio.run(ask())
        assert len(listener.seen) == 1


def test_no_scopes_is_no_request(place):
    with pytest.raises(BrokerError, match="no scopes"):
        asyncio.run(place.server().ask(replace(REQUEST, scopes=())))
    assert place.issuer.counts["token"] == 0


@pytest.mark.parametrize(
    "url",
    ["http://login.acme.example", "https://10.0.0.1", "https://user@login.acme.example", "ftp://a.example"],
)
def test_an_issuer_is_https_by_name_outside_of_the_simulated_world(place, url):
    with pytest.raises(EndpointError):
        place.server(issuer=url, simulated=False)
    with pytest.raises(EndpointError):
        place.server(issuer="https://login.acme.example", endpoint=url, simulated=False)
    assert place.server(issuer="https://login.acme.example", simulated=False)


def test_metadata_of_another_issuer_or_host_lead_nowhere(place):
    for metadata in ({"issuer": f"{place.issuer.issuer}/"}, {"token_endpoint": "https://evil.example/token"}):
        place.issuer.faults.metadata = metadata
        with pytest.raises(BrokerError, match="metadata cannot be used"):
            asyncio.run(place.server().ask(REQUEST))
    assert place.issuer.counts["token"] == 0


def test_metadata_are_read_again_after_their_time(place):
    async def ask():
        server = place.server()
        await server.ask(REQUEST)
        await server.ask(REQUEST)
        before = place.issuer.counts["discovery"]
        place.clock[0] += METADATA_SECONDS
        await server.ask(REQUEST)
        await server.aclose()
        return before, place.issuer.counts["discovery"]

    assert asyncio.run(ask()) == (1, 2)


def test_importing_the_library_leaves_the_filters_of_warnings_as_they_were():
    import subprocess

    code = (
        "import warnings; warnings.resetwarnings(); warnings.simplefilter('error');"
        "before = list(warnings.filters); import launchworthy.credentials.token_server;"
        "assert list(warnings.filters) == before, warnings.filters"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_own_token_is_asked_for_once_kept_to_half_its_life_and_per_scopes(place):
    now = [time.time()]

    async def lend():
        broker = own(place, clock=lambda: now[0])
        await asyncio.gather(*(broker.issue(place.request()) for _ in range(10)))
        counts = [place.issuer.counts["token"]]
        for scopes, later in ((("refunds:create",), 0), (SCOPES, 0), (("refunds:create",), 61)):
            now[0] += later
            await broker.issue(place.request(*scopes))
            counts.append(place.issuer.counts["token"])
        return counts

    assert asyncio.run(lend()) == [1, 1, 2, 3]


@pytest.mark.parametrize("kind", [ChangeKind.ROTATED, ChangeKind.REVOKED, ChangeKind.EXPIRED])
def test_a_changed_identity_drops_every_token(place, kind):
    async def lend():
        broker = own(place)
        await broker.issue(place.request())
        assert len(broker.tokens) == 1
        [changed] = place.identity.callbacks
        changed(IdentityChange(kind=ChangeKind.REFRESH_FAILED, detail="", serial=None, not_after=None))
        assert len(broker.tokens) == 1
        changed(IdentityChange(kind=kind, detail="", serial=None, not_after=None))
        assert len(broker.tokens) == 0
        await broker.issue(place.request())
        return place.issuer.counts["token"]

    assert asyncio.run(lend()) == 2


def test_without_an_identity_a_kept_token_is_not_lent_either(place):
    async def lend():
        broker = own(place)
        await broker.issue(place.request())
        status = IdentityStatus(
            phase=Phase.REVOKED, subject=None, not_after=None, reason=Reason.IDENTITY_REVOKED, detail="gone"
        )
        place.identity.gone = IdentityUnavailable(status)
        with pytest.raises(IdentityUnavailable):
            await broker.issue(place.request())

    asyncio.run(lend())


def test_a_token_that_lives_longer_than_asked_is_not_kept(place):
    async def lend():
        broker = own(place)
        await broker.issue(place.request(ttl=60))
        return len(broker.tokens)

    assert asyncio.run(lend()) == 0


def test_a_revocation_is_idempotent_and_an_issuer_that_fails_is_told(place):
    async def lend():
        broker = TokenExchange(place.server(), UPSTREAM, clock=time.time, new_id=lambda: "x")
        lease = await broker.issue(place.request())
        place.issuer.faults.revocation = Fault.STATUS_500
        with pytest.raises(BrokerError):
            await broker.revoke(lease)
        place.issuer.faults.revocation = Fault.NONE
        await broker.revoke(lease)
        await broker.revoke(lease)
        assert place.issuer.good_for(lease.secret.reveal(), UPSTREAM) is None
        await broker.aclose()

    asyncio.run(lend())


def test_nothing_of_a_request_shows_a_secret(place):
    request = place.request()
    shown = repr(request) + repr(replace(REQUEST, secrets={"assertion": Secret("canary")}))
    assert "canary" not in shown
    assert "eyJ" not in shown
