"""Over generated rules and requests: what was cut, kept or compiled decides as Cedar does over the whole."""

import json
import random
from collections import Counter
from dataclasses import replace
from functools import cache

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launchworthy.manifest import TargetKind, load_manifests
from launchworthy.policy import ApprovalNeeded, CachedPolicy, Query, compile_policy
from launchworthy.policy import slice as slicing
from launchworthy.policy.attributes import context_attributes
from launchworthy.policy.cedar_schema import action_id
from launchworthy.vocabulary import (
    Approved,
    Environment,
    Principal,
    PrincipalKind,
    ProblemError,
    Reason,
    Refused,
)

SERVER = b"""
name = "orders"
title = "Orders"
description = "Orders"
ownership.owner = "@a/b"
ownership.on_call = "a@b.example"
ownership.security = "a@b.example"
ownership.approvers = ["@a/c"]
ownership.runbook = "R.md"
ownership.reviewed = 2026-11-20
scopes = { entry = ["read"] }
data = { classification = "internal", tenancy = "single", audit_retention = "400d" }
lifecycle = { stage = "active", decommission = "R.md" }
"""
TOOLS = b"""
[tools.one]
effect = "read"
scopes = ["read"]

[tools.two]
effect = "write"
scopes = ["read", "write"]
policy_inputs = ["size", "flag", "note?", "tags"]
example = { size = 1, flag = true, note = "x", tags = ["x"] }

[tools.three]
effect = "destructive"
scopes = ["wipe"]
environments = ["development", "staging"]
approval = "none"
approval_reason = "nobody to ask"
policy_inputs = ["size?"]
example = { size = 1 }

[tools.four]
effect = "destructive"
scopes = ["wipe"]
approval = "form"
policy_inputs = ["size?"]
example = { size = 1 }

[resources.order]
uri = "orders://order/{order_id}"
scopes = ["read"]
"""
MANIFESTS = load_manifests({"manifests/server.toml": SERVER, "manifests/tools.toml": TOOLS})
TARGETS = tuple(MANIFESTS.targets.values())
UIDS = tuple(action_id(target.key) for target in TARGETS)
ISSUERS = ("https://a.example", "https://b.example")
SUBJECTS = ("alice", "bob")
PEERS = ("spiffe://acme.example/edge", "spiffe://acme.example/job")
CALLERS = tuple(f"{issuer}|{subject}" for issuer in ISSUERS for subject in SUBJECTS)

# ------------------------------------------------------------------------------ rules and requests, by a seed

NUMBERS = ["context.delegation_depth", "context.token.age_seconds", "1", "2", "60", "-1"]
CONDITIONS = [
    "true",
    'context.environment == "production"',
    'context.token.client == "c1"',
    'context.token.client like "c*"',
    'context.token.scopes.contains("write")',
    'context.token.scopes.containsAny(["wipe", "admin"])',
    'context.token.scopes.containsAll(["read", "write"])',
    "context.token.scopes.isEmpty()",
    '(if context.delegation_depth > 1 then context.token else context.token).client == "c1"',
    "context.token == context.token",
    "context has arguments",
    "context.token has client",
    'principal.kind == "machine"',
    'principal.issuer == "https://a.example"',
    'principal.subject like "a*"',
    "principal has subject",
    'principal has kind && principal.kind == "machine"',
    f'principal == Principal::"{CALLERS[0]}"',
    f'principal in Principal::"{CALLERS[1]}"',
    f'principal is Principal in Principal::"{CALLERS[2]}"',
    f'[Principal::"{CALLERS[0]}", Principal::"{CALLERS[3]}"].contains(principal)',
    '(if true then principal else principal).kind == "person"',
    f'Principal::"{CALLERS[0]}" has kind && Principal::"{CALLERS[0]}".kind == "machine"',
    'resource.effect == "write"',
    'resource == Target::"two"',
    'Target::"three".effect == "destructive"',
    'action == Action::"one"',
    'action in [Action::"two", Action::"resource:order"]',
    "context.arguments has size && context.arguments.size > 1",
    "context.arguments has size && context.arguments.size + 1 > 2",  # overflows for the largest
    f"context.delegation_depth + {2**63 - 3} < 0",  # overflows from depth 3
    "context.arguments has flag && context.arguments.flag",
    'context.arguments has note && context.arguments.note like "*x*"',
    'context.arguments has tags && context.arguments.tags.contains("x")',
    "context.arguments has note",
    f'context has peer && context.peer == "{PEERS[0]}"',
    'context has peer && context.peer like "*job"',
    f'context has forwarded_peer && context.forwarded_peer == "{PEERS[1]}"',
    "context has forwarded_peer",
    "context has approved",
    "context has approved && context.approved",
    'context has approved && !context.approved && principal.kind == "machine"',
]


