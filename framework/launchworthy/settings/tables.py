"""Which tables does a settings file have? One class each; `[app]` is the team's own.

A field is promoted (its value is in the record, and no variable changes it) unless it is marked DEPLOYMENT.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from launchworthy.manifest import Classification
from launchworthy.settings.closed import (
    DEPLOYMENT,
    AbsolutePath,
    Address,
    Claim,
    Duration,
    Endpoint,
    Hostname,
    Identifier,
    Origin,
    PeerName,
    Reference,
    StoreUrl,
    Subject,
    Url,
)
from launchworthy.settings.credential_tables import CredentialSettings
from launchworthy.settings.issuer_exceptions import IssuerExceptions
from launchworthy.settings.strict import Table
from launchworthy.vocabulary import SecretScheme

Revision = Literal["2026-07-28", "2025-11-25"]
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"
]


class ServerSettings(Table):
    """`[server]`: the address, the one audience, and how much a request may hold."""

    resource: Url
    listen: Annotated[Address, DEPLOYMENT]
    health_bind: Annotated[Address, DEPLOYMENT]
    replicas: Annotated[int, Field(ge=1, le=10_000), DEPLOYMENT] = 1
    tls: Literal["loopback", "ingress", "spiffe"] = "loopback"
    peers: tuple[PeerName, ...] = ()
    proxies: tuple[PeerName, ...] = ()
    new_tokens_per_minute: Annotated[int, Field(ge=600, le=1_000_000)] = Field(
        default=6000, description="how many tokens not verified lately one peer may show one replica"
    )
    data_directory: Annotated[AbsolutePath | None, DEPLOYMENT] = None
    allowed_origins: tuple[Origin, ...] = ()
    revisions: tuple[Revision, ...] = Field(default=("2026-07-28", "2025-11-25"), min_length=1)
    max_body: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = 1024 * 1024
    grace: Duration = 20.0
    classification: Classification | None = None

    @model_validator(mode="after")
    def _peers_go_with_mutual_tls(self) -> "ServerSettings":
        if self.tls != "spiffe":
            if self.peers or self.proxies or "new_tokens_per_minute" in self.model_fields_set:
                named = "`peers`, `proxies` and `new_tokens_per_minute`"
                raise ValueError(f'{named} go with tls = "spiffe" only')
            return self
        if not self.resource.startswith("https://"):
            raise ValueError('tls = "spiffe" serves an https `resource`')
        if len(self.peers) == 0:
            raise ValueError('tls = "spiffe" needs `peers`: the SPIFFE IDs or trust domains that may connect')
        if any("/" not in proxy.removeprefix("spiffe://") for proxy in self.proxies):
            raise ValueError("`proxies` names single workloads, not trust domains")
        return self

    @property
    def grace_seconds(self) -> float:
        """How long running calls may take to end after SIGTERM."""
        return self.grace


class IdentitySettings(Table):
    """`[identity]`: who this workload is, and where that can be had."""

    kind: Literal["spiffe", "file", "github"]
    expected_id: Subject
    trust_domains: tuple[Hostname, ...] = Field(min_length=1)
    endpoint: Annotated[Endpoint, DEPLOYMENT]
    start_deadline: Duration = 30.0
    call_timeout: Duration = 3.0
    revocation_grace: Annotated[Duration, Field(le=30)] | None = None
    socket_owner_uids: tuple[Annotated[int, Field(ge=0, le=2**32 - 2)], ...] = (0,)

    @model_validator(mode="after")
    def _kind_has_its_fields(self) -> "IdentitySettings":
        if self.kind == "spiffe" and not self.endpoint.startswith("unix://"):
            raise ValueError("kind `spiffe` needs an endpoint that begins with unix://")
        if self.kind == "file" and not self.endpoint.startswith("/"):
            raise ValueError("kind `file` needs the path of the token file as its endpoint")
        if (self.kind == "github") != (self.endpoint == "github://actions"):
            raise ValueError('kind `github` goes with the endpoint "github://actions"')
        if self.kind != "spiffe" and self.revocation_grace is not None:
            raise ValueError("`revocation_grace` is about SPIFFE agents only")
        return self


class IssuerSettings(Table):
    """`[issuers.<name>]`: who issues the tokens of our callers, and what is accepted of it."""

    issuer: Url
    algorithms: tuple[Algorithm, ...] = Field(min_length=1)
    max_lifetime: Duration = 3600.0
    leeway: Annotated[Duration, Field(le=60)] = 30.0
    jwks_uri: Url | None = None
    scope_claim: Claim = "scope"
    person_claim: Claim | None = None
    tenant_claim: Claim | None = Field(
        default=None, description="the claim that is the tenant, where the manifest says `multi`"
    )
    key_fresh: Annotated[int, Field(ge=1, le=300)] = 300
    key_stale: Annotated[int, Field(ge=0, le=900)] = 900
    key_spacing: Annotated[int, Field(ge=1, le=60)] = 10
    introspection: bool = Field(default=False, description="whether opaque tokens are asked about here")
    introspection_endpoint: Url | None = Field(default=None, description="if on another host than the issuer")
    exceptions: IssuerExceptions = IssuerExceptions()

    @model_validator(mode="after")
    def _tokens_are_short_lived(self) -> "IssuerSettings":
        if self.max_lifetime > 86400:  # noqa: PLR2004 - a day
            raise ValueError("`max_lifetime` is at most 24h")
        return self

    @model_validator(mode="after")
    def _an_endpoint_is_for_what_is_asked(self) -> "IssuerSettings":
        if self.introspection_endpoint is not None and not self.introspection:
            raise ValueError("`introspection_endpoint` is for `introspection = true`")
        return self

    @property
    def client_claim(self) -> str:
        """The claim that has the client."""
        return "client_id" if self.exceptions.client is None else self.exceptions.client.value


class AuditSettings(Table):
    """`[audit]`: where the stream is written, and where its checkpoints go besides."""

    directory: Annotated[AbsolutePath, DEPLOYMENT]
    anchor: Literal["stdout", "file", "http", "none"] = "stdout"
    anchor_file: Annotated[AbsolutePath | None, DEPLOYMENT] = None
    anchor_url: Annotated[Url | None, DEPLOYMENT] = None
    hmac_key: Reference | None = None
    spool_mib: Annotated[int, Field(ge=64, le=1024 * 1024)] | None = None
    keep: Duration | None = None

    @model_validator(mode="after")
    def _fields_belong_together(self) -> "AuditSettings":
        for anchor, place in (("file", self.anchor_file), ("http", self.anchor_url)):
            if (self.anchor == anchor) != (place is not None):
                raise ValueError(
                    'anchor "file" needs anchor_file, "http" needs anchor_url, and no other has one'
                )
        if self.keep is not None and self.spool_mib is None:
            raise ValueError(
                "`keep` deletes what a shipper has passed: say `spool_mib`, how much may wait for it"
            )
        return self

    @model_validator(mode="after")
    def _key_is_in_a_file(self) -> "AuditSettings":
        if self.hmac_key is not None and self.hmac_key.scheme is not SecretScheme.FILE:
            raise ValueError("the key of the audit is read from a file: `file:/run/secrets/audit-hmac`")
        return self


class TelemetrySettings(Table):
    """`[telemetry]`: where traces and metrics go; without an endpoint there are none."""

    endpoint: Annotated[Url | None, DEPLOYMENT] = None


class PromotionSettings(Table):
    """`[promotion]`: where renewed records are mounted. Who may sign is the platform's to say, not ours."""

    records: Annotated[AbsolutePath | None, DEPLOYMENT] = None
    judges: bool = Field(default=False, description="whether a promotion needs every second judge")


