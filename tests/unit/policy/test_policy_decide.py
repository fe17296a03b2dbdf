"""A call is allowed by exactly its permit and nothing else; everything else is a refusal with a reason."""

from dataclasses import replace

import cedarpy
import pytest

from launchworthy.manifest import TargetKind
from launchworthy.policy import compile_policy, explain
from launchworthy.policy.engine import ask, judge
from launchworthy.vocabulary import Environment, PrincipalKind, Reason, Refused

ADMIN = frozenset({"orders:write", "orders:pay", "admin"})


def refusal(policy, query):
    with pytest.raises(Refused) as refused:
        policy.decide(query)
    return refused.value


def test_a_caller_with_every_scope_is_allowed_by_the_permit(world):
    policy = world.compile()
    decision = policy.decide(world.query())
    assert (decision.rule, decision.policy_digest, decision.manifest_digest) == (
        "manifest:place_order",
        policy.digest,
        world.manifests.digest,
    )


def test_resources_are_decided_like_tools(world):
    policy = world.compile()
    assert policy.decide(world.query("order", of=TargetKind.RESOURCE)).rule == "manifest:resource:order"
    query = world.query("order", "orders:write", of=TargetKind.RESOURCE)
    assert refusal(policy, query).reason is Reason.TOOL_SCOPE


@pytest.mark.parametrize(
    "scopes", [("orders:write",), ("orders:pay",), ("orders:writer", "orders:pay"), ("*",)]
)
def test_one_missing_scope_is_enough_to_refuse(world, scopes):
    refused = refusal(world.compile(), world.query("place_order", *scopes))
    assert refused.reason is Reason.TOOL_SCOPE
    assert refused.scopes == ("orders:write", "orders:pay")
    assert refused.rules == ()


def test_more_scopes_than_needed_do_not_harm(world):
    assert world.compile().decide(world.query("find_orders", "orders:read", "orders:refund", "x"))


def test_a_target_of_another_environment_is_refused_here(world):
    query = world.query("refund_order")
    refused = refusal(world.compile(), query)
    assert (refused.reason, refused.detail) == (
        Reason.TOOL_ENVIRONMENT,
        "`refund_order` does not run in production",
    )
    assert world.compile(environment=Environment.STAGING).decide(query).rule == "manifest:refund_order"


def test_who_lacks_its_scope_does_not_learn_where_it_runs(world):
    assert refusal(world.compile(), world.query("refund_order", "orders:read")).reason is Reason.TOOL_SCOPE


def test_a_target_that_was_not_compiled_is_unknown(world):
    query = world.query()
    stranger = replace(query, target=replace(query.target, name="wipe_orders"))
    assert refusal(world.compile(), stranger).reason is Reason.TOOL_UNKNOWN


def test_what_was_compiled_counts_and_not_what_a_query_says_of_its_target(world):
    query = world.query("place_order", "orders:read")
    forged = replace(query, target=replace(query.target, scopes=("orders:read",), environments=None))
    assert refusal(world.compile(), forged).reason is Reason.TOOL_SCOPE
    elsewhere = world.query("refund_order")
    forged = replace(elsewhere, target=replace(elsewhere.target, environments=None))
    assert refusal(world.compile(), forged).reason is Reason.TOOL_ENVIRONMENT


def test_a_rule_of_the_team_says_no_in_its_words(world):
    policy = world.compile()
    arguments = {**world.query().arguments, "quantity": 21}
    refused = refusal(policy, world.query(arguments=arguments))
    assert (refused.reason, refused.rules) == (Reason.TOOL_POLICY, ("team:no-bulk-orders",))
    assert explain(policy, refused) == (
        "a rule of the team says no",
        f"team:no-bulk-orders: {policy.rules[0].says} (policy/rules.cedar:3)",
    )
    assert policy.decide(world.query(arguments={**arguments, "quantity": 20}))


def test_all_rules_that_say_no_are_named(world):
    arguments = {**world.query().arguments, "quantity": 21}
    refused = refusal(world.compile(), world.query(arguments=arguments, actors=("a", "b", "c")))
    assert refused.rules == ("team:no-bulk-orders", "team:short-delegation")


def test_a_rule_without_a_named_action_is_about_every_target(world):
    policy = world.compile()
    for name, kind in (("find_orders", TargetKind.TOOL), ("order", TargetKind.RESOURCE)):
        query = world.query(name, of=kind, actors=("a", "b", "c"))
        assert refusal(policy, query).rules == ("team:short-delegation",)
    assert policy.decide(world.query("find_orders", actors=("a", "b")))


