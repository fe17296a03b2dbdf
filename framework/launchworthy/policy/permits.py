"""What does the manifest alone allow? One permit for each target that runs here, as Cedar text.

Beside it a `forbid` where somebody must approve each call, and one where an argument names a tenant.
"""

import json
from collections.abc import Iterable

from launchworthy.manifest import TargetManifest
from launchworthy.policy.cedar_schema import action_id
from launchworthy.policy.slice import approval_id, guard_id, permit_id
from launchworthy.vocabulary import Environment


def permits_text(targets: Iterable[TargetManifest], environment: Environment) -> str:
    """Write the permits, in an order that depends on nothing but the targets.

    What is not declared for this environment has no permit, and what has no permit is refused.
    """
    return "\n".join(
        _permit(target, environment) for target in sorted(targets, key=lambda target: target.key)
    )


def _permit(target: TargetManifest, environment: Environment) -> str:
    uid = action_id(target.key)
    if not target.runs_in(environment):
        return f"// {uid}: not in {environment}\n"
    # a scope holds neither quote nor backslash (RFC 6749 §3.3), so JSON's text is Cedar's
    scopes = ", ".join(json.dumps(scope) for scope in sorted(target.scopes))
    return (
        f'@id("{permit_id(uid)}")\n'
        f'permit (principal, action == Action::"{uid}", resource == Target::"{uid}")\n'
        f'when {{ context.environment == "{environment}" }}\n'
        f"when {{ context.token.scopes.containsAll([{scopes}]) }};\n"
        f"{_approval(target, uid)}"
        f"{_guard(target, uid)}"
    )


def _approval(target: TargetManifest, uid: str) -> str:
    if target.approval is None:
        return ""
    return (
        f'\n@id("{approval_id(uid)}")\n'
        f'forbid (principal, action == Action::"{uid}", resource == Target::"{uid}")\n'
        "unless { context.approved };\n"
    )


def _guard(target: TargetManifest, uid: str) -> str:
    """Another tenant's object is nobody's to ask for; neither is one of which it is not said whose it is."""
    if target.tenant_argument is None:
        return ""
    name = json.dumps(target.tenant_argument)
    return (
        f'\n@id("{guard_id(uid)}")\n'
        f'forbid (principal, action == Action::"{uid}", resource == Target::"{uid}")\n'
        f"unless {{ context.arguments has {name} && context.arguments[{name}] == context.tenant }};\n"
    )
