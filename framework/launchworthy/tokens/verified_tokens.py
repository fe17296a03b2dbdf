"""Did we verify exactly this token a moment ago, under the keys that still hold?

Keyed by the SHA-256 of the token. Only good outcomes are kept, at most a minute, at most until the token
ends, and only while the issuer's key set and the list of denials are those it was verified with: a withdrawn
key takes its tokens with it. Whether a caller is denied is not kept but asked each time.
"""

from typing import Final, NamedTuple, Protocol

from launchworthy.vocabulary import Principal, TokenDigest

LONGEST: Final = 60
MAX_TOKENS: Final = 4096


class Voucher(Protocol):
    """Who vouched for a token: its issuer's keys, or the issuer itself when it was asked."""

    @property
    def generation(self) -> int:
        """Changes when what was vouched for no longer counts."""

    @property
    def settled(self) -> bool:
        """Whether what was vouched for counts without asking again."""


class Verified(NamedTuple):
    """A token that was good.

    Attributes:
        principal: whose it is.
        voucher: who says so.
        generations: of the voucher and of the list of denials, when that was found.
        since: when that was found, in seconds since the epoch.
        until: when it is to be found out again; at most `LONGEST` seconds later.
    """

    principal: Principal
    voucher: Voucher
    generations: tuple[int, int]
    since: int
    until: float


class VerifiedTokens:
    """A bounded memory of good tokens; the oldest leaves first."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._entries: dict[TokenDigest, Verified] = {}

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._entries)

    def find(self, digest: TokenDigest, denials: int, now: int) -> Principal | None:
        """The caller of a token that need not be verified again; None means: verify it.

        The instant is compared in both directions, so a clock that was set back never extends anything.
        """
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if (
            entry.since <= now < entry.until
            and entry.generations == (entry.voucher.generation, denials)
            and entry.voucher.settled
        ):
            return entry.principal
        del self._entries[digest]
        return None

    def keep(self, digest: TokenDigest, verified: Verified) -> None:
        """Remember a token that was good."""
        if len(self._entries) >= MAX_TOKENS:
            del self._entries[next(iter(self._entries))]
        self._entries[digest] = verified
