"""Manifests and rules become one policy, the same every time, in which a team can only forbid."""

import time

import cedarpy
import pytest

from launchworthy.manifest import TargetKind, load_manifests
from launchworthy.policy import Rule
from launchworthy.policy.attributes import context_attributes
from launchworthy.policy.compiler import check
from launchworthy.policy.rule import read_rules
from launchworthy.vocabulary import Environment, ProblemError

PATHS = [
    "policy/prod/x.cedar",
    "policy/staging/more/x.cedar",
    "rules/x.cedar",
    "x.cedar",
    "policy/x.txt",
    "policy/x\npermit (principal, action, resource); .cedar",
]


def problems(world, rules, environment=Environment.PRODUCTION):
    with pytest.raises(ProblemError) as refused:
        world.compile(rules, environment)
    return refused.value.problems


def problem(world, rules):
    found = problems(world, rules)
    assert len(found) == 1, found
    return found[0]


def test_each_target_that_runs_here_has_one_permit(world):
    policy = world.compile(b"")
    assert policy.text == (
        "// launchworthy policy 1, production\n"
        "\n"
        '@id("manifest:resource:order")\n'
        'permit (principal, action == Action::"resource:order", resource == Target::"resource:order")\n'
        'when { context.environment == "production" }\n'
        'when { context.token.scopes.containsAll(["orders:read"]) };\n'
        "\n"
        '@id("manifest:find_orders")\n'
        'permit (principal, action == Action::"find_orders", resource == Target::"find_orders")\n'
        'when { context.environment == "production" }\n'
        'when { context.token.scopes.containsAll(["orders:read"]) };\n'
        "\n"
        '@id("manifest:place_order")\n'
        'permit (principal, action == Action::"place_order", resource == Target::"place_order")\n'
        'when { context.environment == "production" }\n'
        'when { context.token.scopes.containsAll(["orders:pay", "orders:write"]) };\n'
        "\n"
        "// refund_order: not in production\n"
        "\n"
        "// policy/rules.cedar\n"
        "\n"
    )
    assert '@id("manifest:refund_order")' in world.compile(b"", Environment.STAGING).text


def test_the_types_are_those_of_what_a_rule_may_look_at(world):
    schema = world.compile(b"").schema
    assert 'entity Principal = { "issuer": String, "kind": String, "subject": String };' in schema
    assert (
        'action "place_order" appliesTo {\n'
        "  principal: [Principal],\n"
        "  resource: [Target],\n"
        '  context: { "arguments": { "gift": Bool, "note"?: String, "quantity": Long, "tags": Set<String> }, '
        '"delegation_depth": Long, "environment": String, "forwarded_peer"?: String, "peer"?: String, '
        '"token": { "age_seconds": Long, "client": String, "scopes": Set<String> } }\n'
        "};\n"
    ) in schema


def test_the_text_is_the_policy_that_cedar_reads(world):
    policy = world.compile()
    assert cedarpy.validate_policies(policy.text, policy.schema).validation_passed
    names = {rule.annotations["id"] for rule in cedarpy.policies_to_pst(policy.text).static_policies.values()}
    assert names == {
        "manifest:find_orders",
        "manifest:place_order",
        "manifest:resource:order",
        "team:no-bulk-orders",
        "team:short-delegation",
    }


def test_the_same_is_compiled_to_the_same(world):
    one, other = world.compile(), world.compile()
    assert (one.digest, one.text, one.schema) == (other.digest, other.text, other.schema)
    assert len(one.digest) == 64


def test_the_order_of_tables_and_files_does_not_matter(world):
    before = world.compile({"policy/b.cedar": world.rules, "policy/a.cedar": world.rule("false")})
    manifests = world.manifests
    tables = manifests.files["manifests/tools.toml"].decode().strip().split("\n\n")
    shuffled = {**manifests.files, "manifests/tools.toml": "\n\n".join(reversed(tables)).encode()}
    other = type(world)()
    other.manifests = load_manifests(shuffled)
    assert (
        other.compile({"policy/a.cedar": world.rule("false"), "policy/b.cedar": world.rules}).digest
        == before.digest
    )


