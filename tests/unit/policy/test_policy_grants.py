"""A lifted rule does not count for this decision; what no grant may lift still does, and nothing is kept."""

from dataclasses import replace

import pytest

from launchworthy.policy import ApprovalNeeded, CachedPolicy, rule_that_asks
from launchworthy.vocabulary import Reason, Refused

BULK = {"quantity": 21, "gift": False, "tags": []}
LIFTED = frozenset({"team:no-bulk-orders"})
WIPE = b"""
[tools.wipe]
effect = "destructive"
scopes = ["orders:wipe"]
approval = "form"
"""


def refused(policy, query):
    with pytest.raises(Refused) as error:
        policy.decide(query)
    return error.value


def test_what_a_rule_forbids_is_allowed_without_it(world):
    policy = world.compile()
    assert refused(policy, world.query(arguments=BULK)).rules == ("team:no-bulk-orders",)
    assert policy.decide(world.query(arguments=BULK, lifted=LIFTED)).rule == "manifest:place_order"


def test_the_other_rules_go_on(world):
    query = world.query(arguments=BULK, lifted=LIFTED, actors=("a", "b", "c"))
    assert refused(world.compile(), query).rules == ("team:short-delegation",)


def test_a_rule_that_cannot_be_evaluated_is_lifted_by_its_name_only(world):
    scope = 'principal, action == Action::"place_order", resource'
    policy = world.compile(world.rule("context.arguments.quantity * 9223372036854775807 > 1", scope))
    query = world.query(arguments={**BULK, "quantity": 9223372036854775807})
    assert refused(policy, query).rules == ("team:r",)
    assert refused(policy, replace(query, lifted=LIFTED)).rules == ("team:r",)
    assert policy.decide(replace(query, lifted=frozenset({"team:r"})))


def test_scopes_and_environments_are_lifted_by_nothing(world):
    everything = LIFTED | {"manifest:place_order", "manifest:refund_order", "team:short-delegation"}
    policy = world.compile()
    query = world.query("place_order", "orders:read", lifted=everything)
    assert refused(policy, query).reason is Reason.TOOL_SCOPE
    query = world.query("refund_order", lifted=everything)
    assert refused(policy, query).reason is Reason.TOOL_ENVIRONMENT


def test_the_permit_stays_whatever_is_asked(world):
    piece = world.compile().slices[world.target("place_order").key]
    assert piece.permit in piece.without(frozenset(piece.ids)).ids


def test_a_yes_that_a_policy_demands_is_not_demanded_where_that_is_lifted(world):
    house = world.with_tools(WIPE)
    policy = house.compile(b"")
    query = house.query("wipe")
    with pytest.raises(ApprovalNeeded):
        policy.decide(query)
    with pytest.raises(ApprovalNeeded):
        policy.decide(replace(query, lifted=LIFTED))
    asks = rule_that_asks(query.target)
    assert policy.decide(replace(query, lifted=frozenset({asks}))).rule == "manifest:wipe"
    assert refused(policy, house.query("wipe", "orders:read", lifted=frozenset({asks}))).scopes


def test_nothing_that_a_grant_allows_is_kept_for_anybody(world):
    cached = CachedPolicy(world.compile())
    query = world.query(arguments=BULK)
    assert cached.decide(replace(query, lifted=LIFTED))
    assert len(cached) == 0
    assert refused(cached, query).rules == ("team:no-bulk-orders",)
    assert cached.decide(replace(query, lifted=LIFTED))
    assert refused(cached, replace(query, lifted=frozenset({"team:other"}))).rules == ("team:no-bulk-orders",)