def test_explanations_name_the_scopes_and_nothing_else(world):
    policy = world.compile()
    refused = refusal(policy, world.query("place_order", "orders:pay"))
    assert explain(policy, refused) == ("lacks orders:write; it needs: orders:write orders:pay",)
    elsewhere = refusal(policy, world.query("refund_order"))
    assert explain(policy, elsewhere) == ("`refund_order` does not run in production",)


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ('context.environment == "production"', None, {}),
        ('context.token.client == "robot"', {}, {"client": "robot"}),
        ('context.token.scopes.contains("admin")', {}, {"scopes": ADMIN}),
        ("context.token.age_seconds > 60", {}, {"issued_at": 999}),
        ("context.delegation_depth > 0", {}, {"actors": ("a",)}),
        ('principal.kind == "machine"', {}, {"kind": PrincipalKind.MACHINE}),
        ('principal.subject == "bob"', {}, {"subject": "bob"}),
        ('principal.issuer != "https://login.acme.example"', {}, {"issuer": "https://other.example"}),
        ('principal == Principal::"https://login.acme.example|bob"', {}, {"subject": "bob"}),
        ('resource.effect == "write"', None, {}),
        ('resource.kind == "tool"', None, {}),
    ],
)  # fmt: skip
def test_a_rule_may_look_at(world, condition, yes, no):
    policy = world.compile(world.rule(condition))
    assert refusal(policy, world.query(**no)).rules == ("team:r",)
    if yes is not None:
        assert policy.decide(world.query(**yes))


@pytest.mark.parametrize(
    ("condition", "argument", "yes", "no"),
    [
        ("context.arguments.quantity > 20", "quantity", -(2**63), 2**63 - 1),
        ("context.arguments.gift", "gift", False, True),
        ('context.arguments has note && context.arguments.note like "*urgent*"', "note", "x", "very urgent"),
        ('context.arguments has note && context.arguments.note == ""', "note", None, ""),
        ('context.arguments.tags.contains("old")', "tags", [], ["new", "old", "old"]),
    ],
)
def test_a_rule_may_look_at_the_argument(world, condition, argument, yes, no):
    policy = world.compile(world.rule(condition, 'principal, action == Action::"place_order", resource'))
    given = world.query().arguments
    assert policy.decide(world.query(arguments={**given, argument: yes}))
    assert refusal(policy, world.query(arguments={**given, argument: no})).rules == ("team:r",)


OVERFLOWS = "context.delegation_depth + 9223372036854775806 > 0"
ASKS = {
    "quantity": "context.arguments.quantity > 20",
    "gift": "context.arguments.gift",
    "note": 'context.arguments has note && context.arguments.note == "x"',
    "tags": 'context.arguments.tags.contains("x")',
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("quantity", True),
        ("quantity", 2.0),
        ("quantity", "2"),
        ("quantity", 2**63),
        ("quantity", -(2**63) - 1),
        ("quantity", float("nan")),
        ("quantity", {"__extn": {"fn": "decimal", "arg": "1.0"}}),
        ("quantity", None),
        ("gift", 0),
        ("gift", None),
        ("note", {"__entity": {"type": "Principal", "id": "x"}}),
        ("note", ["x"]),
        ("note", "\ud800"),
        ("note", "x" * 4097),
        ("tags", "new"),
        ("tags", ["new", 1]),
        ("tags", [["new"]]),
        ("tags", {"new": 1}),
        ("tags", ["x"] * 257),
        ("tags", [{"__entity": {"type": "Principal", "id": "x"}}]),
        ("tags", None),
    ],
)
def test_what_policy_cannot_read_is_refused_and_never_guessed(world, argument, value):
    policy = world.compile(world.rule(ASKS[argument], 'principal, action == Action::"place_order", resource'))
    arguments = {**world.query().arguments, argument: value}
    refused = refusal(policy, world.query(arguments=arguments))
    assert refused.reason is Reason.TOOL_POLICY
    assert f"`{argument}`" in refused.detail
    del arguments[argument]
    if argument == "note":
        assert policy.decide(world.query(arguments=arguments))
    else:
        assert refusal(policy, world.query(arguments=arguments)).reason is Reason.TOOL_POLICY


def test_an_argument_that_no_rule_reads_may_be_anything(world):
    policy = world.compile(world.rule(ASKS["gift"], 'principal, action == Action::"place_order", resource'))
    assert policy.decide(
        world.query(arguments={"gift": False, "quantity": {"__entity": 1}, "more": object()})
    )


def test_a_rule_that_errors_denies_though_cedar_allows(world):
    policy = world.compile(world.rule(OVERFLOWS, identifier="team:sum"))
    query = world.query(actors=("a", "b"))
    piece = policy.slices[query.target.key]
    answer = ask(piece, query, policy.entities.of(piece, query.principal), policy.types)
    assert answer.decision is cedarpy.Decision.Allow
    refused = refusal(policy, query)
    assert (refused.reason, refused.rules) == (Reason.TOOL_POLICY, ("team:sum",))
    assert "9223372036854775806" not in refused.detail
    works = world.compile(world.rule("context.delegation_depth + 9223372036854775805 < 0"))
    assert works.decide(query)


def test_a_rule_that_errors_beside_one_that_says_no_names_both(world):
    rules = world.rule(OVERFLOWS, identifier="team:sum") + world.rule("context.delegation_depth > 1")
    assert refusal(world.compile(rules), world.query(actors=("a", "b"))).rules == ("team:r", "team:sum")


