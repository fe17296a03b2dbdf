"""What a rule looks at is found; what the walk does not know makes it give everything and keep nothing."""

import json
from dataclasses import dataclass, replace

import cedarpy
import pytest
from cedarpy import pst

from launchworthy.policy.attributes import context_attributes
from launchworthy.policy.reads import ReadSet, reads_of
from launchworthy.policy.slice import cut
from launchworthy.vocabulary import Environment


def reads(condition, scope="principal, action, resource", word="when"):
    text = f'@id("team:r") forbid ({scope}) {word} {{ {condition} }};'
    return reads_of(cedarpy.policies_to_pst(text).static_policies.values())


CLIENT = ("token", "client")
HERE = ("environment",)
SCOPES = ("token", "scopes")
AGE = ("token", "age_seconds")
DEPTH = ("delegation_depth",)


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        ("true", set()),
        ("context.delegation_depth > 2", {DEPTH}),
        ('context.token.client == "x"', {CLIENT}),
        ('context["token"]["client"] == "x"', {CLIENT}),
        ("context.token == context.token", {("token",)}),
        ("context == context", {()}),
        ("context has delegation_depth", {DEPTH}),
        ("context.token has client", {CLIENT}),
        ("context has token.client", {("token",), CLIENT}),
        ('context.token.client like "x*"', {CLIENT}),
        ("[context.delegation_depth].contains(1)", {DEPTH}),
        ("{a: context.delegation_depth}.a == 1", {DEPTH}),
        ('(if true then context.token else context.token).client == "x"', {("token",)}),
        ('if context.environment == "x" then true else context.delegation_depth > 1', {HERE, DEPTH}),
        ("!(context.token.scopes.isEmpty()) && -(context.delegation_depth) < 0", {SCOPES, DEPTH}),
        ('ip("::1").isInRange(ip("::0/8")) || decimal("1.0").lessThan(decimal("2.0"))', set()),
        ('context.token.scopes.containsAny(["a"]) || context.token.scopes.containsAll(["a"])', {SCOPES}),
        ('datetime("2024-10-15").offset(duration("1d")) < datetime("2024-10-16")', set()),
        ("context.delegation_depth + context.token.age_seconds * 2 - 1 > 0", {DEPTH, AGE}),
    ],
)  # fmt: skip
def test_paths_of_the_context_are_found(condition, paths):
    found = reads(condition)
    assert found.context == paths
    assert (found.principal, found.other_targets, found.complete) == (False, False, True)
    assert reads(condition, word="unless").context == paths


@pytest.mark.parametrize(
    ("condition", "attributes"),
    [
        ('principal.kind == "person"', {"kind"}),
        ("principal has subject", {"subject"}),
        ("principal == principal", set()),
        ('principal == Principal::"x"', set()),
        ('principal in Principal::"x"', set()),
        ("principal is Principal", set()),
        ('principal is Principal in Principal::"x"', set()),
        ('Principal::"x" has kind', set()),
        ('(if true then principal else principal).kind == "x"', set()),
    ],
)
def test_who_calls_is_found(condition, attributes):
    found = reads(condition)
    assert found.principal
    assert found.principal_attributes == attributes
    assert found.complete


@pytest.mark.parametrize(
    ("scope", "principal"),
    [
        ("principal, action, resource", False),
        ("principal is Principal, action, resource", False),
        ('principal == Principal::"x", action, resource', True),
        ('principal in Principal::"x", action, resource', True),
        ('principal is Principal in Principal::"x", action, resource', True),
    ],
)
def test_the_scope_of_a_rule_asks_too(scope, principal):
    assert reads("true", scope).principal is principal


def test_targets_are_told_apart():
    assert reads('resource.effect == "read"').resource_attributes == {"effect"}
    assert reads('resource == Target::"a"').other_targets
    assert reads('Target::"a".effect == "read"').other_targets
    assert reads('action == Action::"a"') == ReadSet()


@dataclass(frozen=True, slots=True)
class Later:
    """A node of a later Cedar."""


@dataclass(frozen=True, slots=True)
class LaterClause:
    expr: pst.Expr


TRUE = pst.BoolLit(value=True)