class StateSettings(Table):
    """`[state]`: what replicas agree on, and who keeps it."""

    kind: Literal["memory", "valkey"] = "memory"
    url: Annotated[StoreUrl | None, DEPLOYMENT] = None
    ca: Annotated[AbsolutePath | None, DEPLOYMENT] = None
    user: Identifier | None = None
    password: Reference | None = None
    approval_key: Reference | None = None

    @model_validator(mode="after")
    def _kind_has_its_fields(self) -> "StateSettings":
        if self.kind == "valkey" and self.url is None:
            raise ValueError("kind `valkey` needs a url")
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together")
        if self.password is not None and self.password.scheme is not SecretScheme.FILE:
            raise ValueError("the password of the store is read from a file: `file:/run/secrets/store`")
        return self

    @model_validator(mode="after")
    def _key_is_in_a_file(self) -> "StateSettings":
        if self.approval_key is not None and self.approval_key.scheme is not SecretScheme.FILE:
            raise ValueError("the key of approvals is read from a file: `file:/run/secrets/approval`")
        return self


class ApprovalSettings(Table):
    """`[approval]`: where people sign in who approve a call on the page, and who we are there."""

    issuer: Identifier | None = Field(
        default=None, description="where they sign in: the name of one of [issuers]; left out: nowhere"
    )
    client: Subject | None = Field(
        default=None, description="who we are to that issuer; left out: identity.expected_id"
    )
    assertion: Literal["jwt-spiffe", "jwt-bearer", "private-key-jwt"] | None = Field(
        default=None, description="how we prove it; left out: what this kind of identity has"
    )
    scopes: tuple[Identifier, ...] = Field(
        default=(), max_length=8, description="besides openid: what the claim of approvers needs"
    )
    authorization_endpoint: Url | None = Field(
        default=None, description="where browsers are sent; left out: as the issuer's metadata say"
    )
    token_endpoint: Url | None = Field(
        default=None, description="where codes are redeemed; left out: as the issuer's metadata say"
    )

    @model_validator(mode="after")
    def _somebody_signs_in_somewhere(self) -> "ApprovalSettings":
        more = (self.client, self.assertion, self.authorization_endpoint, self.token_endpoint)
        if self.issuer is None and (self.scopes or any(each is not None for each in more)):
            raise ValueError("[approval] needs `issuer`: where people sign in")
        return self


