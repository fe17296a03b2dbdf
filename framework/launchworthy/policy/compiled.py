"""What is allowed here, compiled: the text that people review, and what decides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import cedarpy

from launchworthy.manifest import TargetKey, TargetManifest
from launchworthy.policy.engine import ask, judge, refuse_scope
from launchworthy.policy.entities import EntityStore
from launchworthy.policy.obligation import ApprovalNeeded
from launchworthy.policy.query import Query
from launchworthy.policy.rule import Rule
from launchworthy.policy.self_test import self_test
from launchworthy.policy.slice import Slice
from launchworthy.vocabulary import Approved, Decision, Environment, Reason, Refused, tenant_of

_SUPPOSED: Final = Approved(question="")
"""For asking what a yes would change; it leaves this file in nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicy:
    """A policy for one environment: made by `compile_policy` only.

    Attributes:
        environment: where it decides.
        digest: hex SHA-256 of text and schema.
        text: all policies, in Cedar; the same for the same manifests and rules.
        schema: all types, in Cedar.
        rules: the team's rules, in the order of the text.
        slices: what decides, for each target that runs here.
        elsewhere: the targets that do not.
        entities: what Cedar is told about targets and callers.
        has_tenants: whether nothing is decided about a caller of whom it is not known whose they are.
        types: the types of all slices' contexts, parsed.
    """

    environment: Environment
    digest: str
    text: str
    schema: str
    rules: tuple[Rule, ...]
    slices: Mapping[TargetKey, Slice]
    elsewhere: Mapping[TargetKey, TargetManifest]
    entities: EntityStore
    has_tenants: bool
    types: cedarpy.Schema

    def decide(self, query: Query) -> Decision:
        """Allow a call, or refuse it.

        Only the target's kind and name count: what it needs is what was compiled.

        Raises:
            ApprovalNeeded: nothing is missing but a person's yes.
            Refused: `tool.unknown`, `tool.scope`, `tool.environment`, `tool.policy` with the rules that said
                no, `policy.entity_missing`, `internal`.
        """
        piece = self.slice_for(query)
        if query.lifted:
            piece = piece.without(query.lifted)
        rule = piece.target.approval
        if rule is None or query.approved is not None or piece.approval in query.lifted:
            self._judge(piece, query)
            return piece.decision
        # with a yes that nobody has said: what is refused even so, no person is asked about
        self._judge(piece, replace(query, approved=_SUPPOSED))
        try:
            self._judge(piece, query)
        except Refused as refused:
            if refused.rules == (piece.approval,):
                raise ApprovalNeeded(rule, piece.decision, rules=refused.rules) from None
            raise
        raise Refused(Reason.INTERNAL, "the policy allows unasked what somebody must approve")

    def _judge(self, piece: Slice, query: Query) -> None:
        judge(piece, query, ask(piece, query, self.entities.of(piece, query.principal), self.types))

    def slice_for(self, query: Query) -> Slice:
        """What decides about this target.

        Raises:
            Refused: `token.claims`: it is not known whose the caller is; `tool.unknown`, `tool.environment`;
                for the latter only after its scopes were found.
        """
        if self.has_tenants:
            tenant_of(query.principal)
        key = query.target.key
        piece = self.slices.get(key)
        if piece is not None:
            return piece
        target = self.elsewhere.get(key)
        if target is None:
            raise Refused(Reason.TOOL_UNKNOWN, "no manifest that was compiled declares it")
        refuse_scope(target, query.principal)
        raise Refused(Reason.TOOL_ENVIRONMENT, f"`{target.name}` does not run in {self.environment}")

    def self_test(self) -> None:
        """See that it refuses what must be refused, before anything depends on it.

        Raises:
            ProblemError: `policy-self-test`.
        """
        self_test(self.slices.values(), self.entities, self.types)
