"""An answer counts for exactly the call that was asked about, in time, once, and under a seal of ours."""

import asyncio
import secrets
from dataclasses import replace

import pytest

from launchworthy.approval import (
    AnsweredBefore,
    AnswerForAnother,
    Approvals,
    AskedCall,
    EphemeralKeys,
    NotAnswered,
    Sealed,
    StateSeal,
    Verdict,
)
from launchworthy.settings.key_ring import RingKey
from launchworthy.state import MemoryStore
from launchworthy.vocabulary import CallId, Principal, PrincipalKind, Reason, Refused

RESOURCE = "https://orders.acme.example/mcp"
PRINCIPAL = Principal(
    issuer="https://login.acme.example",
    subject="alice",
    client="agent",
    kind=PrincipalKind.PERSON,
    scopes=frozenset({"orders:refund"}),
    actors=(),
    token_id="1",
    issued_at=900,
    expires_at=2000,
)
CALL = AskedCall(
    principal=PRINCIPAL,
    tool="refund_order",
    given={"order_id": 1, "parts": [1, {"a": True}]},
    arguments={"order_id": 1, "parts": [1, {"a": True}], "reason": "none"},
    resource=RESOURCE,
    policy_digest="p",
    manifest_digest="m",
)
YES = {"approval": {"action": "accept", "content": {"approve": True}}}
ASKED_BY = CallId("4T7K-9QX2-M0DV")


class Ring:
    """Keys that a test turns."""

    def __init__(self, *names):
        self.turn(*names)

    def turn(self, *names):
        self.keys = tuple(RingKey(kid=f"{name:08x}", material=bytes([name]) * 32) for name in names)

    @property
    def newest(self):
        return self.keys[0]


def approvals(keys=None, *, resource=RESOURCE, store=None):
    memory = MemoryStore(lambda: 0.0, "one") if store is None else store
    ring = EphemeralKeys(secrets.randbits) if keys is None else keys
    return Approvals(StateSeal(ring, resource, Sealed.QUESTION, secrets.randbits), memory, secrets.randbits)


def ask(ours, call=CALL):
    return asyncio.run(ours.ask(call, ASKED_BY, 1000, on_page=False))


def test_the_same_call_in_time_is_what_was_asked_about():
    ours = approvals()
    question, sealed = ask(ours)
    opened = ours.hear(sealed, YES, CALL, 1119)
    assert (opened.question, opened.verdict) == (question, Verdict.YES)
    redeemed = asyncio.run(ours.redeem(opened, 1119))
    assert (redeemed.question, redeemed.asked_by, redeemed.age) == (question.name, ASKED_BY, 119)
    assert question.nonce not in repr(redeemed)
    with pytest.raises(AnsweredBefore) as before:
        asyncio.run(ours.redeem(opened, 1119))
    assert before.value.reason is Reason.LIMIT_CLAIM


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"principal": replace(PRINCIPAL, subject="bob")}, "subject"),
        ({"principal": replace(PRINCIPAL, issuer="https://login.other.example")}, "issuer"),
        ({"principal": replace(PRINCIPAL, client="other")}, "client"),
        ({"principal": replace(PRINCIPAL, actors=("another-agent",))}, "actors"),
        ({"tool": "place_order"}, "tool"),
        ({"given": {"order_id": 2, "parts": [1, {"a": True}]}}, "arguments"),
        ({"given": {"order_id": True, "parts": [1, {"a": True}]}}, "arguments"),
        ({"given": {"order_id": 1.0, "parts": [1, {"a": True}]}}, "arguments"),
        ({"given": {"order_id": "1", "parts": [1, {"a": True}]}}, "arguments"),
        ({"given": {"order_id": 1, "parts": [1, {"a": 1}]}}, "arguments"),
        ({"given": {"order_id": 1, "parts": [{"a": True}, 1]}}, "arguments"),
        ({"given": {**CALL.given, "reason": "none"}}, "arguments"),
        ({"arguments": {**CALL.arguments, "reason": "another default by now"}}, "arguments"),
        ({"resource": "https://orders.acme.example/other"}, "resource"),
        ({"policy_digest": "q"}, "policy"),
        ({"manifest_digest": "n"}, "manifests"),
    ],
)
def test_a_call_that_differs_in_anything_is_another(other, what):
    ours = approvals()
    question, sealed = ask(ours)
    with pytest.raises(AnswerForAnother) as refused:
        ours.hear(sealed, YES, replace(CALL, **other), 1001)
    assert refused.value.detail == f"approved was another call: {what} differs"
    assert (refused.value.question, refused.value.reason) == (question.name, Reason.TOOL_APPROVAL)
    assert ours.hear(sealed, YES, CALL, 1001).verdict is Verdict.YES


