"""Does the engine refuse what it must? Tried at every start, on the compiled policy itself."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cedarpy
from cedarpy import pst

from launchworthy.policy.engine import ask, judge
from launchworthy.policy.entities import EntityStore
from launchworthy.policy.query import Query
from launchworthy.policy.slice import Slice, is_guard, policy_set
from launchworthy.vocabulary import Approved, Principal, PrincipalKind, Problem, ProblemError, Refused

_ERRS = '@id("self-test") forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
"""The validator does not see an overflow, and Cedar leaves such a rule out and allows."""


def self_test(pieces: Iterable[Slice], entities: EntityStore, types: cedarpy.Schema) -> None:
    """Try a stranger and an erroring rule on every target, each beside a twin that passes.

    Raises:
        ProblemError: `policy-self-test`: the engine is not what this code was written for.
    """
    problems = tuple(problem for piece in pieces for problem in _mistakes(piece, entities, types))
    if problems:
        raise ProblemError(*problems)


def _mistakes(piece: Slice, entities: EntityStore, types: cedarpy.Schema) -> Iterator[Problem]:
    permit = [
        policy for name, policy in piece.policies.to_pst().static_policies.items() if name == piece.permit
    ]
    [erring] = cedarpy.policies_to_pst(_ERRS).static_policies.values()
    alone = replace(piece, policies=policy_set(permit))
    failing = replace(piece, policies=policy_set([*permit, erring]), ids=(piece.permit, "self-test"))
    approved = Approved(question="self-test") if piece.target.approval is not None else None
    stranger = _query(piece, frozenset(), approved)
    caller = _query(piece, frozenset(piece.target.scopes), approved)
    if not _allows(alone, caller, entities, types):
        yield _problem(piece, "refuses a caller that has every scope")
    if _allows(piece, stranger, entities, types):
        yield _problem(piece, "allows a caller without any scope")
    if _allows(failing, caller, entities, types):
        yield _problem(piece, "allows although a rule could not be evaluated")
    if approved is not None and _allows(piece, replace(caller, approved=None), entities, types):
        yield _problem(piece, "allows what nobody has approved")
    if piece.target.tenant_argument is not None:
        others = replace(caller, principal=replace(caller.principal, tenant=f"not {_tenant(piece)}"))
        guarded = replace(piece, policies=policy_set([*permit, *_guards(piece)]))
        if not _allows(guarded, caller, entities, types):
            yield _problem(piece, "refuses a caller of the tenant that is asked about")
        if _allows(piece, others, entities, types):
            yield _problem(piece, "allows a caller of another tenant")


def _guards(piece: Slice) -> list[pst.Template]:
    policies = piece.policies.to_pst().static_policies
    return [policy for name, policy in policies.items() if is_guard(name)]


def _tenant(piece: Slice) -> str:
    """Somebody's, where it does not matter whose."""
    return piece.target.example_tenant or "nobody"


def _allows(piece: Slice, query: Query, entities: EntityStore, types: cedarpy.Schema) -> bool:
    try:
        judge(piece, query, ask(piece, query, entities.of(piece, query.principal), types))
    except Refused:
        return False
    return True


def _query(piece: Slice, scopes: frozenset[str], approved: Approved | None) -> Query:
    nobody = Principal(
        issuer="https://self-test.invalid",
        subject="nobody",
        client="nobody",
        kind=PrincipalKind.MACHINE,
        scopes=scopes,
        actors=(),
        token_id="",
        issued_at=0,
        expires_at=0,
        tenant=_tenant(piece),
    )
    return Query(
        target=piece.target,
        principal=nobody,
        arguments=piece.target.example or {},
        now=0,
        peer=None,
        forwarded_peer=None,
        approved=approved,
        lifted=frozenset(),
    )


def _problem(piece: Slice, what: str) -> Problem:
    return Problem(
        reason="policy-self-test",
        where=piece.target.where,
        what=f"the policy engine {what} (`{piece.target.name}`)",
        fix=("install the cedarpy of constraints.txt; nothing is served until this passes",),
    )
