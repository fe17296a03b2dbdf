"""A tool that somebody must approve: asked about where nothing else is missing; a yes alone is nothing."""

from dataclasses import replace

import cedarpy
import pytest

from launchworthy.manifest import BY_FORM
from launchworthy.policy import ApprovalNeeded, CachedPolicy, load_cases, run_cases, uncovered
from launchworthy.policy.self_test import self_test
from launchworthy.policy.slice import policy_set
from launchworthy.vocabulary import Approved, Environment, ProblemError, Reason, Refused

WIPE = b"""
[tools.wipe]
effect = "destructive"
scopes = ["orders:wipe"]
approval = "form"
policy_inputs = ["days"]
example = { days = 30 }
"""
YES = Approved(question="q")
CASES = b"""
[[cases]]
call = "wipe"
scopes = ["orders:wipe"]
expect = "approval"

[[cases]]
call = "wipe"
scopes = ["orders:wipe"]
approved = true
expect = "allow"

[[cases]]
call = "wipe"
scopes = ["orders:read"]
approved = true
expect = "scope"
"""


@pytest.fixture
def house(world):
    return world.with_tools(WIPE)


@pytest.fixture
def policy(house):
    return house.compile(b"")


def query(house, **changed):
    return replace(house.query("wipe", arguments={"days": 30}), **changed)


def test_what_lacks_nothing_but_a_yes_is_asked_for(house, policy):
    with pytest.raises(ApprovalNeeded) as needed:
        policy.decide(query(house))
    assert needed.value.reason is Reason.TOOL_APPROVAL
    assert needed.value.rule == BY_FORM
    assert needed.value.rules == ("approval:wipe",)
    assert policy.decide(query(house, approved=YES)) == needed.value.decision
    assert needed.value.decision.rule == "manifest:wipe"


@pytest.mark.parametrize("approved", [None, YES])
def test_an_approval_stands_for_no_scope(house, policy, approved):
    with pytest.raises(Refused) as refused:
        policy.decide(replace(house.query("wipe", "orders:read", arguments={"days": 30}), approved=approved))
    assert refused.value.reason is Reason.TOOL_SCOPE


@pytest.mark.parametrize("approved", [None, YES])
def test_nobody_is_asked_about_what_a_rule_of_the_team_refuses_anyway(house, approved):
    policy = house.compile(
        house.rule("context.arguments.days > 20", 'principal, action == Action::"wipe", resource')
    )
    with pytest.raises(Refused) as refused:
        policy.decide(query(house, approved=approved))
    assert (refused.value.reason, refused.value.rules) == (Reason.TOOL_POLICY, ("team:r",))
    assert policy.decide(query(house, approved=YES, arguments={"days": 2})).rule == "manifest:wipe"


def test_a_rule_of_the_team_cannot_be_satisfied_by_not_being_approved(house):
    policy = house.compile(house.rule("context.approved", 'principal, action == Action::"wipe", resource'))
    for approved in (None, YES):
        with pytest.raises(Refused) as refused:
            policy.decide(query(house, approved=approved))
        assert refused.value.rules == ("team:r",)


def test_a_decision_that_looks_at_an_approval_is_never_kept(house, policy):
    kept = CachedPolicy(policy)
    assert kept.decide(query(house, approved=YES)).rule == "manifest:wipe"
    with pytest.raises(ApprovalNeeded):
        kept.decide(query(house))
    assert len(kept) == 0


def test_the_self_test_sees_a_policy_that_forgot_to_ask(policy):
    policy.self_test()
    [piece] = [one for one in policy.slices.values() if one.target.name == "wipe"]
    permit = [one for name, one in piece.policies.to_pst().static_policies.items() if name == piece.permit]
    forgetful = replace(piece, policies=policy_set(permit))
    with pytest.raises(ProblemError) as refused:
        self_test([forgetful], policy.entities, policy.types)
    assert "nobody has approved" in refused.value.problems[0].what


def test_a_policy_that_allows_unasked_what_must_be_approved_refuses(house, policy):
    [piece] = [one for one in policy.slices.values() if one.target.name == "wipe"]
    permit = [one for name, one in piece.policies.to_pst().static_policies.items() if name == piece.permit]
    forgetful = replace(policy, slices={piece.target.key: replace(piece, policies=policy_set(permit))})
    with pytest.raises(Refused) as refused:
        forgetful.decide(query(house))
    assert refused.value.reason is Reason.INTERNAL


def test_the_whole_text_denies_what_nobody_has_approved(policy):
    assert '@id("approval:wipe")' in policy.text
    assert "approved" not in policy.schema.split('action "place_order"')[1].split("};")[0]
    whole = cedarpy.PolicySet.from_str(policy.text)
    request = {
        "principal": {"type": "Principal", "id": "i|s"},
        "action": {"type": "Action", "id": "wipe"},
        "resource": {"type": "Target", "id": "wipe"},
        "context": {
            "environment": "production",
            "delegation_depth": 0,
            "approved": False,
            "token": {"client": "c", "scopes": ["orders:wipe"], "age_seconds": 0},
            "arguments": {"days": 1},
        },
    }
    assert not cedarpy.is_authorized(request, whole, []).allowed
    request["context"]["approved"] = True
    assert cedarpy.is_authorized(request, whole, []).allowed


def test_a_team_writes_down_that_it_expects_somebody_to_be_asked(house, policy):
    cases = load_cases("tests/policy.toml", CASES, house.manifests)
    results = run_cases(cases, {Environment.PRODUCTION: policy})
    assert [(result.observed, result.passed) for result in results] == [
        (("approval",), True),
        (("allow",), True),
        (("scope",), True),
    ]
    missing = uncovered(cases, house.manifests, (Environment.PRODUCTION,), path="tests/policy.toml")
    assert "wipe" not in {problem.field for problem in missing}