@pytest.mark.parametrize("environment", [Environment.STAGING, Environment.DEVELOPMENT])
def test_each_environment_has_its_own_digest(world, environment):
    assert world.compile(environment=environment).digest != world.compile().digest


def test_rules_are_listed_with_their_words_and_lines(world):
    assert world.compile().rules == (
        Rule(
            id="team:no-bulk-orders",
            says="an agent orders at most 20 of an article; a person orders more in the shop",
            where="policy/rules.cedar:3",
        ),
        Rule(
            id="team:short-delegation",
            says="a call may come through at most two agents",
            where="policy/rules.cedar:8",
        ),
    )


def test_windows_line_ends_mean_the_same(world):
    assert world.compile(world.rules.replace(b"\n", b"\r\n")).digest == world.compile().digest


def test_rules_of_an_environment_apply_there_only(world):
    rules = {
        "policy/rules.cedar": world.rules,
        "policy/production/hard.cedar": world.rule("true", identifier="team:here"),
        "policy/staging/soft.cedar": world.rule("true", identifier="team:here"),
    }
    production, staging = world.compile(rules), world.compile(rules, Environment.STAGING)
    assert {"policy/production/hard.cedar:1"} < {rule.where for rule in production.rules}
    assert {"policy/staging/soft.cedar:1"} < {rule.where for rule in staging.rules}
    assert (len(production.rules), len(staging.rules)) == (3, 3)
    assert len(world.compile(rules, Environment.DEVELOPMENT).rules) == 2


@pytest.mark.parametrize("path", PATHS)
def test_a_rule_that_would_apply_nowhere_is_refused(world, path):
    assert problem(world, {path: world.rules}).reason == "policy-folder"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ('\n@id("team:a") @says("x")\npermit (principal, action, resource);', "policy-permits", 2),
        ('\n\n@says("x") forbid (principal, action, resource);', "policy-rule-id", 3),
        ('@id("org:a") @says("x") forbid (principal, action, resource);', "policy-rule-id", 1),
        ('@id("manifest:find_orders") @says("x") forbid (principal, action, resource);', "policy-rule-id", 1),
        ('@id("team:") @says("x") forbid (principal, action, resource);', "policy-rule-id", 1),
        ('@id("team:A") @says("x") forbid (principal, action, resource);', "policy-rule-id", 1),
        ('@id("team:a\\n") @says("x") forbid (principal, action, resource);', "policy-rule-id", 1),
        ('@id("team:a") forbid (principal, action, resource);', "policy-says", 1),
        ('@id("team:a") @says("") forbid (principal, action, resource);', "policy-says", 1),
        ('@id("team:a") @says("  ") forbid (principal, action, resource);', "policy-says", 1),
        ('@id("team:a") @says("a\\nb") forbid (principal, action, resource);', "policy-says", 1),
        ('@id("team:a") @says("a\\u{202e}b") forbid (principal, action, resource);', "policy-says", 1),
        (f'@id("team:a") @says("{"x" * 201}") forbid (principal, action, resource);', "policy-says", 1),
        (
            '@id("team:a") @says("x") @except("me") forbid (principal, action, resource);',
            "policy-annotation",
            1,
        ),
        (
            '@id("team:a") @says("x") forbid (principal == ?principal, action, resource);',
            "policy-template",
            1,
        ),
        (
            '@id("team:a") @says("x")\nforbid (principal, action, resource) when { foo };',
            "policy-not-cedar",
            1,
        ),
        ('@id("team:a") @says("x") forbid (principal, action, resource)', "policy-not-cedar", 1),
        ("// fine\n;", "policy-not-cedar", 2),
        ('// fine\n"', "policy-not-cedar", 2),
        ("// \u202e", "hidden-character", 1),
        ("\ufeff// fine", "hidden-character", 1),
    ],
)
def test_what_is_no_rule_of_a_team_is_refused_with_its_line(world, text, reason, line):
    found = problem(world, text.encode())
    assert (found.reason, found.where) == (reason, f"policy/rules.cedar:{line}")


