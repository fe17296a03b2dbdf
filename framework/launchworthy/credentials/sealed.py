"""How does the caller's own token get to its exchange, and nowhere else?

The gate seals it, and from there on a holder travels that does not have it: the token is in a table of this
module, and the entry goes with the holder. No attribute, `repr`, copy or context variable leads to it. Only a
broker that exchanges tokens opens it, and a stream that has it verified again (a test reads the source).
"""

from typing import NoReturn
from weakref import WeakKeyDictionary

from launchworthy.vocabulary import BearerToken


class SealedToken:
    """Stands for a caller's token without holding it."""

    __slots__ = ("__weakref__",)

    def __repr__(self) -> str:
        """Nothing of the token."""
        return "SealedToken(…)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: it is neither pickled nor copied."""
        raise TypeError("a SealedToken cannot be pickled")


_SEALED_TOKENS: WeakKeyDictionary[SealedToken, BearerToken] = WeakKeyDictionary()


def seal(token: BearerToken) -> SealedToken:
    """Put a token away; returns what stands for it."""
    sealed = SealedToken()
    _SEALED_TOKENS[sealed] = token
    return sealed


def unseal(sealed: SealedToken) -> BearerToken:
    """The token, for the one request that exchanges it, or to be verified again.

    Raises:
        KeyError: it was let go of.
    """
    return _SEALED_TOKENS[sealed]


def let_go(sealed: SealedToken) -> None:
    """Forget the token: its call has ended."""
    _SEALED_TOKENS.pop(sealed, None)
