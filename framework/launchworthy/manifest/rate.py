"""How much is `10/minute`? An amount in any stretch of time, in manifests and settings."""

import re
from dataclasses import dataclass

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MAX_AMOUNT = 1_000_000
RATE_PATTERN = f"^[1-9][0-9]{{0,6}}/({'|'.join(SECONDS)})$"
_RATE = re.compile(RATE_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most so many in any stretch of so many seconds; no bursts at the turn of the minute.

    Attributes:
        amount: 1 to 1,000,000.
        per: `second`, `minute`, `hour` or `day`.
    """

    amount: int
    per: str

    def __post_init__(self) -> None:
        """Refuse what would allow nothing, or what nobody could count."""
        if not 1 <= self.amount <= MAX_AMOUNT or self.per not in SECONDS:
            raise ValueError(f"a rate is 1 to {MAX_AMOUNT} a second, minute, hour or day: `10/minute`")

    @property
    def seconds(self) -> int:
        """How long the stretch is."""
        return SECONDS[self.per]

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.amount}/{self.per}"


def parse_rate(text: str) -> Rate:
    """Read `10/minute`.

    Raises:
        ValueError: it is not written like that; nothing at all is not a rate either.
    """
    if _RATE.fullmatch(text) is None:
        raise ValueError(f"a rate is 1 to {MAX_AMOUNT} a second, minute, hour or day: `10/minute`")
    amount, _, per = text.partition("/")
    return Rate(amount=int(amount), per=per)
