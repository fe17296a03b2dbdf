"""All manifests of a project, read and found to make sense."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from launchworthy.manifest.server_manifest import ServerManifest
from launchworthy.manifest.target import TargetKey, TargetKind, TargetManifest

EXAMPLE_TENANT: Final = "tenant-a"
"""Whose the examples are, where none of them says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """What is promised: made by `load_manifests` only.

    Attributes:
        server: `manifests/server.toml`.
        targets: every tool, resource and prompt, in the order of files and tables.
        digest: hex SHA-256 of what the files say; comments, spaces and order of tables do not count.
        files: what was read.
    """

    server: ServerManifest
    targets: Mapping[TargetKey, TargetManifest]
    digest: str
    files: Mapping[str, bytes]

    def tools(self) -> tuple[TargetManifest, ...]:
        """Every tool."""
        return self._of(TargetKind.TOOL)

    def resources(self) -> tuple[TargetManifest, ...]:
        """Every resource and resource template."""
        return self._of(TargetKind.RESOURCE)

    def prompts(self) -> tuple[TargetManifest, ...]:
        """Every prompt."""
        return self._of(TargetKind.PROMPT)

    @property
    def has_tenants(self) -> bool:
        """Whether callers are of several tenants, and nothing is shared between them."""
        return self.server.data.tenancy == "multi"

    @property
    def example_tenant(self) -> str:
        """Whose the examples are: of one tenant, all of them."""
        named = (target.example_tenant for target in self.targets.values())
        return next((tenant for tenant in named if tenant is not None), EXAMPLE_TENANT)

    def _of(self, kind: TargetKind) -> tuple[TargetManifest, ...]:
        return tuple(target for target in self.targets.values() if target.kind is kind)
