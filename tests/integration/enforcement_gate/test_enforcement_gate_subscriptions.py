"""Who hears of which change: each URI is decided as a read, when it is asked for and when it is told."""

import contextlib
import json
import threading
import time
from typing import Any, Self

import pytest
from answers_of import reason_in_audit, refused
from house import LEGACY, House, eventually, headers_of, message_of

from launchworthy.vocabulary import Reason, Refused

ID_KEY = "io.modelcontextprotocol/subscriptionId"


class Listening:
    """One stream, as a client reads it: `next()` waits no longer than the client's own limit."""

    def __init__(self, house: House, *uris: str, token: str | None = None, **flags: bool) -> None:
        wanted = {"notifications": {"resourceSubscriptions": list(uris), **flags}}
        headers = headers_of("subscriptions/listen", wanted, "2026-07-28")
        headers["authorization"] = f"Bearer {token or house.token('shop:read')}"
        content = json.dumps(message_of("subscriptions/listen", wanted, "2026-07-28", "sub-1")).encode()
        self._context = house.http.stream("POST", house.resource, content=content, headers=headers)

    def __enter__(self) -> Self:
        self.response = self._context.__enter__()
        self._lines = self.response.iter_lines()
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)

    def next(self) -> dict[str, Any]:
        for line in self._lines:
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))
        raise EOFError

    def honoured(self) -> dict[str, Any]:
        first = self.next()
        assert first["method"] == "notifications/subscriptions/acknowledged"
        assert first["params"]["_meta"] == {ID_KEY: "sub-1"}
        return first["params"]["notifications"]

    def told(self) -> str:
        message = self.next()
        assert message["method"] == "notifications/resources/updated"
        assert message["params"]["_meta"] == {ID_KEY: "sub-1"}
        return message["params"]["uri"]

    def ends(self) -> None:
        message = self.next()
        assert (message["id"], message["result"]["resultType"]) == ("sub-1", "complete")
        with pytest.raises(EOFError):
            self.next()


@pytest.fixture
def quick(build):
    """A house whose streams look every 20 ms whether they may live on."""
    return build(check_seconds=0.02)


def closed(house: House, stream: Listening) -> dict[str, Any]:
    return eventually(
        lambda: [one for one in house.story(stream.response) if one["type"].endswith("closed")]
    )[0]


def test_what_a_body_says_has_changed_reaches_who_listens(house):
    with Listening(house, "shop://order/17", "shop://logo") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.honoured() == {"resourceSubscriptions": ["shop://order/17", "shop://logo"]}
        for tool in ("touch", "touch_in_thread"):
            assert house.call(tool, uri="shop://order/18").status_code == 200
            assert house.call(tool, uri="shop://order/17").status_code == 200
            assert stream.told() == "shop://order/17"
    opened = house.story(stream.response)[0]
    assert (opened["type"], opened["targets"], opened.get("refused")) == (
        "subscription.opened", ["shop://order/17", "shop://logo"], 0,
    )  # fmt: skip
    assert opened["subject"] == house.issuer.client.client_id
    ended = closed(house, stream)
    assert (ended["reason"], ended["delivered"], ended["withheld"]) == ("client", 2, 0)


def test_denied_and_unknown_are_missing_alike(house):
    asked = (
        "shop://order/1", "shop://order/017", "shop://hidden", "shop://nothing", "shop://order/x", "", "x:",
        "shop://note/%2E%2E",
    )  # fmt: skip
    with Listening(house, *asked) as stream:
        assert stream.honoured() == {"resourceSubscriptions": ["shop://order/1"]}
        assert house.story(stream.response)[0]["refused"] == len(asked) - 1
    hidden = house.token("shop:hidden")
    with Listening(house, "shop://hidden", "shop://order/1", token=hidden) as stream:
        assert stream.honoured() == {"resourceSubscriptions": ["shop://hidden"]}
        assert "hidden" not in house.story(stream.response)[0]["targets"]


