"""A server of four targets, callers, and a team's rules."""

import pytest

from launchworthy.manifest import TargetKind, load_manifests
from launchworthy.policy import Query, compile_policy
from launchworthy.vocabulary import Environment, Principal, PrincipalKind

SERVER = b"""
name = "orders"
title = "Orders"
description = "Find, place and refund orders"
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
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md"
"""
TOOLS = b"""
[tools.find_orders]
effect = "read"
scopes = ["orders:read"]
example = { customer = "c-17" }

[tools.place_order]
effect = "write"
scopes = ["orders:write", "orders:pay"]
policy_inputs = ["quantity", "gift", "note?", "tags"]
example = { quantity = 2, gift = false, note = "quick", tags = ["new"] }

[tools.refund_order]
effect = "destructive"
scopes = ["orders:refund"]
environments = ["development", "staging"]
approval = "none"
approval_reason = "a test asks nobody"
example = { order_id = 1 }

[resources.order]
uri = "orders://order/{order_id}"
scopes = ["orders:read"]
"""
RULES = b"""
// a comment; with a semicolon, and "a quote
@id("team:no-bulk-orders")
@says("an agent orders at most 20 of an article; a person orders more in the shop")
forbid (principal, action == Action::"place_order", resource)
when { context.arguments.quantity > 20 };

@id("team:short-delegation")
@says("a call may come through at most two agents")
forbid (principal, action, resource)
when { context.delegation_depth > 2 };
"""
PLACE = {"quantity": 2, "gift": False, "note": "quick", "tags": ["new"]}


def caller(*scopes, **changed):
    return Principal(
        **{
            "issuer": "https://login.acme.example",
            "subject": "alice",
            "client": "agent",
            "kind": PrincipalKind.PERSON,
            "scopes": frozenset(scopes),
            "actors": (),
            "token_id": "1",
            "issued_at": 1000,
            "expires_at": 2000,
            **changed,
        }
    )


class World:
    """Compiles, asks, and says what came of it."""

    def __init__(self):
        self.manifests = load_manifests({"manifests/server.toml": SERVER, "manifests/tools.toml": TOOLS})
        self.caller = caller
        self.rules = RULES

    def compile(self, rules=RULES, environment=Environment.PRODUCTION):
        files = rules if isinstance(rules, dict) else {"policy/rules.cedar": rules}
        return compile_policy(self.manifests, environment, files)

    def with_tools(self, tools):
        """The same server with more tools."""
        other = World()
        other.manifests = load_manifests({**self.manifests.files, "manifests/more.toml": tools})
        return other

    def rule(self, condition, scope="principal, action, resource", identifier="team:r"):
        """A rule that applies everywhere, as bytes."""
        return f'@id("{identifier}") @says("no")\nforbid ({scope})\nwhen {{ {condition} }};\n'.encode()

    def target(self, name, kind=TargetKind.TOOL):
        return self.manifests.targets[kind, name]

    def query(
        self,
        name="place_order",
        *scopes,
        arguments=None,
        now=1060,
        of=TargetKind.TOOL,
        peer=None,
        forwarded_peer=None,
        approved=None,
        lifted=frozenset(),
        **changed,
    ):
        target = self.target(name, of)
        return Query(
            target=target,
            principal=caller(*(scopes or target.scopes), **changed),
            arguments=PLACE if arguments is None else arguments,
            now=now,
            peer=peer,
            forwarded_peer=forwarded_peer,
            approved=approved,
            lifted=lifted,
        )


@pytest.fixture(scope="session")
def world():
    return World()
