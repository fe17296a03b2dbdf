"""What the tools do and whom they refuse: the real server, real tokens, a simulated payments service."""

import pytest
from launchworthy import ToolError
from launchworthy.testing import Refused, RunningServer


def test_a_placed_order_can_be_found_and_read(server: RunningServer) -> None:
    with server.client("orders:read", "orders:write") as shop:
        placed = shop.call("place_order", customer="c-17", item="teapot", quantity=2)
        assert shop.call("find_orders", customer="c-17") == [placed]
        assert shop.read(f"orders://order/{placed['order_id']}") == placed


def test_a_refund_needs_a_scope_of_its_own(server: RunningServer) -> None:
    with server.client("orders:read", "orders:write") as shop, pytest.raises(Refused) as refusal:
        shop.call("refund_order", order_id=1, reason="arrived in pieces")
    assert (refusal.value.status, refusal.value.scopes) == (403, ("orders:refund",))


def test_a_refund_is_made_once_with_a_borrowed_token(server: RunningServer) -> None:
    with server.client("orders:write", "orders:refund", approve=True) as shop:  # on the page, by its caller
        order_id = shop.call("place_order", customer="c-17", item="teapot")["order_id"]
        refunded = shop.call("refund_order", order_id=order_id, reason="arrived in pieces")
        assert (refunded["status"], refunded["refund_reason"]) == ("refunded", "arrived in pieces")
        with pytest.raises(ToolError, match="only a paid order"):
            shop.call("refund_order", order_id=order_id, reason="asked a second time")
    [refund] = server.upstreams["payments"]
    assert refund.json == {"order": order_id, "cents": 1999, "reason": "arrived in pieces"}
    assert refund.credential_revoked
