"""May we ever connect to this URL? its form alone; `address` judges where it leads.

1. https; http only on loopback, and only in the simulated world
2. a plain host name: no user information, no IP literal in any spelling, no fragment
3. printable ASCII without spaces and backslashes, which parsers read differently
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from launchworthy.tokens.shown import shown

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "::1", "localhost"))

_URL = re.compile(r"[\x21-\x5b\x5d-\x7e]{8,2048}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""A last label of this form makes resolvers read the whole name as an IPv4 address (`127.1`, `0x7f.1`)."""


class EndpointError(ValueError):
    """We do not connect there; the message is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A URL that may be connected to, taken apart.

    Attributes:
        scheme: `https`, or `http` on loopback.
        host: lower case, without brackets.
        port: always set.
        authority: host and port as they stood, for the `Host` header.
        target: path and query.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @property
    def loopback(self) -> bool:
        """Whether it names this machine."""
        return self.host in LOOPBACK_HOSTS

    def same_host(self, other: "Endpoint") -> bool:
        """Whether both lead to one host, port and scheme."""
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)


def read_endpoint(url: str, *, allow_loopback_http: bool, query: bool) -> Endpoint:
    """Judge the form of a URL.

    Args:
        url: as it was configured or published.
        allow_loopback_http: whether this is the simulated world.
        query: whether it may have a query; an issuer may not (RFC 8414 §2).

    Raises:
        EndpointError: it breaks one of the rules.
    """
    parts, host, port = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_loopback_http):
        raise EndpointError(f"{shown(url)} is not https")
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
        raise EndpointError(f"{shown(url)} is http, which is for loopback only")
    if "@" in parts.netloc or "#" in url or ("?" in url and not query):
        raise EndpointError(f"{shown(parts.hostname)} comes with user information, a query or a fragment")
    if not (parts.scheme == "http" or (_HOST.fullmatch(host) and not _is_numeric(host))):
        raise EndpointError(f"{shown(url)} does not name its host by a plain name")
    return Endpoint(
        scheme=parts.scheme,
        host=host,
        port=port,
        authority=parts.netloc,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _split(url: str) -> tuple[SplitResult, str, int]:
    if _URL.fullmatch(url) is None:
        raise EndpointError("it is no absolute URL in printable ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointError(f"{shown(url)} is no URL") from None
    if not parts.hostname or parts.netloc.endswith(":"):
        raise EndpointError(f"{shown(url)} names no host, or an empty port")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return parts, parts.hostname, port


def _is_numeric(host: str) -> bool:
    return _NUMERIC_LABEL.fullmatch(host.rsplit(".", 1)[-1]) is not None
