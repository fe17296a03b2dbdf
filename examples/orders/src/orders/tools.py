"""What an agent can do with orders: plain functions.

Who may call them, where, and at what risk stands in `manifests/tools.toml`.
"""

from typing import Annotated

from launchworthy import Call, ToolError, resource, tool
from pydantic import Field

from orders.store import Order, OrderStore

Customer = Annotated[str, Field(pattern=r"^c-[0-9]{1,9}$", description="a customer, such as `c-17`")]
Item = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", description="an article, such as `teapot`")]
OrderId = Annotated[int, Field(ge=1, lt=2**31)]
Quantity = Annotated[int, Field(ge=1, le=99)]
Reason = Annotated[str, Field(min_length=10, max_length=200)]


@tool
def find_orders(call: Call[OrderStore], customer: Customer, limit: Quantity = 20) -> list[Order]:
    """Find a customer's orders, newest first."""
    return call.app.of_customer(customer, limit)


@tool
def place_order(call: Call[OrderStore], customer: Customer, item: Item, quantity: Quantity = 1) -> Order:
    """Place and pay an order for one article."""
    return call.app.place(customer, item, quantity)


@tool
async def refund_order(call: Call[OrderStore], order_id: OrderId, reason: Reason) -> Order:
    """Refund a paid order, once and in full."""
    order = call.app.get(order_id)
    if order.status != "paid":
        raise ToolError(f"order {order_id} is {order.status}; only a paid order can be refunded")
    refund = {"order": order_id, "cents": order.cents, "reason": reason}
    once = {"Idempotency-Key": f"refund-{order_id}"}  # two calls at the same time are one refund
    async with call.upstream("payments") as payments:  # its token is for this call, and revoked after it
        (await payments.post("/refunds", json=refund, headers=once)).raise_for_status()
    return call.app.refund(order_id, reason)


@resource
def order(call: Call[OrderStore], order_id: OrderId) -> Order:
    """One order as it stands now."""
    return call.app.get(order_id)
