"""A yes is for a caller of one tenant, and the person who gives it sees which."""

from dataclasses import replace

from test_approval_terms import CALL, PRINCIPAL

from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.shown import shown_call


def called(tenant: str | None) -> AskedCall:
    return replace(CALL, principal=replace(PRINCIPAL, tenant=tenant))


def test_the_same_call_of_another_tenant_is_another_call() -> None:
    assert called("acme").terms() == called("acme").terms()
    assert called("acme").terms() != called("zenith").terms()
    assert called("acme").terms() != called(None).terms()


def test_who_is_asked_sees_the_tenant() -> None:
    said = [
        shown_call(called(tenant), title="Orders", effect="destructive", seconds=120)
        for tenant in ("acme", None)
    ]
    assert ['tenant     "acme"' in text for text in said] == [True, False]
    assert "tenant" not in said[1]
