"""Do the team's rules fit what they can look at? Cedar's validator, and what it lets pass."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cedarpy
from cedarpy import pst

from launchworthy.manifest import TargetKey
from launchworthy.policy.attributes import PRINCIPAL_ATTRIBUTES, TARGET_ATTRIBUTES, Attribute, Path
from launchworthy.policy.cedar_schema import action_id
from launchworthy.policy.reads import ReadSet, reads_of
from launchworthy.policy.rule import Rule
from launchworthy.policy.slice import can_match
from launchworthy.vocabulary import Problem

_POSITION = re.compile(r"^for policy `policy[0-9]+`, ")
Contexts = Mapping[TargetKey, Sequence[Attribute]]
Written = Mapping[str, tuple[Rule, pst.Template]]


def type_errors(text: str, schema: str, written: Written) -> Iterator[Problem]:
    """What Cedar's validator says: unknown actions, missing or optional attributes, types that never compare.

    Args:
        text: all policies; with a permit of ours that does not fit, the compiler is wrong.
        schema: all types.
        written: the team's rules by id.
    """
    result = cedarpy.validate_policies(text, schema)
    for error in dict.fromkeys((found.policy_id, found.error) for found in result.errors):
        identifier = result.id_annotations_by_policy_id.get(error[0], "")
        where = written[identifier][0].where if identifier in written else "manifests/"
        told = _POSITION.sub("", error[1])
        what = f"does not fit what policy may look at: {told}"
        fix = (
            'an action is declared in manifests/tools.toml: "place_order", "resource:order", "prompt:triage"',
            "an argument must stand in policy_inputs of every tool that the rule is about",
            "all that a rule may look at: launchworthy explain policy",
        )
        yield Problem(reason="policy-invalid", where=where, what=what, fix=fix, field=identifier or None)


def unknown_attributes(rules: Iterable[tuple[Rule, pst.Template]], contexts: Contexts) -> Iterator[Problem]:
    """What Cedar's validator lets pass: a rule that asks `has` of what is never there, and never says no."""
    for rule, template in rules:
        reads = reads_of((template,))
        for name in _unknown(template, reads, contexts):
            what = f"asks for `{name}` in `{rule.id}`, which is never there"
            fix = ("correct the name, or put the argument into policy_inputs of a tool",)
            yield Problem(
                reason="policy-unknown-attribute", where=rule.where, what=what, fix=fix, field=rule.id
            )


def _unknown(template: pst.Template, reads: ReadSet, contexts: Contexts) -> Iterator[str]:
    known = [
        attribute.path
        for key, attributes in contexts.items()
        if can_match(template, action_id(key))
        for attribute in attributes
    ]
    for path in sorted(reads.context):
        if not any(_overlap(path, leaf) for leaf in known):
            yield ".".join(("context", *path))
    yield from (
        f"principal.{name}" for name in sorted(reads.principal_attributes.difference(PRINCIPAL_ATTRIBUTES))
    )
    yield from (
        f"resource.{name}" for name in sorted(reads.resource_attributes.difference(TARGET_ATTRIBUTES))
    )


def _overlap(one: Path, other: Path) -> bool:
    return one[: len(other)] == other[: len(one)]
