"""Why does the shared state say no?

LimitReached   a limit is used up: 429, with the seconds after which to try again
NotKept        there is no such value, or its time has ended
Changed        a value is not what it was when it was read, or is there already
`Refused(limit.claim)` is raised for what was claimed before, `Refused(limit.store)` where nobody can tell.
"""

from math import ceil

from launchworthy.vocabulary import Reason, Refused

STORE_RETRY_SECONDS = 5


class LimitReached(Refused):
    """So much is allowed, and it is used up.

    Attributes:
        limit: which one: `rate`, `concurrency`, `budget`, `caller`, `source`, `streams`.
        allowed: how much it allows: `60/minute`, `4 at once`.
    """

    def __init__(self, reason: Reason, *, limit: str, allowed: str, seconds: float) -> None:
        """Hold which limit, and when it allows one more."""
        super().__init__(
            reason, f"the limit `{limit}` of {allowed} is used up", retry_after=max(1, ceil(seconds))
        )
        self.limit = limit
        self.allowed = allowed


class NotKept(LookupError):
    """No such value is kept, or not any more."""


class Changed(Exception):
    """Somebody was quicker: the value is not the one that was read."""


def already_claimed() -> Refused:
    """Of something that can be used once."""
    return Refused(Reason.LIMIT_CLAIM, "this was used before, and can be used once", retry_after=None)


def may_be_forgotten() -> Refused:
    """Of something that can be used once, and was handed out when the store was another one."""
    return Refused(
        Reason.LIMIT_CLAIM,
        "this was handed out before the shared state began anew, so nobody can tell whether it was used",
        retry_after=None,
    )


def store_unusable(why: str) -> Refused:
    """Nobody can tell, so nothing that needs it goes through."""
    return Refused(
        Reason.LIMIT_STORE, f"the shared state cannot be used: {why}", retry_after=STORE_RETRY_SECONDS
    )