@pytest.mark.parametrize(
    "expression",
    [
        Later(),
        pst.Slot(name="principal"),
        pst.UnaryOp(op="now", arg=TRUE),
        pst.BinaryOp(op="later", left=TRUE, right=TRUE),
        pst.BinaryOp(op="get_tag", left=pst.Var(name="principal"), right=pst.StringLit(value="x")),
        pst.Var(name="weather"),
        pst.Set(elements=(TRUE, Later())),
        pst.GetAttr(base=Later(), attr="x"),
        pst.Record(fields={"a": Later()}),
    ],
)
def test_what_is_not_known_makes_the_read_set_incomplete(expression):
    [rule] = cedarpy.policies_to_pst("forbid (principal, action, resource);").static_policies.values()
    assert reads_of([rule]).complete
    found = reads_of([replace(rule, clauses=(pst.When(expr=expression),))])
    assert not found.complete
    assert found.principal
    assert found.other_targets
    assert found.covers(("token", "client"))


@pytest.mark.parametrize("change", [{"clauses": (LaterClause(TRUE),)}, {"principal": Later()}])
def test_neither_are_later_clauses_and_scopes(change):
    [rule] = cedarpy.policies_to_pst("forbid (principal, action, resource);").static_policies.values()
    assert not reads_of([replace(rule, **change)]).complete


def test_a_path_covers_what_is_below_and_above_it():
    found = ReadSet(context=frozenset({("token",), ("arguments", "a")}))
    assert found.covers(("token", "client"))
    assert found.covers(("arguments", "a"))
    assert not found.covers(("arguments", "b"))
    assert not found.covers(("environment",))


def test_a_target_gets_what_can_match_it_and_what_that_reads(world):
    rules = (
        world.rule("context.arguments.quantity > 20", 'principal, action == Action::"place_order", resource')
        + world.rule("context.delegation_depth > 2", identifier="team:all")
        + world.rule("true", 'principal, action in [Action::"find_orders"], resource', identifier="team:find")
        + world.rule("true", 'principal, action, resource == Target::"find_orders"', identifier="team:found")
        + world.rule("true", "principal, action, resource is Target", identifier="team:targets")
        + world.rule(
            "true",
            'principal, action, resource is Target in Target::"resource:order"',
            identifier="team:order",
        )
    )
    slices = {piece.uid: piece for piece in world.compile(rules).slices.values()}
    assert slices["place_order"].ids == ("manifest:place_order", "team:r", "team:all", "team:targets")
    assert slices["find_orders"].ids == (
        "manifest:find_orders", "team:all", "team:find", "team:found", "team:targets",
    )  # fmt: skip
    assert slices["resource:order"].ids == (
        "manifest:resource:order",
        "team:all",
        "team:targets",
        "team:order",
    )
    paths = {attribute.path for attribute in slices["place_order"].attributes}
    assert paths == {("environment",), ("token", "scopes"), ("delegation_depth",), ("arguments", "quantity")}
    assert json.loads(slices["find_orders"].context(world.query("find_orders"))) == {
        "environment": "production",
        "delegation_depth": 0,
        "token": {"scopes": ["orders:read"]},
        "arguments": {},
    }


def test_a_scope_that_is_not_understood_can_match(world):
    [rule] = cedarpy.policies_to_pst(
        '@id("team:r") forbid (principal, action, resource);'
    ).static_policies.values()
    target = world.target("find_orders")
    attributes = context_attributes(target, Environment.PRODUCTION, has_tenants=False)
    for change in ({"action": Later()}, {"resource": Later()}):
        odd = replace(rule, **change)
        with pytest.raises(TypeError):  # it is in the slice, which Cedar then cannot build
            cut(target, [odd], attributes, policy_digest="", manifest_digest="")
    other = replace(
        rule, action=pst.ActionEq(entity=pst.EntityUid(type=pst.EntityType("Action"), id="other"))
    )
    assert cut(target, [other], attributes, policy_digest="", manifest_digest="").ids == ()


def test_an_incomplete_read_set_gives_everything_and_keeps_nothing(world):
    piece = world.compile().slices[world.query().target.key]
    assert piece.keeps
    assert not replace(piece, reads=replace(piece.reads, complete=False)).keeps
    aged = world.compile(world.rule("context.token.age_seconds > 60")).slices[world.query().target.key]
    assert not aged.keeps
    whole = world.compile(world.rule("context.token == context.token")).slices[world.query().target.key]
    assert not whole.keeps
