"""A person's yes to one call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Somebody said yes to exactly the call that came now: made by `approval` only, after it compared them.

    Attributes:
        question: names the question in all of its records: a digest of its nonce.
    """

    question: str
