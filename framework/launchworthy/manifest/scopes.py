"""Which scopes does a target need, which does a caller have, and which does one scope imply?"""

from collections.abc import Iterable, Mapping, Set

from launchworthy.manifest.target import TargetManifest


def missing_scopes(target: TargetManifest, granted: Set[str]) -> tuple[str, ...]:
    """Say which of the target's scopes a caller lacks, in the manifest's order; empty is enough.

    Args:
        target: all of its scopes are required.
        granted: what the token grants, implied scopes included (`Principal.scopes`).
    """
    return tuple(scope for scope in target.scopes if scope not in granted)


def implied_scopes(granted: Iterable[str], implies: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Add every scope that the granted ones imply, directly or through others (`[scopes.implies]`)."""
    known: set[str] = set()
    waiting = list(granted)
    while waiting:
        scope = waiting.pop()
        if scope not in known:
            known.add(scope)
            waiting.extend(implies.get(scope, ()))
    return frozenset(known)


def find_cycle(implies: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """Find scopes that imply themselves, as the way around: `("a", "b", "a")`; None where there is none."""
    done: set[str] = set()
    for start in implies:
        trail: list[str] = []
        pending: list[tuple[str, bool]] = [(start, True)]
        while pending:
            scope, entering = pending.pop()
            if not entering:
                trail.pop()
                done.add(scope)
            elif scope in trail:
                return (*trail[trail.index(scope) :], scope)
            elif scope not in done:
                trail.append(scope)
                pending.append((scope, False))
                pending.extend((implied, True) for implied in implies.get(scope, ()))
    return None
