"""What is a token's scope claim good for, once declared hierarchies are honoured? RFC 6749 §3.3.

`implies` of `[scopes]` says that who holds one scope holds others too. It is declared, never inferred
from how a scope is spelled, and it has no cycles.
"""

from collections.abc import Mapping
from functools import lru_cache

from launchworthy.tokens.shown import shown
from launchworthy.vocabulary import Problem, ProblemError, Reason, Refused, is_scope, parse_scopes
from launchworthy.vocabulary.scope import MAX_SCOPES

MAX_SCOPE_CLAIM = 4096


class ScopeHierarchy:
    """The declared implications, followed to their end once."""

    __slots__ = ("_reach",)

    def __init__(self, implies: Mapping[str, tuple[str, ...]]) -> None:
        """Follow every implication.

        Raises:
            ProblemError: a scope implies itself, directly or through others.
        """
        self._reach = {scope: _reach(scope, implies, ()) for scope in implies}

    def granted(self, scopes: frozenset[str]) -> frozenset[str]:
        """These scopes and all that they imply."""
        if self._reach.keys().isdisjoint(scopes):
            return scopes
        return scopes.union(*(self._reach.get(scope, ()) for scope in scopes))


def read_scopes(claim: str, value: object) -> frozenset[str]:
    """Read the claim that carries scopes; the RFC's own is one string, a mapped one may be a list.

    Args:
        claim: the claim's name, `scope` unless the issuer's mapping says another.
        value: what the token has there.

    Raises:
        Refused: `token.claims`.
    """
    try:
        if isinstance(value, str) and len(value) <= MAX_SCOPE_CLAIM:
            return _parsed(value)
        if isinstance(value, list) and claim != "scope" and len(value) <= MAX_SCOPES:
            return frozenset(_scope(item) for item in value)
    except ValueError:
        pass
    raise Refused(Reason.TOKEN_CLAIMS, f"`{claim}` is not a list of scopes as RFC 6749 §3.3 writes them")


_parsed = lru_cache(maxsize=256)(parse_scopes)
"""An issuer writes few different lists; tokens that have the same then share one set, and its hash."""


def _scope(item: object) -> str:
    if not isinstance(item, str) or not is_scope(item):
        raise ValueError("not a scope")
    return item


def _reach(scope: str, implies: Mapping[str, tuple[str, ...]], path: tuple[str, ...]) -> frozenset[str]:
    if scope in path:
        raise ProblemError(
            Problem(
                reason="scope-cycle",
                what=f"the scope {shown(scope)} implies itself, through {shown(list(path))}",
                fix=("remove one of them from [scopes.implies]: a hierarchy has a top",),
                where="manifests/server.toml",
                field="scopes.implies",
            )
        )
    implied = implies.get(scope, ())
    return frozenset(implied).union(*(_reach(lower, implies, (*path, scope)) for lower in implied))
