"""How do manifests and a team's rules become a policy? Purely, and the same way every time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import cedarpy
from cedarpy import pst

from launchworthy.manifest import Manifests
from launchworthy.policy.attributes import context_attributes
from launchworthy.policy.cedar_schema import action_id, schema_text
from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.policy.entities import EntityStore
from launchworthy.policy.permits import permits_text
from launchworthy.policy.rule import RuleFile, read_rules
from launchworthy.policy.rule_types import Contexts, type_errors, unknown_attributes
from launchworthy.policy.slice import approval_id, cut, guard_id, is_approval, is_guard, is_permit, permit_id
from launchworthy.vocabulary import Environment, Problem, ProblemError

_GENERATED = (is_permit, is_approval, is_guard)
_FORMAT = "// launchworthy policy 1"


def compile_policy(
    manifests: Manifests, environment: Environment, rules: Mapping[str, bytes]
) -> CompiledPolicy:
    """Compile the policy of one environment.

    Args:
        manifests: every target, with what it needs.
        environment: whose promises count; a rehearsal compiles those of the environment to be promoted to.
        rules: `policy/rules.cedar` → content; those of other environments are left out.

    Raises:
        ProblemError: every problem of the rules, each with its line.
    """
    targets = manifests.targets
    files = read_rules(rules, environment)
    text = _text(manifests, environment, files)
    contexts = {
        key: context_attributes(target, environment, has_tenants=manifests.has_tenants)
        for key, target in targets.items()
    }
    schema = schema_text(contexts)
    policies = tuple(cedarpy.policies_to_pst(text).static_policies.values())
    here = [target for target in targets.values() if target.runs_in(environment)]
    expected = {permit_id(action_id(one.key)) for one in here}
    expected |= {approval_id(action_id(one.key)) for one in here if one.approval is not None}
    expected |= {guard_id(action_id(one.key)) for one in here if one.tenant_argument is not None}
    check(files, text, policies, contexts, generated=frozenset(expected))
    digest = hashlib.sha256(f"{schema}\n{text}".encode()).hexdigest()
    slices = {
        one.key: cut(one, policies, contexts[one.key], policy_digest=digest, manifest_digest=manifests.digest)
        for one in here
    }
    cut_contexts = {key: slices[key].attributes if key in slices else () for key in targets}
    return CompiledPolicy(
        environment=environment,
        digest=digest,
        text=text,
        schema=schema,
        rules=tuple(rule for file in files for rule, _ in file.rules),
        slices=MappingProxyType(slices),
        elsewhere=MappingProxyType({key: target for key, target in targets.items() if key not in slices}),
        entities=EntityStore(targets.values()),
        has_tenants=manifests.has_tenants,
        types=cedarpy.Schema.from_str(schema_text(cut_contexts)),
    )


def _text(manifests: Manifests, environment: Environment, files: Sequence[RuleFile]) -> str:
    parts = [f"{_FORMAT}, {environment}\n", permits_text(manifests.targets.values(), environment)]
    parts += [f"// {file.path}\n{file.text.rstrip()}\n" for file in files]
    return "\n".join(parts)


def check(
    files: Sequence[RuleFile],
    text: str,
    policies: Sequence[pst.Template],
    contexts: Contexts,
    *,
    generated: frozenset[str],
) -> None:
    """Check what only the whole shows: that it is the sum of its files, and that the rules fit the types.

    Args:
        files: what the team wrote.
        text: all of it, with the permits.
        policies: what Cedar made of the text.
        contexts: what a rule may look at, for each target.
        generated: the ids of what was compiled from the manifests: each of them once.
    """
    written = {rule.id: (rule, template) for file in files for rule, template in file.rules}
    ids = [policy.annotations.get("id", "") for policy in policies]
    ours = [identifier for identifier in ids if any(ours(identifier) for ours in _GENERATED)]
    whole = [
        replace(policy, id="")
        for policy, identifier in zip(policies, ids, strict=True)
        if identifier not in ours
    ]
    sound = sorted(ours) == sorted(generated)
    if whole != [replace(template, id="") for _, template in written.values()] or not sound:
        what = "means something else as a whole than file by file"
        fix = ("write one rule after the other, each with its `;`",)
        raise ProblemError(Problem(reason="policy-not-cedar", where="policy/", what=what, fix=fix))
    schema = schema_text(contexts)
    problems = tuple(type_errors(text, schema, written)) or tuple(
        unknown_attributes(written.values(), contexts)
    )
    if problems:
        raise ProblemError(*problems)
