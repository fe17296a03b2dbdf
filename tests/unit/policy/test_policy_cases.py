"""A team's table of expected decisions is read, run, and found to cover every tool."""

import pytest

from launchworthy.policy import load_cases, run_cases, uncovered
from launchworthy.vocabulary import Environment, ProblemError

PATH = "tests/policy.toml"
CASES = b"""
[[cases]]
call   = "find_orders"
scopes = ["orders:read"]
expect = "allow"

[[cases]]
call   = "find_orders"
scopes = ["orders:write"]
expect = "scope"

[[cases]]
call   = "place_order"
scopes = ["orders:write", "orders:pay"]
expect = "allow"

[[cases]]
call      = "place_order"
scopes    = ["orders:write", "orders:pay"]
arguments = { quantity = 21 }
expect    = "team:no-bulk-orders"

[[cases]]
call   = "refund_order"
scopes = ["orders:read"]
expect = "scope"

[[cases]]
call   = "refund_order"
scopes = ["orders:refund"]
expect = "allow"

[[cases]]
call        = "refund_order"
environment = "production"
scopes      = ["orders:refund"]
expect      = "environment"

[[cases]]
read             = "order"
scopes           = ["orders:read"]
delegation_depth = 3
expect           = "team:short-delegation"
"""
REAL = (Environment.STAGING, Environment.PRODUCTION)


def policies(world, rules=None):
    return {environment: world.compile(rules or world.rules, environment) for environment in REAL}


def load(world, text=CASES):
    return load_cases(PATH, text, world.manifests)


def problem(world, text):
    with pytest.raises(ProblemError) as refused:
        load(world, text)
    [found] = refused.value.problems
    return found


def test_every_case_is_asked_in_every_environment_it_is_about(world):
    results = run_cases(load(world), policies(world))
    assert all(result.passed for result in results), [result for result in results if not result.passed]
    refunds = [result.environment for result in results if result.case.target.name == "refund_order"]
    assert refunds == [Environment.STAGING, Environment.STAGING, Environment.PRODUCTION]


def test_arguments_that_a_case_leaves_out_are_those_of_the_example(world):
    case = load(world)[3]
    assert case.arguments == {"quantity": 21, "gift": False, "note": "quick", "tags": ["new"]}


def test_a_case_can_be_about_any_caller(world):
    text = b"""
[[cases]]
call = "find_orders"
scopes = ["orders:read"]
kind = "person"
issuer = "https://login.acme.example"
subject = "alice"
client = "robot"
age_seconds = 61
delegation_depth = 2
expect = "allow"
"""
    [case] = load(world, text)
    rules = [
        'principal.kind == "person"',
        'principal.issuer == "https://login.acme.example"',
        'principal.subject == "alice"',
        'context.token.client == "robot"',
        "context.token.age_seconds == 61",
        "context.delegation_depth == 2",
    ]
    for condition in rules:
        policy = {Environment.STAGING: world.compile(world.rule(condition), Environment.STAGING)}
        [result] = run_cases([case], policy)
        assert result.observed == ("team:r",)


def test_a_case_that_does_not_pass_says_what_was_decided_and_why(world):
    text = CASES.replace(b'"team:no-bulk-orders"', b'"allow"')
    failed = [result for result in run_cases(load(world, text), policies(world)) if not result.passed]
    found = failed[0].problem()
    assert (found.reason, found.where) == ("policy-case-failed", "tests/policy.toml:17")
    assert (
        found.what == "expects `allow` of the tool `place_order` in staging, and it is `team:no-bulk-orders`"
    )
    assert found.fix[1].startswith("team:no-bulk-orders: an agent orders at most 20")


@pytest.mark.parametrize("expect", ["scope", "team:short-delegation", "team:nothing", "environment"])
def test_denied_by_another_rule_is_not_as_expected(world, expect):
    text = CASES.replace(b'"team:no-bulk-orders"', f'"{expect}"'.encode())
    assert not all(result.passed for result in run_cases(load(world, text), policies(world)))