def test_a_stream_of_nothing_is_a_stream_too(house):
    with Listening(house, "shop://nothing") as stream:
        assert stream.honoured() == {}


def test_a_uri_is_told_as_its_client_wrote_it_and_once(house):
    with Listening(house, "shop://label/a%2fb", "shop://label/a%2Fb") as stream:
        assert stream.honoured() == {"resourceSubscriptions": ["shop://label/a%2fb"]}
        house.call("touch", uri="shop://label/a%2Fb")
        assert stream.told() == "shop://label/a%2fb"


def test_a_body_that_names_no_resource_fails(house):
    result = house.call("touch", uri="shop://nothing").json()["result"]
    assert result["isError"] is True
    assert "nothing" not in json.dumps(result)


def test_lists_are_told_of_to_who_asked_for_them(house):
    with Listening(house, toolsListChanged=True, promptsListChanged=False, unheardOf=True) as stream:
        assert stream.honoured() == {"toolsListChanged": True}
        house.loop.call_soon_threadsafe(house.exchange.changes.tell_lists)
        assert stream.next()["method"] == "notifications/tools/list_changed"


@pytest.mark.parametrize(
    "notifications",
    [
        None, [], "x", {"toolsListChanged": 1}, {"resourceSubscriptions": "shop://logo"},
        {"resourceSubscriptions": [1]}, {"resourceSubscriptions": ["x" * 4097]},
        {"resourceSubscriptions": ["shop://logo"] * 65},
    ],
)  # fmt: skip
def test_what_asks_for_nothing_that_could_be_told_is_invalid(house, notifications):
    answer = house.post("subscriptions/listen", {"notifications": notifications})
    refused(answer, 400, -32602, "invalid_request", request_id=1)
    assert reason_in_audit(house, answer) == ("protocol.rejected", "protocol.invalid")


def test_nobody_has_more_than_four_streams(house):
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Listening(house, "shop://logo")).honoured()
        answer = house.post("subscriptions/listen", {"notifications": {}})
        refused(answer, 429, 429, "limited", request_id=1)
        assert answer.headers["retry-after"] == "5"
        other = house.issuer.mint(house.issuer.grant(scopes=("shop:read",)), claims={"sub": "somebody-else"})
        with Listening(house, "shop://logo", token=other) as stream:
            stream.honoured()
    eventually(lambda: not house.gate._subscriptions._open)
    with Listening(house, "shop://logo") as stream:
        stream.honoured()


def test_the_older_revision_has_no_streams(house):
    for method in ("subscriptions/listen", "resources/subscribe", "resources/unsubscribe"):
        answer = house.post(method, {"notifications": {}, "uri": "shop://logo"}, revision=LEGACY)
        refused(answer, 404, -32601, "invalid_request", request_id=1)


def test_a_stream_ends_with_its_token(quick):
    now = int(time.time())
    token = quick.token("shop:read", claims={"exp": now + 2, "iat": now})
    with Listening(quick, "shop://logo", token=token) as stream:
        stream.honoured()
        stream.ends()
    assert closed(quick, stream)["reason"] == "token"
    assert time.time() >= now + 2


def test_a_stream_ends_with_the_identity(quick):
    with Listening(quick, "shop://logo") as stream:
        stream.honoured()
        quick.unready = Refused(Reason.IDENTITY_EXPIRED, "for a test")
        stream.ends()
    assert closed(quick, stream)["reason"] == "identity"
    quick.unready = None
    with Listening(quick, "shop://logo") as stream:
        stream.honoured()
        quick.call("touch", uri="shop://logo")
        assert stream.told() == "shop://logo"


def test_a_stream_ends_with_a_deny_entry(quick):
    denied: set[str] = set()

    class Denied:
        generation = 0

        def refuse(self, principal: Any) -> None:
            if principal.token_id in denied:
                raise Refused(Reason.TOKEN_DENIED, "on the list")

    quick.gate._verifier._deny = Denied()
    with Listening(quick, "shop://logo", token=quick.token("shop:read", claims={"jti": "j-1"})) as stream:
        stream.honoured()
        denied.add("j-1")
        stream.ends()
    assert closed(quick, stream)["reason"] == "denied"