class Dice:
    """Rules and requests of one seed."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # noqa: S311 - nothing secret

    def __getattr__(self, name):
        return getattr(self._random, name)

    def number(self):
        return self.choice(
            [
                self.choice(NUMBERS),
                f"({self.choice(NUMBERS)} + {self.choice(NUMBERS)})",
                f"(context.delegation_depth + {2**63 - 3})",  # overflows from depth 3
                f'(if principal.kind == "person" then {self.choice(NUMBERS)} else {self.choice(NUMBERS)})',
                "{a: context.delegation_depth}.a",
            ]
        )

    def condition(self, depth=2):
        form = self.randrange(8) if depth else self.randrange(2, 6)
        if form == 0:
            return f"({self.condition(depth - 1)} {self.choice(['&&', '||'])} {self.condition(depth - 1)})"
        if form == 1:
            parts = [self.condition(depth - 1) for _ in range(3)]
            return "(if {} then {} else {})".format(*parts)
        if form == 2:
            return f"{self.number()} {self.choice(['<', '<=', '>', '>=', '==', '!='])} {self.number()}"
        if form == 3:
            return f"!({self.choice(CONDITIONS)})"
        return f"({self.choice(CONDITIONS)})"

    def scope(self):
        caller = f'Principal::"{self.choice(CALLERS)}"'
        acts = f'Action::"{self.choice(UIDS)}"'
        target = f'Target::"{self.choice(UIDS)}"'
        who = ["", " is Principal", f" == {caller}", f" in {caller}"]
        does = ["", f" == {acts}", f' in [{acts}, Action::"two"]']
        what = ["", "", " is Target", f" == {target}", f" in {target}"]
        return f"principal{self.choice(who)}, action{self.choice(does)}, resource{self.choice(what)}"

    def rule(self):
        return f"forbid ({self.scope()}) {self.choice(['when', 'unless'])} {{ {self.condition()} }};"

    def policy(self):
        """A compiled policy of up to five rules; those that the validator refuses are left out."""
        rules = {f"team:r{number}": self.rule() for number in range(self.randrange(6))}
        environment = self.choice([Environment.PRODUCTION, Environment.STAGING])
        try:
            return compiled(rules, environment)
        except ProblemError as refused:
            wrong = {problem.field for problem in refused.problems}
            return compiled({name: rule for name, rule in rules.items() if name not in wrong}, environment)

    def query(self):
        note = self.choice([None, "", "x", "axb", '"; permit', "\u202e"])
        return Query(
            target=self.choice(TARGETS),
            principal=Principal(
                issuer=self.choice(ISSUERS),
                subject=self.choice(SUBJECTS),
                client=self.choice(["c1", "d1"]),
                kind=self.choice(list(PrincipalKind)),
                scopes=frozenset(
                    self.sample(["read", "write", "wipe", "admin"], self.choice([1, 3, 4, 4, 4]))
                ),
                actors=("a",) * self.randrange(5),
                token_id="1",
                issued_at=self.choice([0, 940, 1100]),
                expires_at=2000,
            ),
            arguments={
                "size": self.choice([0, 1, 2, 2**63 - 1]),
                "flag": self.choice([True, False]),
                "tags": self.choices(["x", "y", ""], k=self.randrange(3)),
                "more": {"__entity": {"type": "Principal", "id": CALLERS[0]}},
                **({} if note is None else {"note": note}),
            },
            now=self.choice([1000, 1001]),
            peer=self.choice([None, *PEERS]),
            forwarded_peer=self.choice([None, *PEERS]),
            approved=self.choice([None, Approved(question="q")]),
            lifted=frozenset(),
        )

    def queries(self, number):
        return [self.query() for _ in range(number)]


seeds = st.integers(0, 2**32 - 1).map(Dice)
SETTINGS = settings(max_examples=50)
REQUESTS = 50


def compiled(rules, environment=Environment.PRODUCTION):
    text = "".join(f'@id("{name}") @says("no") {rule}\n' for name, rule in rules.items())
    return compile_policy(MANIFESTS, environment, {"policy/rules.cedar": text.encode()})


ALONE = {environment: compiled({}, environment) for environment in Environment}


def answer(policy, query):
    try:
        return ("allow", policy.decide(query).rule)
    except Refused as refused:
        return (refused.reason, refused.detail, refused.scopes, refused.rules)


class Whole:
    """Cedar over the whole text, with the whole context and every entity: written apart from the engine."""

    def __init__(self, policy):
        self._environment = policy.environment
        self._policies = cedarpy.PolicySet.from_str(policy.text)
        self._schema = cedarpy.Schema.from_str(policy.schema)

    def allows(self, query):
        uid = action_id(query.target.key)
        caller = query.principal
        visible = {name: query.arguments.get(name) for name in query.target.policy_inputs}
        context = {
            "environment": self._environment,
            "delegation_depth": len(caller.actors),
            "token": {
                "client": caller.client,
                "scopes": sorted(caller.scopes),
                "age_seconds": max(0, query.now - caller.issued_at),
            },
            "arguments": {name: value for name, value in visible.items() if value is not None},
        }
        if query.target.approval is not None:
            context["approved"] = query.approved is not None
        peers = {"peer": query.peer, "forwarded_peer": query.forwarded_peer}
        context.update({name: value for name, value in peers.items() if value is not None})
        request = {
            "principal": {"type": "Principal", "id": f"{caller.issuer}|{caller.subject}"},
            "action": {"type": "Action", "id": uid},
            "resource": {"type": "Target", "id": uid},
            "context": context,
        }
        entities = everybody(caller.issuer, caller.subject, caller.kind)
        found = cedarpy.is_authorized(request, self._policies, entities, self._schema)
        cited = set(found.diagnostics.id_annotations_by_reason.values())
        return found.allowed and not found.diagnostics.errors and cited == {f"manifest:{uid}"}


@cache
def everybody(issuer, subject, kind):
    entities = [("Target", action_id(one.key), {"kind": one.kind, "effect": one.effect}) for one in TARGETS]
    entities.append(
        ("Principal", f"{issuer}|{subject}", {"issuer": issuer, "subject": subject, "kind": kind})
    )
    return cedarpy.Entities.from_json_str(
        json.dumps(
            [
                {"uid": {"type": kind, "id": uid}, "attrs": attrs, "parents": []}
                for kind, uid, attrs in entities
            ]
        )
    )


def disagreements(policy, reference, asked):
    return [query for query in asked if (answer(policy, query)[0] == "allow") is not reference.allows(query)]


@SETTINGS
@given(dice=seeds)
def test_a_slice_decides_as_the_whole(dice):
    policy = dice.policy()
    assert disagreements(policy, Whole(policy), dice.queries(REQUESTS)) == []


@SETTINGS
@given(dice=seeds)
def test_a_kept_decision_is_the_one_made_anew(dice):
    policy = dice.policy()
    cached = CachedPolicy(policy, limit=7)
    for query in dice.queries(2 * REQUESTS):
        assert answer(cached, query) == answer(policy, query)
    assert len(cached) <= 7


@SETTINGS
@given(dice=seeds)
def test_rules_allow_no_more_than_the_manifest(dice):
    policy = dice.policy()
    for query in dice.queries(REQUESTS):
        scopes, here = set(query.target.scopes), query.target.runs_in(policy.environment)
        said_yes = query.target.approval is None or query.approved is not None
        promised = scopes <= query.principal.scopes and here and said_yes
        assert (answer(ALONE[policy.environment], query)[0] == "allow") is promised
        if answer(policy, query)[0] == "allow":
            assert promised


@SETTINGS
@given(dice=seeds)
def test_a_refusal_says_what_refused(dice):
    policy = dice.policy()
    ids = {rule.id for rule in policy.rules}
    for query in dice.queries(REQUESTS):
        found = answer(policy, query)
        if found[0] == "allow":
            continue
        reason, _, needed, named = found
        lacking = not set(query.target.scopes) <= query.principal.scopes
        assert (reason is Reason.TOOL_SCOPE) is lacking
        assert bool(needed) is lacking
        if reason is Reason.TOOL_POLICY:
            assert set(named) - {f"approval:{query.target.name}"} <= ids
            assert named


def test_the_seeds_reach_both_answers_and_every_reason():
    """What is generated must be able to find something: no property is empty."""
    found = Counter()
    for seed in range(160):
        dice = Dice(seed)
        policy = dice.policy()
        found["rules"] += len(policy.rules)
        found["not kept"] += sum(not piece.keeps for piece in policy.slices.values())
        found["asks who"] += sum(piece.reads.principal for piece in policy.slices.values())
        for query in dice.queries(20):
            reason, *rest = answer(policy, query)
            found[reason] += 1
            found["erring"] += "could not be evaluated" in rest[0]
    assert found["rules"] > 80
    reasons = (Reason.TOOL_SCOPE, Reason.TOOL_POLICY, Reason.TOOL_ENVIRONMENT, Reason.TOOL_APPROVAL)
    for what in ("allow", *reasons, "erring", "not kept", "asks who"):
        assert found[what] > 15, (what, found)


# ----------------------------------------------------------------------------- mutants: each of them must die

READ = {
    ("delegation_depth",): ("context.delegation_depth > 2", {"actors": ("a",) * 3}),
    ("token", "client"): ('context.token.client == "d1"', {"client": "d1"}),
    ("token", "scopes"): (
        'context.token.scopes.contains("admin")',
        {"scopes": frozenset({"read", "write", "admin"})},
    ),
    ("arguments", "size"): ("context.arguments has size && context.arguments.size > 1", {"size": 2}),
    ("arguments", "flag"): ("context.arguments has flag && context.arguments.flag", {"flag": True}),
    ("arguments", "note"): ('context.arguments has note && context.arguments.note == "x"', {"note": "x"}),
    ("arguments", "tags"): (
        'context.arguments has tags && context.arguments.tags.contains("x")',
        {"tags": ["x"]},
    ),
}
ONE = Query(
    target=MANIFESTS.targets[TargetKind.TOOL, "two"],
    principal=Principal(
        issuer=ISSUERS[0],
        subject="alice",
        client="c1",
        kind=PrincipalKind.PERSON,
        scopes=frozenset({"read", "write"}),
        actors=(),
        token_id="1",
        issued_at=1000,
        expires_at=2000,
    ),
    arguments={"size": 1, "flag": False, "tags": []},
    now=1000,
    peer=None,
    forwarded_peer=None,
    approved=None,
    lifted=frozenset(),
)


def changed(change):
    if change.keys() <= {"size", "flag", "note", "tags"}:
        return replace(ONE, arguments={**ONE.arguments, **change})
    return replace(ONE, principal=replace(ONE.principal, **change))


def forbidding(condition):
    return compiled({"team:r": f"forbid (principal, action, resource) when {{ {condition} }};"})


def forgetting(policy, path, *, also_context):
    """The policy with a slice that forgets one attribute: in its cache key, or in what it gives to Cedar."""

    class Forgetful(slicing.Slice):
        def key(self, query):
            found = super().key(query)
            left_out = [attribute.path for attribute in self.attributes].index(path) - len(self.attributes)
            return (*found[:left_out], *found[len(found) + left_out + 1 :])

    piece = policy.slices[ONE.target.key]
    fields = {name: getattr(piece, name) for name in piece.__dataclass_fields__}
    if also_context:
        fields["attributes"] = tuple(one for one in piece.attributes if one.path != path)
        return replace(policy, slices={ONE.target.key: slicing.Slice(**fields)})
    return replace(policy, slices={ONE.target.key: Forgetful(**fields)})


def outlives(policy, asked):
    """Whether neither property sees anything wrong with this policy."""
    reference, cached = Whole(policy), CachedPolicy(policy)
    kept = all(answer(cached, query) == answer(policy, query) for query in asked)
    return kept and disagreements(policy, reference, asked) == []


@pytest.mark.parametrize("path", list(READ), ids=".".join)
@pytest.mark.parametrize("also_context", [False, True], ids=["key", "context"])
def test_a_read_set_that_forgets_an_attribute_is_found(path, also_context):
    condition, change = READ[path]
    policy = forbidding(condition)
    asked = [ONE, changed(change)]
    assert outlives(policy, asked), "the attribute is read, and nothing is forgotten yet"
    assert answer(policy, asked[0])[0] != answer(policy, asked[1])[0]
    assert not outlives(forgetting(policy, path, also_context=also_context), asked)


@pytest.mark.parametrize(
    ("condition", "change"),
    [
        ('principal.kind == "machine"', {"kind": PrincipalKind.MACHINE}),
        ('principal has kind && principal.kind == "machine"', {"kind": PrincipalKind.MACHINE}),
        ('principal.subject == "bob"', {"subject": "bob"}),
        ('principal.issuer == "https://b.example"', {"issuer": ISSUERS[1]}),
        (f'principal == Principal::"{CALLERS[1]}"', {"subject": "bob"}),
    ],
)
def test_so_is_one_that_forgets_who_calls(condition, change):
    policy = forbidding(condition)
    asked = [ONE, changed(change)]
    assert outlives(policy, asked)
    piece = policy.slices[ONE.target.key]
    blind = replace(piece, reads=replace(piece.reads, principal=False))
    assert not outlives(replace(policy, slices={ONE.target.key: blind}), asked)


def test_so_is_one_that_keeps_what_passes_with_time():
    policy = forbidding("context.token.age_seconds > 60")
    asked = [ONE, replace(ONE, now=1061)]
    assert outlives(policy, asked)
    piece = policy.slices[ONE.target.key]

    class Keeps(slicing.Slice):
        @property
        def keeps(self):
            return True

        def key(self, query):
            return super().key(replace(query, now=0))

    fields = {name: getattr(piece, name) for name in piece.__dataclass_fields__}
    assert not outlives(replace(policy, slices={ONE.target.key: Keeps(**fields)}), asked)


@SETTINGS
@given(dice=seeds)
def test_what_is_given_to_cedar_is_only_what_policy_may_see(dice):
    for query in dice.queries(5):
        piece = ALONE[Environment.STAGING].slices[query.target.key]
        whole = replace(
            piece, attributes=context_attributes(query.target, Environment.STAGING, has_tenants=False)
        )
        context = json.loads(whole.context(query))
        assert {"environment", "delegation_depth", "token", "arguments"} <= set(context)
        assert ("approved" in context) is (query.target.approval is not None)
        assert set(context) - {"environment", "delegation_depth", "token", "arguments"} <= {
            "approved",
            "peer",
            "forwarded_peer",
        }
        assert set(context["token"]) == {"client", "scopes", "age_seconds"}
        assert set(context["arguments"]) <= set(query.target.policy_inputs)
        assert all(isinstance(value, str | int | list) for value in context["arguments"].values())


@SETTINGS
@given(seeds)
def test_an_approval_allows_nothing_more_than_the_manifest(dice):
    policy = dice.policy()
    alone = ALONE[policy.environment]
    for query in dice.queries(REQUESTS):
        approved = replace(query, approved=Approved(question="q"))
        if answer(policy, approved)[0] == "allow":
            assert answer(alone, approved)[0] == "allow"
            assert query.principal.scopes.issuperset(query.target.scopes)


@SETTINGS
@given(seeds)
def test_a_person_is_asked_for_nothing_that_an_approval_would_not_allow(dice):
    policy = dice.policy()
    for query in dice.queries(REQUESTS):
        unasked = replace(query, approved=None)
        if query.target.approval is not None:
            assert answer(policy, unasked)[0] != "allow"
        if answer(policy, unasked)[0] is not Reason.TOOL_APPROVAL:
            continue
        with pytest.raises(ApprovalNeeded) as asked:
            policy.decide(unasked)
        assert policy.decide(replace(query, approved=Approved(question="q"))) == asked.value.decision
