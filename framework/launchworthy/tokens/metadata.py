"""Where does a client learn who issues tokens for this server? RFC 9728.

The resource identifier is used as it was configured: nothing is normalised, no slash is added or taken,
since clients, issuers and this server must come to the same bytes.
"""

from collections.abc import Sequence
from typing import Final

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


def metadata_url(resource: str) -> str:
    """The URL of the metadata: the well-known part stands between host and path (RFC 9728 §3.1).

    Raises:
        ValueError: the resource is no absolute URL.
    """
    origin, path = _split(resource)
    return f"{origin}{WELL_KNOWN}{path}"


def metadata_paths(resource: str) -> tuple[str, str]:
    """The two paths at which the metadata are served: with the resource's own path, and without.

    The second is for clients that look at the root only; a resource without a path has both the same.

    Raises:
        ValueError: the resource is no absolute URL.
    """
    path = _split(resource)[1].partition("?")[0]
    return f"{WELL_KNOWN}{path}", WELL_KNOWN


def protected_resource_metadata(
    resource: str, issuers: Sequence[str], scopes: Sequence[str], name: str
) -> dict[str, object]:
    """The metadata document (RFC 9728 §2).

    Args:
        resource: the resource identifier.
        issuers: whose tokens are accepted, at least one.
        scopes: what a first call needs (`[scopes] entry`), at least one; clients ask for all that is named.
        name: for people.

    Raises:
        ValueError: no issuer, no scope, or no absolute URL.
    """
    _split(resource)
    if not issuers or not scopes:
        raise ValueError("metadata need at least one issuer and one scope")
    return {
        "resource": resource,
        "authorization_servers": list(issuers),
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    }


def _split(resource: str) -> tuple[str, str]:
    """Origin, and path with query; a path that is nothing but the slash after the host counts as none."""
    scheme, separator, rest = resource.partition("://")
    end = min((rest.index(mark) for mark in "/?" if mark in rest), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if separator == "" or scheme not in ("https", "http") or authority == "" or "#" in resource:
        raise ValueError("the resource is no absolute URL without a fragment")
    return f"{scheme}://{authority}", path.removeprefix("/") if path[:2] in ("/", "/?") else path