def test_a_rule_that_asks_has_of_the_caller_is_not_skipped(world):
    policy = world.compile(world.rule('principal has kind && principal.kind == "machine"'))
    query, machine = world.query(), world.query(kind=PrincipalKind.MACHINE)
    assert refusal(policy, machine).rules == ("team:r",)
    assert policy.decide(query)
    piece = policy.slices[query.target.key]
    unseen = ask(piece, machine, cedarpy.Entities.from_json_str("[]"), policy.types)
    assert unseen.allowed, "without the entity Cedar skips the rule and says nothing"


def test_a_caller_that_cannot_be_described_is_refused(world):
    policy = world.compile(world.rule('principal.kind == "machine"'))
    assert refusal(policy, world.query(subject="\ud800")).reason is Reason.POLICY_ENTITY_MISSING


def test_a_caller_that_cedar_was_not_told_of_is_refused(world, monkeypatch):
    policy = world.compile(world.rule('principal.kind == "machine"'))
    other = "launchworthy.policy.entities._TYPES"  # types with actions, which Cedar counts as entities
    monkeypatch.setattr(other, cedarpy.Schema.from_str(policy.schema))
    assert refusal(policy, world.query()).reason is Reason.POLICY_ENTITY_MISSING


def test_a_caller_is_named_whole_however_odd(world):
    policy = world.compile(world.rule('principal == Principal::"https://login.acme.example|alice"'))
    for subject in ('alice"', "alice\n", "alice\x00", "alice|", "", 'alice" || true || "'):
        assert policy.decide(world.query(subject=subject))
    assert refusal(policy, world.query()).rules == ("team:r",)


def test_a_failure_of_the_engine_is_a_refusal(world):
    policy = world.compile()
    assert refusal(policy, world.query(subject="\ud800")).reason is Reason.INTERNAL
    other = replace(
        policy, types=cedarpy.Schema.from_str("entity A; action b appliesTo { principal: A, resource: A };")
    )
    assert refusal(other, world.query()).reason is Reason.INTERNAL


MINE = "manifest:place_order"
ABOUT = "error while evaluating policy `team:short-delegation`: overflow"


@pytest.mark.parametrize(
    ("decision", "cited", "errors", "reason"),
    [
        ("Allow", [MINE], [], None),
        ("Allow", [], [], Reason.INTERNAL),
        ("Allow", ["manifest:find_orders"], [], Reason.INTERNAL),
        ("Allow", [MINE, "manifest:find_orders"], [], Reason.INTERNAL),
        ("Allow", [MINE, MINE], [], Reason.INTERNAL),
        ("Allow", [MINE], ["something else"], Reason.INTERNAL),
        ("Allow", [MINE], [ABOUT], Reason.TOOL_POLICY),
        ("Deny", [], [], Reason.INTERNAL),
        ("Deny", [MINE], [], Reason.TOOL_POLICY),
        ("NoDecision", [], ["failed to build request"], Reason.INTERNAL),
        ("NoDecision", [MINE], [], Reason.INTERNAL),
    ],
)
def test_an_answer_allows_only_by_the_whole_rule(world, decision, cited, errors, reason):
    query = world.query()
    piece = world.compile().slices[query.target.key]
    answer = cedarpy.AuthzResult({"decision": decision, "diagnostics": {"reason": cited, "errors": errors}})
    if reason is None:
        assert judge(piece, query, answer) is None
    else:
        with pytest.raises(Refused) as refused:
            judge(piece, query, answer)
        assert refused.value.reason is reason


def test_an_overtaken_clock_makes_a_token_zero_seconds_old(world):
    policy = world.compile(world.rule("context.token.age_seconds < 0"))
    assert policy.decide(world.query(now=900))


def test_everything_is_parsed_once(world):
    policy = world.compile(world.rule('principal.kind == "machine"'))
    query = world.query()
    piece = policy.slices[query.target.key]
    entities = policy.entities.of(piece, query.principal)
    assert policy.entities.of(piece, query.principal) is entities
    metrics = ask(piece, query, entities, policy.types).metrics
    assert [
        metrics[name] for name in ("policies_pre_parsed", "schema_pre_parsed", "entities_pre_parsed")
    ] == [1, 1, 1]


def test_callers_are_described_anew_for_each_of_them_and_not_kept_for_ever(world):
    policy = world.compile(world.rule('principal.subject like "bob*"'))
    for number in range(1100):
        assert policy.decide(world.query(subject=f"alice-{number}"))
    assert refusal(policy, world.query(subject="bob")).rules == ("team:r",)
    assert len(policy.entities._handles) <= 1024


def test_a_policy_without_rules_is_the_manifest_alone(world):
    policy = compile_policy(world.manifests, Environment.PRODUCTION, {})
    assert policy.rules == ()
    assert policy.decide(world.query(actors=("a", "b", "c", "d")))