class LimitsSettings(Table):
    """`[limits]`: what one caller may do to one replica, whatever it calls; rates are the manifest's."""

    caller_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 6000
    caller_at_once: Annotated[int, Field(ge=1, le=10_000)] = 64


class ControlSettings(Table):
    """`[control]`: where what is stopped or denied now is written; with a key, in the store as well."""

    file: Annotated[AbsolutePath | None, DEPLOYMENT] = None
    key: Reference | None = Field(default=None, description="what seals the list in the store")

    @model_validator(mode="after")
    def _key_is_in_a_file(self) -> "ControlSettings":
        if self.key is not None and self.key.scheme is not SecretScheme.FILE:
            raise ValueError("the key of the control list is read from a file: `file:/run/secrets/control`")
        return self


class WorldSettings(Table):
    """`[world]` of a world file: what only the simulated world has."""

    execution_pipe: AbsolutePath | None = None
    hold: AbsolutePath | None = None
    reach: AbsolutePath | None = None
    longest_call: Annotated[float, Field(gt=0, le=300)] | None = None
    trust: AbsolutePath | None = None
    break_glass: AbsolutePath | None = None
    settings: Literal["staging", "production"] = "production"


IssuerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a lower-case name")]


class FileTables(BaseModel):
    """A whole settings file but for `[app]`, once every source has been merged."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    server: ServerSettings
    identity: IdentitySettings
    issuers: Annotated[dict[IssuerName, IssuerSettings], Field(min_length=1)]
    credentials: dict[IssuerName, CredentialSettings] = Field(default_factory=dict)
    audit: AuditSettings
    state: StateSettings = StateSettings()
    approval: ApprovalSettings = ApprovalSettings()
    limits: LimitsSettings = LimitsSettings()
    control: ControlSettings = ControlSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    promotion: PromotionSettings = PromotionSettings()

    @model_validator(mode="after")
    def _mutual_tls_has_an_identity(self) -> "FileTables":
        if self.server.tls != "spiffe":
            return self
        if self.identity.kind != "spiffe":
            raise ValueError('`server.tls = "spiffe"` needs an identity of kind `spiffe`')
        for name in (*self.server.peers, *self.server.proxies):
            domain = name.removeprefix("spiffe://").partition("/")[0]
            if domain not in self.identity.trust_domains:
                raise ValueError(f"`{domain}` of a peer is none of `identity.trust_domains`")
        return self

    @model_validator(mode="after")
    def _each_key_has_one_purpose(self) -> "FileTables":
        keys = [
            key
            for key in (
                self.audit.hmac_key,
                self.control.key,
                self.state.approval_key,
                self.state.password,
            )
            if key is not None
        ]
        if len({key.locator for key in keys}) != len(keys):
            raise ValueError(
                "the keys of audit, control, approvals and store are four files: one purpose each"
            )
        return self

    @model_validator(mode="after")
    def _people_sign_in_where_callers_come_from(self) -> "FileTables":
        if self.approval.issuer is not None and self.approval.issuer not in self.issuers:
            raise ValueError(
                "`approval.issuer` is none of [issuers]: callers and approvers are told apart there"
            )
        return self

    @model_validator(mode="after")
    def _opaque_tokens_have_one_issuer(self) -> "FileTables":
        if sum(issuer.introspection for issuer in self.issuers.values()) > 1:
            raise ValueError("`introspection` is true for one issuer at most: opaque tokens go there only")
        return self
