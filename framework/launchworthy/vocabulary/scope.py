"""What a token may be good for: scopes by the grammar of RFC 6749 §3.3."""

import re
from collections.abc import Iterable

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")
MAX_SCOPES = 64


def is_scope(text: str) -> bool:
    """Whether this is one scope-token: printable ASCII without space, quote and backslash."""
    return _SCOPE_TOKEN.fullmatch(text) is not None


def parse_scopes(text: str) -> frozenset[str]:
    """Split a `scope` parameter into its scopes.

    Raises:
        ValueError: it does not follow the grammar (RFC 6749 §3.3: single spaces, no empty token), or
            holds more than 64 scopes.
    """
    parts = text.split(" ")
    if len(parts) > MAX_SCOPES:
        raise ValueError(f"more than {MAX_SCOPES} scopes")
    for part in parts:
        if not is_scope(part):
            raise ValueError("not a list of scopes as RFC 6749 §3.3 writes them")
    return frozenset(parts)


def render_scopes(scopes: Iterable[str]) -> str:
    """A `scope` parameter, in an order that does not depend on the run."""
    return " ".join(sorted(scopes))
