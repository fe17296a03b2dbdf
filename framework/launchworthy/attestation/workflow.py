"""Which workflow may sign without a key? One that the trust policy names, word for word.

    promoters = [{ identity   = "https://github.com/acme/platform/.github/workflows/attest.yml@refs/tags/v1",
                   issuer     = "https://token.actions.githubusercontent.com",
                   repository = "https://github.com/acme/orders" }]

    [sigstore]
    trusted_root   = "trusted_root.json"      # whose certificates and logs count, without a network
    signing_config = "signing_config.json"    # where `attest` has it certified and logged

There are no patterns: what a pattern lets in, nobody has read. The repository is named too, because anybody
may call a public workflow from a repository of their own, and the certificate then names that workflow.

The simulated world has its own: names below `https://dev.invalid/`, services on this machine. One policy has
workflows of one world only, since one `trusted_root` vouches for all of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from launchworthy.attestation.json_document import MalformedRecordError, cite, read_model
from launchworthy.attestation.places import is_fit
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment

FILE_LIMIT = 256 * 1024
"""Bytes of a trusted root; the public one has 7,000."""
_SERVICES = ("tlogs", "ctlogs", "certificate_authorities", "timestamp_authorities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A promoter that has no key: a workflow of a CI system, run for one repository.

    Attributes:
        identity: of the workflow and its version, as certificates name it.
        issuer: of the tokens that prove it.
        repository: for which it runs.
    """

    identity: str
    issuer: str
    repository: str

    @property
    def simulated(self) -> bool:
        """Whether it is of the simulated world."""
        return urlsplit(self.identity).hostname == SIMULATED_TRUST_DOMAIN

    def __str__(self) -> str:
        """The identity, by which a policy can revoke it."""
        return self.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Sigstore:
    """The instance of Sigstore that the platform pins.

    Attributes:
        trusted_root: JSON of a TrustedRoot.
        signing_config: JSON of a SigningConfig.
    """

    trusted_root: bytes
    signing_config: bytes


_Name = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9._~/@:-]{1,500}$")]
_JsonFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.json$")]


class WorkflowTable(BaseModel):
    """`{ identity = "…", issuer = "…", repository = "…" }` among the promoters."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    identity: _Name
    issuer: _Name
    repository: _Name

    def workflow(self) -> Workflow:
        """The same, as a promoter."""
        return Workflow(identity=self.identity, issuer=self.issuer, repository=self.repository)


class SigstoreTable(BaseModel):
    """`[sigstore]` of the trust policy."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    trusted_root: _JsonFile
    signing_config: _JsonFile


def wrong_with_workflow(table: WorkflowTable, environment: Environment) -> str | None:
    """What is wrong with a promoter of an environment; None if nothing is."""
    for url in (table.identity, table.issuer, table.repository):
        if environment.simulated:
            fit = urlsplit(url).hostname == SIMULATED_TRUST_DOMAIN
        else:
            fit = is_fit(url, environment, schemes=("https",))
        if not fit:
            return f"[{environment}] `{cite(url)}` names no workflow of this environment's world"
    if "@" not in urlsplit(table.identity).path:
        return (
            f"[{environment}] `{cite(table.identity)}` names a workflow and not its version: …@refs/tags/v1"
        )
    return None


def wrong_with_files(sigstore: Sigstore, environment: Environment) -> Iterator[str]:
    """What is wrong with the two files of `[sigstore]`, for an environment that signs with it."""
    try:
        read_model(sigstore.trusted_root, _TrustedRoot, limit=FILE_LIMIT)
    except MalformedRecordError as error:
        yield f"[sigstore] trusted_root: {error}"
    try:
        config = read_model(sigstore.signing_config, _SigningConfig, limit=FILE_LIMIT)
    except MalformedRecordError as error:
        yield f"[sigstore] signing_config: {error}"
        return
    for service in (*config.ca_urls, *config.rekor_tlog_urls, *config.tsa_urls):
        if not is_fit(service.url, environment, schemes=("https",)):
            yield f"[sigstore] signing_config: `{cite(service.url)}` is no service for {environment}"


def in_force(trusted_root: bytes, at: int) -> bytes:
    """The trusted root with what was in force at an instant, and without what was retired or not yet there.

    Args:
        trusted_root: JSON.
        at: seconds since the epoch.
    """
    document = json.loads(trusted_root)
    spans = _TrustedRoot.model_validate_json(trusted_root)
    for name in _SERVICES:
        services: tuple[_Log | _Authority, ...] = getattr(spans, name)
        wire = to_camel(name)
        document[wire] = [
            each
            for each, service in zip(document.get(wire, ()), services, strict=True)
            if service.span.holds(at)
        ]
    return json.dumps(document).encode("utf-8")


class _Published(BaseModel):
    """What others publish may say more than is read here; the library reads the rest."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, extra="ignore", hide_input_in_errors=True
    )


class _Span(_Published):
    start: AwareDatetime
    end: AwareDatetime | None = None

    def holds(self, at: int) -> bool:
        return self.start.timestamp() <= at and (self.end is None or at <= self.end.timestamp())


class _Key(_Published):
    valid_for: _Span


class _Log(_Published):
    public_key: _Key

    @property
    def span(self) -> _Span:
        return self.public_key.valid_for


class _Authority(_Published):
    valid_for: _Span

    @property
    def span(self) -> _Span:
        return self.valid_for


class _TrustedRoot(_Published):
    media_type: Literal["application/vnd.dev.sigstore.trustedroot+json;version=0.1"]
    tlogs: Annotated[tuple[_Log, ...], Field(min_length=1)]
    ctlogs: Annotated[tuple[_Log, ...], Field(min_length=1)]
    certificate_authorities: Annotated[tuple[_Authority, ...], Field(min_length=1)]
    timestamp_authorities: tuple[_Authority, ...] = ()


class _Service(_Published):
    url: str


class _SigningConfig(_Published):
    media_type: Literal["application/vnd.dev.sigstore.signingconfig.v0.2+json"]
    ca_urls: Annotated[tuple[_Service, ...], Field(min_length=1)]
    rekor_tlog_urls: Annotated[tuple[_Service, ...], Field(min_length=1)]
    tsa_urls: tuple[_Service, ...] = ()


def is_workflow_name(text: str) -> bool:
    """Whether `[revoked] signers` could mean a workflow by this."""
    try:
        WorkflowTable.model_validate({"identity": text, "issuer": text, "repository": text})
    except ValidationError:
        return False
    return "@" in urlsplit(text).path


def the_files(table: SigstoreTable | None, files: Mapping[str, bytes]) -> Sigstore | None:
    """The contents of what `[sigstore]` names."""
    if table is None:
        return None
    return Sigstore(trusted_root=files[table.trusted_root], signing_config=files[table.signing_config])
