"""What the SDK sees of a request: no header, no token but its digest, no way back."""

import asyncio

import pytest
from mcp.shared.exceptions import NoBackChannelError

from launchworthy.enforcement.records import Trace
from launchworthy.enforcement.reply import Reply
from launchworthy.enforcement.request import Head, Message, Place, Revision, RoutingHeaders, Settled
from launchworthy.enforcement.sdk_context import (
    NO_WAY_BACK,
    DigestUser,
    RequestContext,
    without_trace_context,
)
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.vocabulary import BearerToken, CallId, Principal, PrincipalKind

TOKEN = BearerToken("secret.token.value")
PRINCIPAL = Principal(
    issuer="https://login.acme.example",
    subject="s",
    client="c",
    kind=PrincipalKind.MACHINE,
    scopes=frozenset({"b", "a"}),
    actors=(),
    token_id="j",
    issued_at=1,
    expires_at=99,
)


def request(params=None, sent=None) -> VerifiedRequest:
    async def send(message) -> None:
        (sent if sent is not None else []).append(message)

    async def receive():
        return {"type": "http.disconnect"}

    call = CallId("4T7K-9QX2-M0DV")
    routing = RoutingHeaders(version=None, method=None, name=None, params=(), repeated=None)
    return VerifiedRequest(
        settled=Settled(
            revision=Revision.MODERN,
            message=Message(id=7, method="tools/call", params=params or {}),
            client_info=None,
            capabilities=None,
        ),
        head=Head(place=Place.CALLS, authorization=(b"Bearer secret.token.value",), routing=routing),
        principal=PRINCIPAL,
        token=TOKEN.digest,
        callers_token=None,
        resource="https://orders.acme.example/mcp",
        receive=receive,
        reply=Reply(send, call),
        trace=Trace(call, clock=lambda: 0.0, source=None),
        now=5,
    )


def test_the_clients_trace_context_goes_no_further_and_the_rest_of_meta_does():
    meta = {"traceparent": "00-x", "tracestate": "a=b", "baggage": "u=1", "progressToken": 1}
    params = {"name": "add", "_meta": meta}
    assert without_trace_context(params) == {"name": "add", "_meta": {"progressToken": 1}}
    assert params["_meta"] is meta
    assert len(meta) == 4
    for untouched in ({"name": "add"}, {"_meta": {"progressToken": 1}}, {"_meta": "traceparent"}):
        assert without_trace_context(untouched) is untouched


def test_there_is_no_request_and_no_header_to_look_at():
    context = RequestContext(request())
    assert context.message_metadata is None
    assert context.transport.headers is None
    assert context.request_id == 7
    assert context.can_send_request is context.transport.can_send_request is False


def test_nothing_can_be_asked_of_the_client():
    async def ask() -> None:
        for channel in (RequestContext(request()), NO_WAY_BACK):
            with pytest.raises(NoBackChannelError):
                await channel.send_raw_request("sampling/createMessage", {})
        await NO_WAY_BACK.notify("notifications/message", {})
        assert not RequestContext(request()).cancel_requested.is_set()

    asyncio.run(ask())


def test_the_access_token_is_a_digest():
    user = DigestUser(request())
    assert user.access_token.token == TOKEN.digest
    assert user.access_token.scopes == ["a", "b"]
    assert (user.access_token.client_id, user.access_token.subject, user.access_token.expires_at) == (
        "c",
        "s",
        99,
    )
    assert user.display_name == "c"
    assert "secret" not in repr(user.access_token)


def test_progress_is_sent_with_the_clients_own_token_only():
    async def say(params) -> list[dict[str, object]]:
        sent: list[dict[str, object]] = []
        asked = request(params, sent)
        await RequestContext(asked).progress(1, 2, "half")
        asked.reply.close()
        return sent

    sent = asyncio.run(say({"_meta": {"progressToken": "p"}}))
    assert b'"params":{"progressToken":"p","progress":1,"total":2,"message":"half"}' in sent[1]["body"]
    assert asyncio.run(say({})) == []
    assert asyncio.run(say({"_meta": {"progressToken": True}})) == []