def test_a_stream_ends_when_the_key_of_its_token_is_withdrawn(quick):
    keys, published = quick.gate._verifier._issuers[quick.issuer.issuer].keys, quick.issuer.keys
    stays, goes = published.active().kid, published.rotate()
    token = quick.token("shop:read")
    published.activate(stays)
    eventually(lambda: quick.post("tools/list", token=token).status_code == 200)
    with Listening(quick, "shop://logo", token=token) as stolen, Listening(quick, "shop://logo") as good:
        for stream in (stolen, good):
            stream.honoured()
        published.withdraw(goes)
        before = keys.generation
        eventually(lambda: quick.run(keys._ask()) or keys.generation > before)
        stolen.ends()
        quick.call("touch", uri="shop://logo")
        assert good.told() == "shop://logo"
    assert closed(quick, stolen)["reason"] == "token"
    assert quick.post("tools/list", token=token).status_code == 401


def test_each_delivery_is_decided_again(quick):
    with Listening(quick, "shop://order/1", "shop://logo") as stream:
        stream.honoured()
        decide = quick.gate._calls._deciding._policy.decide

        def unlucky(query: Any) -> Any:
            if query.target.name == "order":
                raise Refused(Reason.TOOL_POLICY, "not any more")
            return decide(query)

        quick.gate._calls._deciding._policy.decide = unlucky
        quick.call("touch", uri="shop://order/1")
        quick.call("touch", uri="shop://logo")
        assert stream.told() == "shop://logo"
    assert closed(quick, stream)["withheld"] == 1


def test_a_server_that_ends_says_so_and_does_not_wait(quick):
    with Listening(quick, "shop://logo") as stream:
        stream.honoured()
        quick.loop.call_soon_threadsafe(quick.gate.drain)
        stream.ends()
    assert closed(quick, stream)["reason"] == "drain"
    with Listening(quick, "shop://logo") as late:
        late.honoured()
        late.ends()


def test_a_stream_that_is_silent_is_kept_open_by_comments(build):
    house = build(comment_seconds=0.05)
    with Listening(house, "shop://logo") as stream:
        stream.honoured()
        assert any(line.startswith(": ") for line in stream._lines)


def test_it_cannot_be_recorded_that_somebody_listens_so_nobody_does(build):
    class Deaf:
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

        def record(self, event: Any, **how: Any) -> None:
            from launchworthy.audit import AuditUnwritable

            if event.type == "subscription.opened":
                raise AuditUnwritable("for a test")
            self._stream.record(event, **how)

    house = build(audit=Deaf)
    refused(house.post("subscriptions/listen", {"notifications": {}}), 503, 503, "unavailable", request_id=1)
    assert not house.gate._subscriptions._open


def test_many_changes_while_nobody_reads_are_one(house):
    with Listening(house, "shop://logo") as stream:
        stream.honoured()
        tell = house.exchange.changes.tell
        done = threading.Event()

        def many() -> None:
            for _ in range(500):
                tell("shop://logo")
            done.set()

        house.loop.call_soon_threadsafe(many)
        assert done.wait(5)
        assert stream.told() == "shop://logo"
    assert closed(house, stream)["delivered"] < 500


def test_capabilities_say_that_resources_can_be_listened_to(house):
    told = house.post("server/discover").json()["result"]["capabilities"]
    assert told["resources"]["subscribe"] is True


def test_the_sdks_own_client_listens(house):
    import anyio
    from test_enforcement_gate_clients import connected

    async def use() -> str:
        async with (
            connected(house, "2026-07-28") as client,
            client.listen(resource_subscriptions=["shop://logo"]) as stream,
        ):
            await client.call_tool("touch", {"uri": "shop://logo"})
            async for event in stream:
                return event.uri
        raise AssertionError("the stream ended")

    assert anyio.run(use) == "shop://logo"
