"""What does a team overlook in one issuer's tokens, why, who answers for it, and until when?

`[issuers.<name>.exceptions.<rule>]`: a closed list of rules. What each means is in `tokens.named_exceptions`.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from pydantic import Field

from launchworthy.settings.closed import Claim, Day, Owner, Sentence, Subject
from launchworthy.settings.strict import Table

LONGEST: Final = dt.timedelta(days=90)
_ABOUT = "why this issuer cannot do better"


class Terms(Table):
    """What every exception says of itself."""

    reason: Sentence = Field(description=_ABOUT)
    owner: Owner = Field(description="who answers for it: a group")
    until: Day = Field(description="its last day, 90 days ahead at most")


class TypeException(Terms):
    """`typ`: what has another type is taken for an access token."""

    value: Claim = Field(description="the other `typ`, or `absent`")


class AudienceException(Terms):
    """`audience`: the issuer names this server by another string."""

    value: Subject = Field(description="the other string; another one for each server and environment")


class ClientException(Terms):
    """`client`: the issuer says the client elsewhere."""

    value: Literal["azp", "cid"] = Field(description="the claim that has the client")


class IdException(Terms):
    """`jti`: the issuer says the token's id elsewhere."""

    value: Literal["uti"] = Field(description="the claim that has the token's id")


class IssuerExceptions(Table):
    """`[issuers.<name>.exceptions.<rule>]`: for providers that cannot do better, each with an end."""

    typ: TypeException | None = None
    audience: AudienceException | None = None
    client: ClientException | None = None
    jti: IdException | None = None
    several_audiences: Terms | None = None


class NamedException(NamedTuple):
    """One exception as it was written.

    Attributes:
        rule: the rule that need not be kept.
        value: what is accepted besides, or None.
        reason: why.
        owner: who answers for it.
        until: its last day.
    """

    rule: str
    value: str | None
    reason: str
    owner: str
    until: dt.date

    @property
    def ends_at(self) -> int:
        """The first second in which it holds no more: midnight after its last day, UTC."""
        after = dt.datetime.combine(self.until + dt.timedelta(days=1), dt.time(), dt.UTC)
        return int(after.timestamp())

    def mistake(self, now: int) -> str | None:
        """Why it does not hold now; None where it does."""
        if now >= self.ends_at:
            return f"was over on {self.until}"
        if self.ends_at - now > (LONGEST + dt.timedelta(days=1)).total_seconds():
            return f"lasts until {self.until}, more than {LONGEST.days} days from now"
        return None

    def line(self) -> str:
        """It in one line, for events and reports."""
        value = "" if self.value is None else f"={self.value}"
        return f"{self.rule}{value} until {self.until} ({self.owner})"


def listed(exceptions: IssuerExceptions) -> Iterator[NamedException]:
    """Every exception that was written, in the order of the rules."""
    for rule in type(exceptions).model_fields:
        terms: Terms | None = getattr(exceptions, rule)
        if terms is not None:
            yield NamedException(rule, getattr(terms, "value", None), terms.reason, terms.owner, terms.until)
