"""What of the policy concerns one target? Its permit, the rules that can match it, and what they look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from json import JSONEncoder

import cedarpy
from cedarpy import pst

from launchworthy.manifest import TargetManifest
from launchworthy.policy.attributes import Attribute, Value
from launchworthy.policy.cedar_schema import action_id
from launchworthy.policy.query import Query
from launchworthy.policy.reads import ReadSet, reads_of
from launchworthy.vocabulary import Decision, is_liftable

_encode = JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"), default=list).encode
_OURS = "manifest:"
_APPROVAL = "approval:"
_GUARD = "guard:tenant:"
Key = tuple[Value | bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Everything that a decision about one target needs, parsed.

    Attributes:
        target: whom it is about.
        decision: what an allowing answer is recorded as; its rule is the one id that such an answer cites.
        policies: the permit and the rules that can match, under their ids.
        templates: the same as Cedar parsed them.
        ids: the rules' ids.
        reads: what permit and rules look at.
        attributes: what goes into the context, cut to what is read.
        uid: the target as Cedar names it; action and resource have the same id.
    """

    target: TargetManifest
    decision: Decision
    policies: cedarpy.PolicySet
    templates: tuple[pst.Template, ...]
    ids: tuple[str, ...]
    reads: ReadSet
    attributes: tuple[Attribute, ...]
    uid: str

    @property
    def permit(self) -> str:
        """The one id that an allowing answer cites: `manifest:place_order`."""
        return self.decision.rule

    @property
    def approval(self) -> str:
        """The id of the rule that forbids a call until somebody approves it."""
        return approval_id(self.uid)

    @property
    def keeps(self) -> bool:
        """Whether a decision may be kept: all that is read is known, and none of it passes with time."""
        return self.reads.complete and not any(attribute.passes for attribute in self.attributes)

    def without(self, lifted: frozenset[str]) -> "Slice":
        """The same without these rules; a permit and a guard stay, whatever is asked."""
        left = tuple(
            template
            for template in self.templates
            if template.annotations["id"] not in lifted or not is_liftable(template.annotations["id"])
        )
        ids = tuple(template.annotations["id"] for template in left)
        return replace(self, policies=policy_set(left), templates=left, ids=ids)

    def context(self, query: Query) -> str:
        """What the rules look at, as Cedar's JSON; nothing else of the call is in it.

        Raises:
            Refused: `tool.policy`: an argument is not what policy can read.
        """
        records: dict[str, dict[str, Value]] = {"": {}, "arguments": {}, "token": {}}
        for attribute in self.attributes:
            value = attribute.value(query)
            if value is not None:
                records["" if len(attribute.path) == 1 else attribute.path[0]][attribute.path[-1]] = value
        top = records.pop("")
        return _encode({**top, **records})

    def key(self, query: Query) -> Key:
        """What the decision is a function of.

        Raises:
            Refused: `tool.policy`: an argument is not what policy can read.
        """
        values = tuple(attribute.value(query) for attribute in self.attributes)
        if not self.reads.principal:
            return (self.uid, *values)
        principal = query.principal
        return (self.uid, principal.issuer, principal.subject, principal.kind.value, *values)


def cut(
    target: TargetManifest,
    policies: Sequence[pst.Template],
    attributes: Sequence[Attribute],
    *,
    policy_digest: str,
    manifest_digest: str,
) -> Slice:
    """Cut out of all policies what can match one target.

    Args:
        target: its permit is among the policies.
        policies: all of them, each with its `@id`.
        attributes: all that a rule may look at in a call of this target.
        policy_digest: of all policies.
        manifest_digest: of the manifests they were compiled from.
    """
    uid = action_id(target.key)
    mine = [policy for policy in policies if can_match(policy, uid)]
    reads = reads_of(mine)
    return Slice(
        target=target,
        decision=Decision(rule=permit_id(uid), policy_digest=policy_digest, manifest_digest=manifest_digest),
        policies=policy_set(mine),
        templates=tuple(mine),
        ids=tuple(policy.annotations["id"] for policy in mine),
        reads=reads,
        attributes=tuple(attribute for attribute in attributes if reads.covers(attribute.path)),
        uid=uid,
    )


def permit_id(uid: str) -> str:
    """The id of a target's permit."""
    return f"{_OURS}{uid}"


def approval_id(uid: str) -> str:
    """The id of the rule that forbids a target's calls until somebody has approved them."""
    return f"{_APPROVAL}{uid}"


def guard_id(uid: str) -> str:
    """The id of the rule that keeps callers of other tenants from a target; no grant lifts it."""
    return f"{_GUARD}{uid}"


def is_guard(identifier: str) -> bool:
    """Whether this is the id of such a rule; a team's rule cannot be called so."""
    return identifier.startswith(_GUARD)


def rule_that_asks(target: TargetManifest) -> str:
    """The same, of a target: what a grant names so that nobody is asked."""
    return approval_id(action_id(target.key))


def is_approval(identifier: str) -> bool:
    """Whether this is the id of such a rule; a team's rule cannot be called so."""
    return identifier.startswith(_APPROVAL)


def is_permit(identifier: str) -> bool:
    """Whether this is the id of a permit of ours; a team's rule cannot be called so."""
    return identifier.startswith(_OURS)


def policy_set(policies: Sequence[pst.Template]) -> cedarpy.PolicySet:
    """Parse nothing again: hand Cedar its own nodes, each under its `@id`."""
    by_id: Mapping[str, pst.Template] = {
        policy.annotations["id"]: replace(policy, id=policy.annotations["id"]) for policy in policies
    }
    return cedarpy.PolicySet.from_pst(pst.PolicySet(templates={}, static_policies=by_id, template_links=()))


def can_match(policy: pst.Template, uid: str) -> bool:
    """Whether its scope lets it match; what is not understood can."""
    return _action_can_match(policy.action, uid) and _resource_can_match(policy.resource, uid)


def _action_can_match(scope: object, uid: str) -> bool:
    match scope:
        case pst.ActionEq(entity):
            return _is(entity, "Action", uid)
        case pst.ActionIn(entities):
            return any(_is(entity, "Action", uid) for entity in entities)
        case _:
            return True


def _resource_can_match(scope: object, uid: str) -> bool:
    match scope:
        case pst.ScopeEq(entity) | pst.ScopeIn(entity) | pst.ScopeIsIn(_, entity):
            return _is(entity, "Target", uid)
        case _:
            return True


def _is(entity: object, kind: str, uid: str) -> bool:
    return isinstance(entity, pst.EntityUid) and str(entity.type) == kind and entity.id == uid
