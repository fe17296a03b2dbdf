"""The engine is tried before anything depends on it, and a broken one is found."""

from dataclasses import replace

import cedarpy
import pytest

from launchworthy.policy.slice import policy_set
from launchworthy.vocabulary import Environment, ProblemError


def broken(policy, change):
    return replace(policy, slices={key: change(piece) for key, piece in policy.slices.items()})


def problems(policy):
    with pytest.raises(ProblemError) as refused:
        policy.self_test()
    return {problem.what for problem in refused.value.problems}


@pytest.mark.parametrize("environment", list(Environment))
def test_a_compiled_policy_passes(world, environment):
    world.compile(environment=environment).self_test()


def test_one_whose_rules_always_say_no_passes_too(world):
    world.compile(world.rule("true")).self_test()


def test_a_permit_for_everybody_is_found(world):
    [permit] = cedarpy.policies_to_pst("permit (principal, action, resource);").static_policies.values()

    def change(piece):
        open_ = replace(permit, annotations={"id": piece.permit})
        return replace(piece, policies=policy_set([open_]))

    assert problems(broken(world.compile(), change)) == {
        f"the policy engine allows a caller without any scope (`{name}`)"
        for name in ("find_orders", "place_order", "order")
    }


def test_a_permit_that_is_missing_is_found(world):
    found = problems(
        broken(world.compile(), lambda piece: replace(piece, policies=cedarpy.PolicySet.from_str("")))
    )
    assert "the policy engine refuses a caller that has every scope (`find_orders`)" in found


def test_an_engine_whose_errors_are_not_seen_is_found(world, monkeypatch):
    monkeypatch.setattr("cedarpy.Diagnostics.errors", property(lambda _: []))
    found = problems(world.compile())
    assert "the policy engine allows although a rule could not be evaluated (`find_orders`)" in found
