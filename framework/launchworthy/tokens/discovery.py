"""Where are an issuer's endpoints, by its own metadata? RFC 8414, OpenID Connect Discovery 1.0.

1. the three well-known places, in the order that MCP gives; an answer that is none leads to the next
2. a document counts only if its `issuer` is the configured one, byte for byte (RFC 8414 §3.3)
3. its endpoints lie on the issuer's own host; an operator who means another host names it in the settings
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from launchworthy.tokens.endpoint import Endpoint, EndpointError, read_endpoint
from launchworthy.tokens.fetch import AnswerError, Fetcher
from launchworthy.tokens.shown import shown

_OAUTH: Final = "/.well-known/oauth-authorization-server"
_OPENID: Final = "/.well-known/openid-configuration"


T = TypeVar("T")


class MetadataError(Exception):
    """The issuer's metadata is not what was configured; only a change can help."""


class WrongIssuerError(MetadataError):
    """The metadata are somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoints:
    """Where an issuer is asked for tokens.

    Attributes:
        token: its token endpoint.
        authorization: where a person's browser is sent, if it says.
        revocation: where tokens are taken back (RFC 7009), if it says.
        device: where a person's sign-in on a device begins (RFC 8628), if it says.
    """

    token: str
    authorization: str | None
    revocation: str | None
    device: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInEndpoint:
    """Where people sign in.

    Attributes:
        authorization: its authorization endpoint.
        names_itself: whether it says who answers, in each answer (RFC 9207 §3).
        one_name_for_all: whether it may call a person the same at every client (OpenID Connect Core §8).
    """

    authorization: str
    names_itself: bool
    one_name_for_all: bool


def well_known_urls(issuer: str) -> tuple[str, ...]:
    """The places where an issuer's metadata can be: RFC 8414 §3.1, §5, and OpenID Connect Discovery §4."""
    scheme, _, rest = issuer.partition("://")
    authority, slash, path = rest.partition("/")
    origin, path = f"{scheme}://{authority}", (slash + path).rstrip("/")
    inserted = (f"{origin}{_OAUTH}{path}", f"{origin}{_OPENID}{path}")
    return (*inserted, f"{origin}{path}{_OPENID}") if path else inserted


def endpoint_of(metadata: dict[str, object], member: str, issuer: str, *, allow_loopback_http: bool) -> str:
    """Take the address of one endpoint out of an issuer's metadata.

    Args:
        metadata: the document.
        member: `jwks_uri`, `introspection_endpoint`.
        issuer: the configured issuer.
        allow_loopback_http: whether this is the simulated world.

    Raises:
        WrongIssuerError: `issuer` is another one.
        MetadataError: there is no such member, or it is not https on the issuer's host.
    """
    if metadata.get("issuer") != issuer:
        raise WrongIssuerError(
            f"the metadata are of the issuer {shown(metadata.get('issuer'))}, configured is {shown(issuer)}"
        )
    uri = metadata.get(member)
    if not isinstance(uri, str):
        raise MetadataError(f"`{member}` is {shown(uri)}")
    try:
        endpoint = read_endpoint(uri, allow_loopback_http=allow_loopback_http, query=True)
    except EndpointError as error:
        raise MetadataError(f"`{member}`: {error}") from None
    own = read_endpoint(issuer, allow_loopback_http=allow_loopback_http, query=False)
    if not endpoint.same_host(own):
        raise MetadataError(f"`{member}` is {shown(uri)}, on another host than the issuer {shown(issuer)}")
    return uri


def token_endpoints_of(
    metadata: dict[str, object], issuer: str, *, allow_loopback_http: bool
) -> TokenEndpoints:
    """Take the addresses for token requests out of an issuer's metadata; raises as `endpoint_of`."""
    read = partial(endpoint_of, metadata, issuer=issuer, allow_loopback_http=allow_loopback_http)

    def optional(member: str) -> str | None:
        return read(member) if member in metadata else None

    return TokenEndpoints(
        token=read("token_endpoint"),
        authorization=optional("authorization_endpoint"),
        revocation=optional("revocation_endpoint"),
        device=optional("device_authorization_endpoint"),
    )


def sign_in_endpoint_of(
    metadata: dict[str, object], issuer: str, *, allow_loopback_http: bool
) -> SignInEndpoint:
    """Take where people sign in out of an issuer's metadata; raises as `endpoint_of`."""
    kinds = metadata.get("subject_types_supported", ["public"])
    return SignInEndpoint(
        authorization=endpoint_of(
            metadata, "authorization_endpoint", issuer, allow_loopback_http=allow_loopback_http
        ),
        names_itself=metadata.get("authorization_response_iss_parameter_supported") is True,
        one_name_for_all=isinstance(kinds, list) and "public" in kinds,
    )


async def discover(fetcher: Fetcher, member: str, issuer: str, *, allow_loopback_http: bool) -> str:
    """Find the address of one of an issuer's endpoints.

    Raises:
        FetchError: no metadata could be had now.
        EndpointError: the issuer's name leads where we do not connect.
        MetadataError: only unusable metadata were found.
    """

    def read(metadata: dict[str, object]) -> str:
        return endpoint_of(metadata, member, issuer, allow_loopback_http=allow_loopback_http)

    return await _first(fetcher, issuer, read, allow_loopback_http=allow_loopback_http)


async def discover_token_endpoints(
    fetcher: Fetcher, issuer: str, *, allow_loopback_http: bool
) -> TokenEndpoints:
    """Find where an issuer is asked for tokens; raises as `discover`."""

    def read(metadata: dict[str, object]) -> TokenEndpoints:
        return token_endpoints_of(metadata, issuer, allow_loopback_http=allow_loopback_http)

    return await _first(fetcher, issuer, read, allow_loopback_http=allow_loopback_http)


async def discover_sign_in(fetcher: Fetcher, issuer: str, *, allow_loopback_http: bool) -> SignInEndpoint:
    """Find where people sign in; raises as `discover`."""

    def read(metadata: dict[str, object]) -> SignInEndpoint:
        return sign_in_endpoint_of(metadata, issuer, allow_loopback_http=allow_loopback_http)

    return await _first(fetcher, issuer, read, allow_loopback_http=allow_loopback_http)


async def _first(
    fetcher: Fetcher, issuer: str, read: Callable[[dict[str, object]], T], *, allow_loopback_http: bool
) -> T:
    unusable: MetadataError | None = None
    missing: AnswerError | None = None
    for url in well_known_urls(issuer):
        place: Endpoint = read_endpoint(url, allow_loopback_http=allow_loopback_http, query=False)
        try:
            return read(await fetcher.get(place))
        except AnswerError as error:
            missing = error
        except MetadataError as error:
            unusable = unusable or error
    raise unusable or missing or AnswerError("there are no metadata")