def test_a_file_that_cannot_be_read_is_refused(world):
    assert problem(world, b"// ok\n// \xff").where == "policy/rules.cedar:2"
    assert problem(world, b"/" * (256 * 1024 + 1)).reason == "policy-not-cedar"


def test_two_rules_of_one_name_are_refused_wherever_they_stand(world):
    found = problem(
        world, {"policy/a.cedar": world.rule("true"), "policy/production/b.cedar": world.rule("false")}
    )
    assert (found.reason, found.where) == ("policy-rule-id", "policy/production/b.cedar:1")
    assert "policy/a.cedar:1" in found.what


def test_several_problems_are_told_at_once(world):
    text = b'permit (principal, action, resource);\n@id("team:a") forbid (;\nforbid (principal, action);'
    assert [(found.reason, found.where[-1]) for found in problems(world, text)] == [
        ("policy-permits", "1"),
        ("policy-rule-id", "1"),
        ("policy-says", "1"),
        ("policy-not-cedar", "2"),
        ("policy-not-cedar", "3"),
    ]


@pytest.mark.parametrize(
    ("condition", "scope"),
    [
        ("context.arguments.quantity > 20", "principal, action, resource"),
        ("context.arguments.size > 20", 'principal, action == Action::"place_order", resource'),
        ('context.arguments.note like "*x*"', 'principal, action == Action::"place_order", resource'),
        ("context.arguments.quantity", 'principal, action == Action::"place_order", resource'),
        ('context.arguments.quantity == "2"', 'principal, action == Action::"place_order", resource'),
        ("true", 'principal, action == Action::"wipe_orders", resource'),
        ("true", "principal is Target, action, resource"),
        ('principal in Group::"admins"', "principal, action, resource"),
        ('principal.email == "x"', "principal, action, resource"),
        ("context.token.acr == 3", "principal, action, resource"),
    ],
)
def test_a_rule_that_does_not_fit_the_types_is_refused(world, condition, scope):
    found = problems(world, b"\n" + world.rule(condition, scope))
    assert {(one.reason, one.where, one.field) for one in found} == {
        ("policy-invalid", "policy/rules.cedar:2", "team:r")
    }


def test_a_rule_that_asks_first_fits(world):
    condition = 'context.arguments has note && context.arguments.note like "*x*"'
    assert world.compile(world.rule(condition)).rules


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("context.arguments has quantty && context.arguments.quantty > 20", "context.arguments.quantty"),
        ("context.token has acr", "context.token.acr"),
        ("context has tenant", "context.tenant"),
        ("principal has groups", "principal.groups"),
        ("resource has owner", "resource.owner"),
    ],
)
def test_a_rule_that_asks_for_what_is_never_there_is_refused(world, condition, name):
    found = problem(world, world.rule(condition))
    assert (found.reason, found.where) == ("policy-unknown-attribute", "policy/rules.cedar:1")
    assert f"`{name}`" in found.what


def test_so_is_one_whose_tool_does_not_show_the_argument(world):
    condition = "context.arguments has quantity && context.arguments.quantity > 20"
    assert world.compile(world.rule(condition)).rules
    scope = 'principal, action == Action::"find_orders", resource'
    assert problem(world, world.rule(condition, scope)).reason == "policy-unknown-attribute"


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 3000 + "true" + ")" * 3000,
        "[" * 3000 + "1" + "]" * 3000 + " == [1]",
        "{a:" * 3000 + "1" + "}" * 3000 + " == {a: 1}",
        "true || " * 5000 + "true",
        "context" + ".a" * 5000,
        "1 + " * 5000 + "1 == 1",
        "if true then " * 3000 + "true" + " else true" * 3000,
        "(" * 33 + "true" + ")" * 33,
    ],
    ids=lambda condition: condition[:16],
)
def test_a_condition_that_would_end_the_process_is_refused(world, condition):
    assert problem(world, world.rule(condition)).reason == "policy-not-cedar"