def test_of_two_rules_that_say_no_either_may_be_named(world):
    text = CASES.replace(
        b"arguments = { quantity = 21 }", b"arguments = { quantity = 21 }\ndelegation_depth = 3"
    )
    assert all(result.passed for result in run_cases(load(world, text), policies(world)))


def test_an_engine_failure_is_nothing_that_can_be_expected(world):
    text = CASES.replace(b"{ quantity = 21 }", b"{ quantity = true }").replace(
        b"team:no-bulk-orders", b"scope"
    )
    results = run_cases(load(world, text), policies(world))
    assert {result.observed for result in results if not result.passed} == {("tool.policy",)}


@pytest.mark.parametrize(
    ("old", "new", "reason", "line"),
    [
        (b'expect = "scope"', b'expect = "approve"', "bad-value", 10),
        (b'expect = "scope"', b'expect = "scope"\napproved = "yes"', "bad-value", 11),
        (b'expect = "scope"', b'expect = "deny"', "bad-value", 10),
        (b'expect = "scope"', b'expects = "scope"', "unknown-field", 10),
        (b'scopes = ["orders:write"]', b"", "missing-field", 7),
        (b'scopes = ["orders:write"]', b'scopes = ["orders write"]', "bad-value", 9),
        (b'call   = "find_orders"', b'call = "find_order"', "unknown-target", 2),
        (b'call   = "find_orders"', b'read = "find_orders"', "unknown-target", 2),
        (b'call   = "find_orders"', b"", "bad-value", 2),
        (b'call   = "find_orders"', b'call = "find_orders"\nread = "order"', "bad-value", 2),
        (b'environment = "production"', b'environment = "rehearsal"', "bad-value", 35),
        (b"delegation_depth = 3", b"delegation_depth = 5", "bad-value", 42),
        (b"[[cases]]", b"[[case]]", "unknown-field", 2),
    ],
)
def test_a_case_that_cannot_be_meant_is_refused_with_its_line(world, old, new, reason, line):
    found = problem(world, CASES.replace(old, new, 1))
    assert (found.reason, found.where) == (reason, f"{PATH}:{line}")


def test_a_table_is_named_as_it_is_written(world):
    assert "in [[cases]]" in problem(world, CASES.replace(b'expect = "scope"', b'expects = "scope"', 1)).what


def test_a_file_without_cases_is_read(world):
    assert load(world, b"# later\n") == ()


def test_every_tool_has_an_allow_and_a_deny_in_every_environment_it_runs_in(world):
    assert uncovered(load(world), world.manifests, REAL, path=PATH) == ()


def test_a_gap_is_told_with_the_lines_to_paste(world):
    text = CASES.replace(
        b'call   = "refund_order"\nscopes = ["orders:read"]', b'call = "find_orders"\nscopes = []'
    )
    [found] = uncovered(load(world, text), world.manifests, REAL, path=PATH)
    assert (found.reason, found.where, found.field) == ("policy-case-missing", PATH, "refund_order")
    assert found.what == (
        "has no case that says that `refund_order` is denied in staging (1 of 2 pairs of it are covered)"
    )
    assert found.fix == (
        "add:",
        "  [[cases]]",
        '  call        = "refund_order"',
        '  environment = "staging"',
        "  scopes      = […]",
        '  expect      = "scope"',
    )


def test_a_case_of_one_environment_covers_no_other(world):
    text = CASES.replace(b'call   = "place_order"', b'call = "place_order"\nenvironment = "staging"', 1)
    found = uncovered(load(world, text), world.manifests, REAL, path=PATH)
    assert [one.what.split(" (")[0] for one in found] == [
        "has no case that says that `place_order` is allowed in production"
    ]


def test_without_cases_everything_is_missing(world):
    found = uncovered((), world.manifests, REAL, path=PATH)
    assert len(found) == 2 * 2 + 2 * 2 + 2
