"""Why was it refused, in words?"""

from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.vocabulary import Reason, Refused


def explain(policy: CompiledPolicy, refused: Refused) -> tuple[str, ...]:
    """Say why, a line each: for operators and the tests of a policy, never for the caller.

    Args:
        policy: what refused.
        refused: by `decide`.
    """
    match refused.reason:
        case Reason.TOOL_SCOPE:
            return (f"{refused.detail}; it needs: {' '.join(refused.scopes)}",)
        case Reason.TOOL_POLICY if refused.rules:
            rules = {rule.id: rule for rule in policy.rules}
            told = tuple(rules[name] for name in refused.rules if name in rules)
            return (refused.detail, *(f"{rule.id}: {rule.says} ({rule.where})" for rule in told))
        case _:
            return (refused.detail,)
