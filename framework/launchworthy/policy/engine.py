"""May this call go through? One question to Cedar, and what its answer means.

Cedar skips a policy that errors, a `forbid` included, and answers Allow. So a call is allowed if and only if
the engine raised nothing, its decision is Allow, it reports no error, and it cites exactly the target's own
permit. Everything else is a refusal.
"""

import cedarpy

from launchworthy.manifest import TargetManifest, missing_scopes
from launchworthy.policy.entities import principal_id
from launchworthy.policy.query import Query
from launchworthy.policy.slice import Slice, is_guard
from launchworthy.vocabulary import Principal, Reason, Refused


def ask(
    piece: Slice, query: Query, entities: cedarpy.Entities, schema: cedarpy.Schema
) -> cedarpy.AuthzResult:
    """Ask Cedar about one call; everything is parsed already but the context.

    Raises:
        Refused: `internal`: the engine could not be asked; `tool.policy`: an argument is not what policy can
            read.
    """
    context = piece.context(query)
    request = {
        # always the structured form: Cedar's text form knows escapes, and a subject is the issuer's to choose
        "principal": {"type": "Principal", "id": principal_id(query.principal)},
        "action": {"type": "Action", "id": piece.uid},
        "resource": {"type": "Target", "id": piece.uid},
        "context": context,
    }
    try:
        return cedarpy.is_authorized(request, piece.policies, entities, schema)
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(Reason.INTERNAL, f"the policy engine failed: {type(error).__name__}") from error


def judge(piece: Slice, query: Query, answer: cedarpy.AuthzResult) -> None:
    """Return where the answer allows the call, by the rule above.

    Raises:
        Refused: `tool.scope`, `tool.policy` (with the ids of the rules that said no or could not be
            evaluated), or `internal`.
    """
    decision = answer.decision
    errors = answer.diagnostics.errors
    cited = tuple(answer.diagnostics.reasons)
    if decision is cedarpy.Decision.Allow and not errors and cited == (piece.permit,):
        return
    refuse_scope(piece.target, query.principal)
    failed = tuple(rule for rule in piece.ids if any(_is_about(error, rule) for error in errors))
    if failed:
        detail = f"{len(failed)} of the rules could not be evaluated"
        raise Refused(Reason.TOOL_POLICY, detail, rules=tuple(sorted({*cited, *failed} - {piece.permit})))
    if decision is cedarpy.Decision.Deny and cited:
        says = "it is another tenant's" if any(map(is_guard, cited)) else "a rule of the team says no"
        raise Refused(Reason.TOOL_POLICY, says, rules=tuple(sorted(cited)))
    raise Refused(Reason.INTERNAL, "the policy engine did not decide by the target's permit")


def refuse_scope(target: TargetManifest, principal: Principal) -> None:
    """Refuse a caller that lacks a scope of the target.

    Raises:
        Refused: `tool.scope`, with all scopes that the target needs.
    """
    if missing := missing_scopes(target, principal.scopes):
        raise Refused(Reason.TOOL_SCOPE, f"lacks {', '.join(missing)}", scopes=target.scopes)


def _is_about(error: str, rule: str) -> bool:
    """Whether Cedar's error names this rule; the rest of its text may hold values and goes nowhere."""
    return error.startswith(f"error while evaluating policy `{rule}`:")
