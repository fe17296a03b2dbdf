"""A grant in force: named rules do not count for one caller's calls, because two people have approved it."""

from dataclasses import dataclass

LIFTABLE = ("team:", "org:", "approval:")
"""What a grant may lift: people's rules, and the demand for a yes; never a permit, never a guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant that was found genuine: made by the control list only, after somebody has verified it.

    Attributes:
        id: of its entry in the control list.
        incident: what it was given for.
        lifts: ids of the rules that do not count.
        approvers: who has approved it; two at least.
        until: when it ends, in seconds since the epoch.
    """

    id: str
    incident: str
    lifts: frozenset[str]
    approvers: tuple[str, ...]
    until: int


def is_liftable(rule: str) -> bool:
    """Whether a grant may name this rule."""
    return rule.startswith(LIFTABLE)
