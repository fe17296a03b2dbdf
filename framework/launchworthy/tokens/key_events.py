"""What happens to an issuer's keys that an operator must be able to see later?"""

from dataclasses import dataclass
from enum import StrEnum


class KeyEventKind(StrEnum):
    """The audit's own names."""

    CHANGED = "keys.changed"
    REFRESH_FAILED = "keys.refresh_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """One change of a key set, or one failed attempt to ask for it.

    Attributes:
        kind: which of the two.
        name: the issuer's name in the settings.
        issuer: the issuer itself.
        jwks_uri: where the keys came from; empty while discovery has not said it.
        added: key ids that are new, or that stand for another key than before.
        removed: key ids that are gone, or that stand for another key than before.
        ignored: key ids that are published and not used.
        detail: why keys are ignored, why the attempt failed, or that the address changed.
    """

    kind: KeyEventKind
    name: str
    issuer: str
    jwks_uri: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    ignored: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerStatus:
    """Whether tokens of one issuer can be verified now.

    Attributes:
        name: the issuer's name in the settings.
        usable: whether its keys may be used.
        fresh: whether they were asked for recently enough.
        detail: one sentence for the operator; empty where all is well.
    """

    name: str
    usable: bool
    fresh: bool
    detail: str