def test_the_order_of_keys_makes_no_other_call():
    ours = approvals()
    _, sealed = ask(ours)
    turned = {"parts": [1, {"a": True}], "order_id": 1}
    assert ours.hear(sealed, YES, replace(CALL, given=turned), 1001).verdict is Verdict.YES


@pytest.mark.parametrize(
    ("now", "counts"), [(994, False), (995, True), (1000, True), (1119, True), (1120, False)]
)
def test_an_answer_counts_for_two_minutes(now, counts):
    ours = approvals()
    _, sealed = ask(ours)
    if counts:
        ours.hear(sealed, YES, CALL, now)
        return
    with pytest.raises(NotAnswered, match="after the question"):
        ours.hear(sealed, YES, CALL, now)


def test_a_no_approves_nothing():
    ours = approvals()
    _, sealed = ask(ours)
    opened = ours.hear(sealed, {"approval": {"action": "decline"}}, CALL, 1001)
    with pytest.raises(NotAnswered):
        opened.approved()


def test_a_key_that_is_turned_opens_until_it_is_gone():
    ring = Ring(1)
    ours = approvals(ring)
    _, sealed = ask(ours)
    ring.turn(2, 1)
    assert ours.hear(sealed, YES, CALL, 1001).verdict is Verdict.YES
    _, newer = ask(ours)
    ring.turn(2)
    with pytest.raises(NotAnswered, match="a key that is not ours"):
        ours.hear(sealed, YES, CALL, 1001)
    assert ours.hear(newer, YES, CALL, 1001).verdict is Verdict.YES


def test_replicas_with_one_key_and_one_store_are_one():
    ring, store = Ring(1), MemoryStore(lambda: 0.0, "one")
    one, other = approvals(ring, store=store), approvals(ring, store=store)
    _, sealed = ask(one)
    asyncio.run(other.redeem(other.hear(sealed, YES, CALL, 1001), 1001))
    with pytest.raises(AnsweredBefore):
        asyncio.run(one.redeem(one.hear(sealed, YES, CALL, 1001), 1001))


def test_a_store_that_may_have_forgotten_voids_what_is_open():
    ring = Ring(1)
    _, sealed = ask(approvals(ring, store=MemoryStore(lambda: 0.0, "before")))
    after = approvals(ring, store=MemoryStore(lambda: 0.0, "after"))
    with pytest.raises(NotAnswered, match="has changed since"):
        asyncio.run(after.redeem(after.hear(sealed, YES, CALL, 1001), 1001))


def test_another_servers_seal_under_the_same_key_does_not_hold():
    ring = Ring(1)
    _, sealed = ask(approvals(ring, resource="https://other.acme.example/mcp"))
    with pytest.raises(NotAnswered, match="does not hold"):
        approvals(ring).hear(sealed, YES, CALL, 1001)


def test_a_seal_shows_nothing_of_the_call_and_none_is_like_another():
    ours = approvals()
    _, one = ask(ours)
    _, two = ask(ours)
    assert one != two
    assert "alice" not in one
    assert len({one[:9], two[:9]}) == 1  # the key's name


def test_a_refusal_of_the_store_is_its_own():
    class Dead(MemoryStore):
        async def claim(self, key, ttl):
            del key, ttl
            raise Refused(Reason.LIMIT_STORE, "gone")

    ours = approvals(store=Dead(lambda: 0.0, "one"))
    _, sealed = ask(ours)
    with pytest.raises(Refused) as refused:
        asyncio.run(ours.redeem(ours.hear(sealed, YES, CALL, 1001), 1001))
    assert refused.value.reason is Reason.LIMIT_STORE
