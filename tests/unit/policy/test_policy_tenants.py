"""Where there are several tenants, whose the caller is decides with; another tenant's target is nobody's."""

import pytest

from launchworthy.manifest import load_manifests
from launchworthy.policy import Query
from launchworthy.policy.cached import CachedPolicy
from launchworthy.vocabulary import ProblemError, Reason, Refused

ACCOUNTS = b"""
[tools.find_account]
effect = "read"
scopes = ["orders:read"]
policy_inputs = ["tenant_id"]
tenant_argument = "tenant_id"
example = { tenant_id = "acme" }
"""
RULE = b"""@id("team:not-zenith") @says("zenith is suspended")
forbid (principal, action, resource) when { context.tenant == "zenith" };
"""


def files(world, tools: bytes = ACCOUNTS, tenancy: bytes = b"multi") -> dict[str, bytes]:
    server = world.manifests.files["manifests/server.toml"].replace(b'"single"', b'"' + tenancy + b'"')
    return {**world.manifests.files, "manifests/server.toml": server, "manifests/more.toml": tools}


@pytest.fixture
def several(world):
    other = type(world)()
    other.manifests = load_manifests(files(world))
    return other


def asked(several, tenant: str | None, *, of: str = "acme") -> Query:
    return several.query("find_account", arguments={"tenant_id": of}, tenant=tenant)


def test_a_caller_gets_at_what_is_its_own_tenants(several):
    decision = several.compile().decide(asked(several, "acme"))
    assert decision.rule == "manifest:find_account"


@pytest.mark.parametrize("tenant", ["zenith", "ACME", "acme ", ""])
def test_a_caller_of_another_tenant_does_not(several, tenant):
    with pytest.raises(Refused) as refused:
        several.compile().decide(asked(several, tenant))
    assert (refused.value.reason, refused.value.rules) == (
        Reason.TOOL_POLICY,
        ("guard:tenant:find_account",),
    )


def test_an_argument_that_is_missing_is_nobodys(several):
    query = several.query("find_account", arguments={}, tenant="acme")
    with pytest.raises(Refused):
        several.compile().decide(query)


@pytest.mark.parametrize("name", ["find_account", "find_orders"])
def test_nothing_is_decided_about_a_caller_without_a_tenant(several, name):
    query = several.query(name, arguments={"tenant_id": "acme", "customer": "c-17"}, tenant=None)
    with pytest.raises(Refused) as refused:
        CachedPolicy(several.compile(b"")).decide(query)
    assert refused.value.reason is Reason.TOKEN_CLAIMS


def test_a_decision_that_is_kept_is_kept_for_the_tenant(several):
    policy = CachedPolicy(several.compile(RULE))
    assert policy.decide(several.query("find_orders", tenant="acme"))
    with pytest.raises(Refused) as refused:
        policy.decide(several.query("find_orders", tenant="zenith"))
    assert refused.value.rules == ("team:not-zenith",)
    policy = CachedPolicy(several.compile())
    assert policy.decide(asked(several, "acme"))
    with pytest.raises(Refused):
        policy.decide(asked(several, "zenith"))


def test_a_rule_about_tenants_means_nothing_where_there_is_one(several, world):
    several.compile(RULE)
    with pytest.raises(ProblemError):
        world.compile(RULE)


def test_no_grant_lifts_the_guard(several):
    policy = several.compile()
    query = several.query(
        "find_account",
        arguments={"tenant_id": "acme"},
        tenant="zenith",
        lifted=frozenset({"guard:tenant:find_account"}),
    )
    with pytest.raises(Refused):
        policy.decide(query)


def test_the_policy_tries_the_guard_on_itself(several):
    several.compile().self_test()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'policy_inputs = ["tenant_id"]\n', b""),
        (b'"acme"', b"7"),
        (b'tenant_argument = "tenant_id"', b'tenant_argument = "tenant"'),
    ],
)
def test_an_argument_that_policy_does_not_see_as_a_text_holds_nobody(world, old, new):
    with pytest.raises(ProblemError) as error:
        load_manifests(files(world, ACCOUNTS.replace(old, new)))
    assert {each.reason for each in error.value.problems} == {"tenant-argument"}


def test_an_argument_names_a_tenant_only_where_there_are_several_and_examples_agree(world):
    other = ACCOUNTS.replace(b"find_account", b"close_account").replace(b'"acme"', b'"zenith"')
    for wrong in (files(world, tenancy=b"single"), files(world, ACCOUNTS + other)):
        with pytest.raises(ProblemError) as error:
            load_manifests(wrong)
        assert {each.reason for each in error.value.problems} == {"tenant-argument"}
    assert load_manifests(files(world)).example_tenant == "acme"
