"""What exactly is approved? One call: whose, of what, with which arguments, here, under these rules."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from launchworthy.vocabulary import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCall:
    """One call, as it is asked about and as it must come again.

    Attributes:
        principal: who calls.
        tool: the tool's name.
        given: the arguments as the body has them.
        arguments: the same as validated, defaults filled in: what a person is shown, and what would run.
        resource: this server.
        policy_digest: of the policy that asks.
        manifest_digest: of the manifests it was compiled from.
    """

    principal: Principal
    tool: str
    given: Mapping[str, object]
    arguments: Mapping[str, object]
    resource: str
    policy_digest: str
    manifest_digest: str

    def terms(self) -> dict[str, str]:
        """What an answer holds of the call, and is compared by; of the arguments a digest."""
        return {
            "issuer": self.principal.issuer,
            "subject": self.principal.subject,
            "client": self.principal.client,
            "tenant": self.principal.tenant or "",
            "actors": canonical(list(self.principal.actors)),
            "tool": self.tool,
            "arguments": digest(canonical({"given": self.given, "filled": self._filled()})),
            "resource": self.resource,
            "policy": self.policy_digest,
            "manifests": self.manifest_digest,
        }

    def _filled(self) -> dict[str, object]:
        """The defaults: another version of the code may have others."""
        return {name: value for name, value in self.arguments.items() if name not in self.given}


def canonical(value: object) -> str:
    """One text for one JSON value, type by type: `true` is not `1`, `1` is not `1.0`; keys in order."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(text: str) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()
