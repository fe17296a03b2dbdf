"""A gate that would let nobody in, or speaks what it does not know, is not built."""

from typing import Any

import pytest

from launchworthy.enforcement.gate_config import GateConfig

GOOD: dict[str, Any] = {
    "resource": "https://orders.acme.example/mcp",
    "name": "orders",
    "issuers": ("https://login.acme.example",),
    "entry_scopes": ("orders:read",),
    "allowed_origins": (),
    "revisions": ("2026-07-28",),
    "max_body": 1000,
    "exchanging": frozenset(),
    "durable": False,
}


@pytest.mark.parametrize(
    "change",
    [{"issuers": ()}, {"entry_scopes": ()}, {"revisions": ()}, {"revisions": ("2026-07-28", "2024-11-05")}],
)
def test_what_cannot_work_is_refused(change):
    assert GateConfig(**GOOD)
    with pytest.raises(ValueError, match=r"needs|cannot be served"):
        GateConfig(**GOOD | change)
