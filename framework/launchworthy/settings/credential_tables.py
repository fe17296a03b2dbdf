"""Which fields does `[credentials.<name>]` have? None that its broker does not use."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from launchworthy.settings.closed import (
    DEPLOYMENT,
    AbsolutePath,
    Arn,
    Identifier,
    Reference,
    StorePath,
    Subject,
    Url,
)
from launchworthy.settings.strict import Table

Broker = Literal[
    "token-exchange", "client-credentials", "jwt-bearer", "id-jag", "openbao", "aws-sts", "file", "developer"
]

_AT_AN_ISSUER: Final = frozenset({"issuer", "url", "resource", "endpoint", "client", "assertion"})
_USES: Final[Mapping[str, frozenset[str]]] = {
    "token-exchange": _AT_AN_ISSUER,
    "client-credentials": _AT_AN_ISSUER,
    "jwt-bearer": _AT_AN_ISSUER - {"assertion", "client"},
    "id-jag": _AT_AN_ISSUER | {"authorization_server"},
    "openbao": frozenset({"address", "ca", "login", "mount", "role", "path", "part", "url"}),
    "aws-sts": frozenset({"address", "role_arn"}),
    "file": frozenset({"reference", "url"}),
    "developer": frozenset({"issuer", "url", "resource", "client"}),
}
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "token-exchange": ("issuer",),
    "client-credentials": ("issuer",),
    "jwt-bearer": ("issuer",),
    "id-jag": ("issuer", "authorization_server"),
    "openbao": ("address", "role", "path"),
    "aws-sts": ("address", "role_arn"),
    "file": ("reference",),
    "developer": ("issuer", "url", "client"),
}
SCOPED: Final = frozenset({"token-exchange", "client-credentials", "jwt-bearer", "id-jag", "developer"})
"""The brokers whose credentials have scopes; the others have none, and a manifest asks them for none."""
EXCHANGES: Final = frozenset({"token-exchange", "id-jag"})
"""The brokers that need the caller's own token."""


class CredentialSettings(Table):
    """`[credentials.<name>]`: what a tool may borrow, and from whom."""

    broker: Broker
    issuer: Url | None = Field(default=None, description="who issues the token, byte for byte")
    url: Url | None = Field(default=None, description="the only host that call.upstream opens with it")
    resource: Url | None = Field(default=None, description="whom the token is for; left out: `url`")
    endpoint: Url | None = Field(
        default=None, description="where tokens are asked for; left out: as the issuer's metadata say"
    )
    client: Subject | None = Field(
        default=None, description="who we are to that issuer; left out: identity.expected_id"
    )
    assertion: Literal["jwt-spiffe", "jwt-bearer", "private-key-jwt"] | None = Field(
        default=None, description="how we prove it; left out: what this kind of identity has"
    )
    authorization_server: Url | None = Field(
        default=None, description="of id-jag: the issuer of the upstream's own tokens"
    )
    address: Url | None = Field(default=None, description="of the store or the STS that lends it")
    ca: Annotated[AbsolutePath | None, DEPLOYMENT] = Field(
        default=None, description="who vouches for that address, in PEM; left out: whom the machine trusts"
    )
    login: Literal["jwt", "cert"] = Field(
        default="jwt", description="what we log in with: our assertion, or our certificate in the handshake"
    )
    mount: Identifier | None = Field(
        default=None, description="where that login is mounted; left out: `jwt` or `cert`"
    )
    role: Identifier | None = Field(default=None, description="as which role we log in")
    path: StorePath | None = Field(
        default=None, description="of the dynamic secret: `payments/creds/refunds`"
    )
    part: Annotated[Identifier | None, Field(description="which part of it is the secret itself")] = None
    role_arn: Arn | None = Field(default=None, description="the role that is assumed")
    reference: Reference | None = Field(default=None, description="the mounted file: `file:/run/secrets/key`")

    @model_validator(mode="after")
    def _broker_has_its_fields(self) -> "CredentialSettings":
        given = {
            name
            for name, info in type(self).model_fields.items()
            if name != "broker" and getattr(self, name) != info.default
        }
        if unused := sorted(given - _USES[self.broker]):
            raise ValueError(f"broker `{self.broker}` has no field `{unused[0]}`")
        for needed in _NEEDS[self.broker]:
            if getattr(self, needed) is None:
                raise ValueError(f"broker `{self.broker}` needs `{needed}`")
        if self.broker in SCOPED and self.audience is None:
            raise ValueError(f"broker `{self.broker}` needs `url` or `resource`: whom its tokens are for")
        return self

    @property
    def audience(self) -> str | None:
        """The one resource that its tokens are for."""
        return self.resource if self.resource is not None else self.url
