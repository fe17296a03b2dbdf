"""How do manifests and a team's rules become a policy? Purely, and the same way every time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import cedarpy
from cedarpy import pst

from launchworthy.manifest import Manifests
from launchworthy.policy.attributes import context_attributes
from launchworthy.policy.cedar_schema import schema_text
from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.policy.entities import EntityStore
from launchworthy.policy.permits import permits_text
from launchworthy.policy.rule import RuleFile, read_rules
from launchworthy.policy.rule_types import Contexts, type_errors, unknown_attributes
from launchworthy.policy.slice import cut, is_permit
from launchworthy.vocabulary import Environment, Problem, ProblemError

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
    contexts = {key: context_attributes(target, environment) for key, target in targets.items()}
    schema = schema_text(contexts)
    policies = tuple(cedarpy.policies_to_pst(text).static_policies.values())
    here = [target for target in targets.values() if target.runs_in(environment)]
    check(files, text, policies, contexts, here=len(here))
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
    here: int,
) -> None:
    """Check what only the whole shows: that it is the sum of its files, and that the rules fit the types.

    Args:
        files: what the team wrote.
        text: all of it, with the permits.
        policies: what Cedar made of the text.
        contexts: what a rule may look at, for each target.
        here: how many targets have a permit.
    """
    written = {rule.id: (rule, template) for file in files for rule, template in file.rules}
    whole = [replace(policy, id="") for policy in policies if not is_permit(policy.annotations.get("id", ""))]
    permits = len(policies) - len(whole)
    if whole != [replace(template, id="") for _, template in written.values()] or permits != here:
        what = "means something else as a whole than file by file"
        fix = ("write one rule after the other, each with its `;`",)
        raise ProblemError(Problem(reason="policy-not-cedar", where="policy/", what=what, fix=fix))
    schema = schema_text(contexts)
    problems = tuple(type_errors(text, schema, written)) or tuple(
        unknown_attributes(written.values(), contexts)
    )
    if problems:
        raise ProblemError(*problems)
