"""How does a check say what it saw? Two short forms."""

from launchworthy.promotion.finding import Assertion


def seen(what: str) -> Assertion:
    """This was looked at, and it is as it must be."""
    return Assertion(holds=True, what=what)


def broken(what: str, where: str | None, *fix: str) -> Assertion:
    """This does not hold; where, and what to do (further lines are to be pasted)."""
    return Assertion(holds=False, what=what, where=where, fix=fix)
