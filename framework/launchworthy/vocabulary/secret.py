"""Values that must not be shown: a redacted holder, and the bearer token of a caller.

Neither has a `str`, a pickle or a comparison that leaks; the one way to the value is a method whose
name says what is done.
"""

import hashlib
import hmac
from typing import NoReturn

from launchworthy.vocabulary.principal import TokenDigest


class Secret:
    """A string that is shown as `Secret(…)` wherever it is printed, logged or formatted."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Hold a value; the empty one is refused, since it never means anything good."""
        if value == "":
            raise ValueError("an empty secret")
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        """Nothing of the value, not even its length."""
        return f"{type(self).__name__}(…)"

    def __str__(self) -> NoReturn:
        """Refuse: a secret has no text."""
        raise TypeError(f"a {type(self).__name__} has no text; it must not be formatted")

    def __format__(self, spec: str) -> NoReturn:
        """Refuse: a secret has no text."""
        raise TypeError(f"a {type(self).__name__} has no text; it must not be formatted")

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a secret is not pickled or copied."""
        raise TypeError(f"a {type(self).__name__} cannot be pickled")


class BearerToken(Secret):
    """A caller's token as it came, unverified (RFC 6750)."""

    __slots__ = ("_digest",)

    def __init__(self, value: str) -> None:
        """Hold a token."""
        super().__init__(value)
        self._digest: TokenDigest | None = None

    @property
    def digest(self) -> TokenDigest:
        """Hex SHA-256, good for caches and logs."""
        if self._digest is None:
            value = self._value.encode("utf-8", "surrogatepass")
            self._digest = TokenDigest(hashlib.sha256(value).hexdigest())
        return self._digest
