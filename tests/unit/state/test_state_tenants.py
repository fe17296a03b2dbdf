"""What two tenants do is never counted together, and nobody without one is counted at all."""

import asyncio
from dataclasses import replace

import pytest
from test_state_control_grants import ADA

from launchworthy.manifest import Rate, load_manifests
from launchworthy.state import LimitReached, MemoryStore
from launchworthy.state.limits import CallLimits, LimitsOf
from launchworthy.vocabulary import CallId, Principal, Reason, Refused, tenant_of

FILES = {
    "manifests/server.toml": b"""
name = "orders"
title = "Orders"
description = "Find orders"
[ownership]
owner = "@acme/orders"
on_call = "https://on-call.acme.example"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = ["orders:read"]
[data]
classification = "internal"
tenancy = "multi"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md"
""",
    "manifests/tools.toml": b'[tools.find]\neffect = "read"\nscopes = ["orders:read"]\nrate = "1/minute"\n',
}
CALL = CallId("4T7K-9QX2-M0DV")


def limits() -> CallLimits:
    manifests = load_manifests(FILES)
    whole = LimitsOf(server=manifests.server, caller=Rate(amount=100, per="minute"), at_once=5)
    return CallLimits(MemoryStore(lambda: 0.0, "test"), whole, clock=lambda: 0.0, tenant_of=tenant_of)


async def call(counted: CallLimits, principal: Principal) -> None:
    [target] = load_manifests(FILES).tools()
    async with counted.call(target, principal, CALL):
        pass


def test_the_same_caller_of_another_tenant_has_a_rate_of_its_own() -> None:
    async def both() -> None:
        counted = limits()
        await call(counted, replace(ADA, tenant="acme"))
        with pytest.raises(LimitReached):
            await call(counted, replace(ADA, tenant="acme"))
        await call(counted, replace(ADA, tenant="zenith"))

    asyncio.run(both())


def test_a_caller_without_a_tenant_is_counted_nowhere() -> None:
    with pytest.raises(Refused) as refused:
        asyncio.run(call(limits(), ADA))
    assert refused.value.reason is Reason.TOKEN_CLAIMS
