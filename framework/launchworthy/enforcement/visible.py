"""What may a caller see in a list? What its scopes and the environment allow, and nothing secret."""

from collections.abc import Iterable

from launchworthy.manifest import TargetKey, TargetManifest, Visibility
from launchworthy.vocabulary import Environment, Principal

_SETS_KEPT = 1024


class VisibleTargets:
    """Plain sets, since policy may look at arguments and a list has none."""

    __slots__ = ("_kept", "_relevant", "_shown")

    def __init__(self, declared: Iterable[TargetManifest], environment: Environment) -> None:
        """Leave out what nobody sees here."""
        self._shown = tuple(
            (one.key, frozenset(one.scopes), one.approval is not None)
            for one in declared
            if one.visibility is not Visibility.SECRET and one.runs_in(environment)
        )
        self._relevant = frozenset(scope for _, scopes, _ in self._shown for scope in scopes)
        self._kept: dict[tuple[frozenset[str], bool], frozenset[TargetKey]] = {}

    def to(self, principal: Principal, *, way_back: bool) -> frozenset[TargetKey]:
        """What this caller may see; callers with the same scopes share the set.

        Args:
            principal: who asks.
            way_back: whether the revision lets somebody be asked; without it, what needs that is hidden.
        """
        held = principal.scopes & self._relevant
        visible = self._kept.get((held, way_back))
        if visible is None:
            visible = frozenset(
                key for key, scopes, asks in self._shown if scopes <= held and (way_back or not asks)
            )
            if len(self._kept) >= _SETS_KEPT:
                self._kept.clear()
            self._kept[held, way_back] = visible
        return visible
