"""What is in force? The settings of one process, resolved from every source, and what of them is promoted."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchworthy.settings.credential_tables import CredentialSettings
from launchworthy.settings.strict import AppSettings
from launchworthy.settings.tables import (
    ApprovalSettings,
    AuditSettings,
    ControlSettings,
    IdentitySettings,
    IssuerSettings,
    LimitsSettings,
    PromotionSettings,
    ServerSettings,
    StateSettings,
    TelemetrySettings,
    WorldSettings,
)
from launchworthy.vocabulary import Environment, Problem, StartupRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A promoted field that the world file replaced, with both values as JSON."""

    field: str
    promoted: str
    rehearsed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator configured.

    Attributes:
        environment: where this process is.
        rehearsed: whose manifests, policy and settings are in force: in a rehearsal, those of the environment
            that is rehearsed; otherwise the environment itself.
        server: `[server]`.
        identity: `[identity]`.
        issuers: `[issuers.<name>]` by name.
        credentials: `[credentials.<name>]` by name.
        audit: `[audit]`.
        state: `[state]`.
        approval: `[approval]`.
        limits: `[limits]`.
        control: `[control]`.
        telemetry: `[telemetry]`.
        promotion: `[promotion]`.
        app: the team's own table, or None where it has no class.
        world: what only the simulated world has.
        data_directory: where `DataFile`s are.
        sources: where each field came from: `config/production.toml:8`, a variable, the world file.
        replaced: what the world file replaced.
        promoted: every promoted field with its value, by dotted name; what a record is about.
    """

    environment: Environment
    rehearsed: Environment
    server: ServerSettings
    identity: IdentitySettings
    issuers: Mapping[str, IssuerSettings]
    credentials: Mapping[str, CredentialSettings]
    audit: AuditSettings
    state: StateSettings
    approval: ApprovalSettings
    limits: LimitsSettings
    control: ControlSettings
    telemetry: TelemetrySettings
    promotion: PromotionSettings
    app: AppSettings | None
    world: WorldSettings | None
    data_directory: Path
    sources: Mapping[str, str]
    replaced: tuple[Replacement, ...]
    promoted: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the promoted fields as canonical JSON."""
        text = json.dumps(dict(self.promoted), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def prepare_data_directory(self) -> None:
        """Make the data directory, for this user alone, where it is missing.

        Raises:
            StartupRefused: it cannot be made.
        """
        try:
            self.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = Problem(
                reason="no-data-directory",
                what=f"`{self.data_directory}` cannot be made ({type(error).__name__})",
                fix=("mount a volume there that this user may write, or set server.data_directory",),
                field="server.data_directory",
            )
            raise StartupRefused("settings", problem) from None
