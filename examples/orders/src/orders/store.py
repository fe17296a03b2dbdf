"""Orders in SQLite: the part that knows nothing about MCP."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from launchworthy import ToolError

CENTS_PER_ITEM = 1999
SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY, customer TEXT NOT NULL, item TEXT NOT NULL, quantity INTEGER NOT NULL,
    cents INTEGER NOT NULL, status TEXT NOT NULL, refund_reason TEXT
) STRICT
"""
REFUND = """
UPDATE orders SET status = 'refunded', refund_reason = ?
WHERE order_id = ? AND status = 'paid' RETURNING *
"""


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as an agent sees it."""

    order_id: int
    customer: str
    item: str
    quantity: int
    cents: int
    status: Literal["paid", "refunded"]
    refund_reason: str | None


class OrderStore:
    """A file of orders. Safe to share between threads: each statement has a connection of its own."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._run(SCHEMA)

    def get(self, order_id: int) -> Order:
        """One order; a `ToolError` where there is none."""
        for order in self._run("SELECT * FROM orders WHERE order_id = ?", order_id):
            return order
        raise ToolError(f"there is no order {order_id}")

    def of_customer(self, customer: str, limit: int) -> list[Order]:
        """A customer's orders, newest first."""
        newest_first = "SELECT * FROM orders WHERE customer = ? ORDER BY order_id DESC LIMIT ?"
        return self._run(newest_first, customer, limit)

    def place(self, customer: str, item: str, quantity: int) -> Order:
        """A new order, paid."""
        insert = "INSERT INTO orders VALUES (NULL, ?, ?, ?, ?, 'paid', NULL) RETURNING *"
        return self._run(insert, customer, item, quantity, quantity * CENTS_PER_ITEM)[0]

    def refund(self, order_id: int, reason: str) -> Order:
        """The order, refunded by this call; of two calls at the same time one gets a `ToolError`."""
        for order in self._run(REFUND, reason, order_id):
            return order
        order = self.get(order_id)
        raise ToolError(f"order {order_id} is {order.status}; only a paid order can be refunded")

    def _run(self, statement: str, *values: object) -> list[Order]:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [Order(**row) for row in connection.execute(statement, values)]
