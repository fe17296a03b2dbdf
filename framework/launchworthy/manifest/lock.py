"""What do the manifests promise, as a reviewer must see it change? (for `launchworthy.lock`).

Only what decides who may do what, where, and how it is recorded: no description, no example, no order.
"""

from typing import Any

from launchworthy.manifest.manifests import Manifests
from launchworthy.manifest.target import TargetManifest


def describe(manifests: Manifests) -> dict[str, Any]:
    """The promise as data for JSON or TOML: `server`, `tools`, `resources`, `prompts`, sorted by name.

    A field at its default is left out, so that a new field changes no lock by itself.
    """
    return {
        "server": _server(manifests),
        "tools": {target.name: _target(target) for target in _sorted(manifests.tools())},
        "resources": {target.name: _target(target) for target in _sorted(manifests.resources())},
        "prompts": {target.name: _target(target) for target in _sorted(manifests.prompts())},
    }


def _sorted(targets: tuple[TargetManifest, ...]) -> list[TargetManifest]:
    return sorted(targets, key=lambda target: target.name)


def _server(manifests: Manifests) -> dict[str, Any]:
    server = manifests.server
    promise = {
        "name": server.name,
        "owner": server.ownership.owner,
        "approvers": sorted(server.ownership.approvers),
        "entry": sorted(server.scopes.entry),
        "implies": {scope: sorted(implied) for scope, implied in sorted(server.scopes.implies.items())},
        "budget": server.budget.model_dump(exclude_none=True),
        "classification": server.data.classification.value,
        "tenancy": server.data.tenancy,
        "stage": server.lifecycle.stage.value,
    }
    return {field: value for field, value in promise.items() if value != {}}


def _target(target: TargetManifest) -> dict[str, Any]:
    promise = {
        "effect": target.effect.value,
        "scopes": sorted(target.scopes),
        "environments": None if target.environments is None else sorted(target.environments),
        "arguments": {name: target.arguments[name].value for name in sorted(target.arguments)},
        "clear_reason": target.clear_reason,
        "policy_inputs": {
            f"{known.name}{'?' if known.optional else ''}": known.type.value
            for known in sorted(target.inputs, key=lambda known: known.name)
        },
        "tenant_argument": target.tenant_argument,
        "acts_on": target.acts_on,
        "uri": target.uri,
        "approval": None if target.approval is None else str(target.approval),
        "approval_reason": target.approval_reason,
        "timeout_seconds": target.timeout_seconds,
        "credentials": {
            name: {"scopes": sorted(allowed.scopes), "ttl_seconds": allowed.ttl}
            for name, allowed in sorted(target.credentials.items())
        },
        "egress": [str(one) for one in target.egress] or None,
        "rate": None if target.rate is None else str(target.rate),
        "concurrency": target.concurrency,
        "visibility": target.visibility.value,
        "rehearse": target.rehearse or None,
        "completions": target.completions or None,
    }
    return {field: value for field, value in promise.items() if value not in (None, {}, "scoped")}