def test_a_long_condition_is_fine(world):
    names = " || ".join(f'context.token.client == "agent-{number}"' for number in range(60))
    many = ", ".join(f'"agent-{number}"' for number in range(2000))
    assert world.compile(world.rule(names)).rules
    assert world.compile(world.rule(f"!([{many}].contains(context.token.client))")).rules
    assert world.compile(world.rule("(" * 30 + "true" + ")" * 30)).rules


def test_a_whole_that_is_not_the_sum_of_its_files_is_refused(world):
    [file] = read_rules({"policy/rules.cedar": world.rules}, Environment.PRODUCTION)
    [swapped] = read_rules(
        {"policy/rules.cedar": world.rules.replace(b"> 20", b"> 2")}, Environment.PRODUCTION
    )
    policy = world.compile()
    policies = tuple(cedarpy.policies_to_pst(policy.text).static_policies.values())
    contexts = {
        key: context_attributes(t, Environment.PRODUCTION, has_tenants=False)
        for key, t in world.manifests.targets.items()
    }
    generated = frozenset(piece.permit for piece in policy.slices.values())
    check((file,), policy.text, policies, contexts, generated=generated)
    with pytest.raises(ProblemError) as refused:
        check((swapped,), policy.text, policies, contexts, generated=generated)
    assert refused.value.problems[0].reason == "policy-not-cedar"
    with pytest.raises(ProblemError):
        check((file,), policy.text, policies, contexts, generated=generated - {"manifest:find_orders"})


def test_comments_and_strings_do_not_cut_a_rule(world):
    text = rb"""
// forbid (principal, action, resource);
@id("team:a") @says("a; b // c \"; d")   // ;
forbid (principal, action, resource)   // ; "
when { context.token.client like "*;//\"*" };  // the end"""
    [rule] = world.compile(text).rules
    assert (rule.says, rule.where) == ('a; b // c "; d', "policy/rules.cedar:3")


def test_names_that_are_words_of_cedar_are_names(world):
    tools = b"""
[tools.permit]
effect = "read"
scopes = ["orders:read"]
policy_inputs = ["if", "in?", "like", "true"]
example = { if = 1, in = "x", like = true, true = ["x"] }
"""
    other = world.with_tools(tools)
    condition = (
        'context.arguments["if"] > 1 || (context.arguments has "in" && context.arguments["in"] == "y")'
    )
    policy = other.compile(world.rule(condition, 'principal, action == Action::"permit", resource'))
    arguments = {"if": 1, "in": "x", "like": True, "true": []}
    assert policy.decide(other.query("permit", arguments=arguments)).rule == "manifest:permit"


def test_a_resource_and_a_tool_of_one_name_are_two(world):
    tools = b'[tools.order]\neffect = "read"\nscopes = ["orders:write"]\n'
    other = world.with_tools(tools)
    policy = other.compile(b"")
    assert policy.decide(other.query("order", "orders:write")).rule == "manifest:order"
    found = policy.decide(other.query("order", "orders:read", of=TargetKind.RESOURCE))
    assert found.rule == "manifest:resource:order"


def test_hundreds_of_tools_compile_quickly(world):
    tools = "".join(f'[tools.t{n}]\neffect = "read"\nscopes = ["orders:read"]\n' for n in range(200))
    other = world.with_tools(tools.encode())
    before = time.process_time()
    assert len(other.compile().slices) == 203
    assert time.process_time() - before < 5
