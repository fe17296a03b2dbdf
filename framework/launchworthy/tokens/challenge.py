"""What does a 401 or 403 tell a client to do next? RFC 6750 §3, RFC 9728 §5.1.

The parameters a client acts on come first, in a fixed order, and the sentence for people last: truncated
headers and simple parsers then lose nothing that matters. A value that would need quoting inside its
quotes is refused, so nothing that is put in here can start a parameter of its own.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from launchworthy.vocabulary import is_scope

ERRORS: Final = frozenset(("invalid_request", "invalid_token", "insufficient_scope"))
"""RFC 6750 §3.1; there are no others."""

_DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,200}")
"""RFC 6750 §3: neither quote nor backslash nor control characters."""
_URL = re.compile(r"https?://[\x21\x23-\x5b\x5d-\x7e]+")


@lru_cache(maxsize=256)  # a server has few of them, and writes one for every refusal
def challenge(
    *, error: str | None, scope: tuple[str, ...], resource_metadata: str, description: str | None
) -> str:
    """Write a `WWW-Authenticate` value.

    Args:
        error: what was wrong with the token; None where there was none (RFC 6750 §3.1 demands silence then).
        scope: what a token needs; all scopes of the operation for `insufficient_scope`.
        resource_metadata: the URL of the protected resource metadata.
        description: one constant sentence for people, or None; never anything of the request.

    Raises:
        ValueError: an unknown error, a missing or impossible scope, or a value that cannot be quoted.
    """
    if error is not None and error not in ERRORS:
        raise ValueError(f"RFC 6750 knows no error `{error}`")
    if error == "insufficient_scope" and scope == ():
        raise ValueError("`insufficient_scope` without the scopes that would suffice")
    if error is None and description is not None:
        raise ValueError("there is nothing to describe where there was no error")
    if not all(is_scope(name) for name in scope):
        raise ValueError("not a scope as RFC 6749 §3.3 writes it")
    if _URL.fullmatch(resource_metadata) is None:
        raise ValueError("the metadata's URL cannot be quoted")
    if description is not None and _DESCRIPTION.fullmatch(description) is None:
        raise ValueError("the description cannot be quoted")
    return "Bearer " + ", ".join(_parameters(error, scope, resource_metadata, description))


def _parameters(
    error: str | None, scope: tuple[str, ...], resource_metadata: str, description: str | None
) -> Iterator[str]:
    if error is not None:
        yield f'error="{error}"'
    if scope != ():
        yield f'scope="{" ".join(scope)}"'
    yield f'resource_metadata="{resource_metadata}"'
    if description is not None:
        yield f'error_description="{description}"'
