"""What do we overlook in one issuer's tokens, because it cannot do better? A closed list, each with an end.

    typ                 the header's `typ` may also be this other value, or be `absent`; what has it is no
                        access token by its own word, so `nonce` and `at_hash` are refused then: they are
                        what ID tokens have
    audience            `aud` may name this server by this other string (a client id, for example)
    client              the client is in this other claim
    jti                 the token's id is in this other claim
    several_audiences   `aud` may name others besides this server

An exception that is over is not applied: the rule holds again, from that second on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from launchworthy.vocabulary import Reason, Refused

ABSENT: Final = "absent"
"""The value of a `typ` exception for tokens that have none."""

_TEXT = re.compile(r"[\x21-\x7e]{1,256}")


class ExceptionRule(StrEnum):
    """The rules that can be excepted; there are no others."""

    TYP = "typ"
    AUDIENCE = "audience"
    CLIENT = "client"
    JTI = "jti"
    SEVERAL_AUDIENCES = "several_audiences"


OTHER_CLAIMS: Final[Mapping[ExceptionRule, tuple[str, ...]]] = {
    ExceptionRule.CLIENT: ("azp", "cid"),
    ExceptionRule.JTI: ("uti",),
}
"""Which other claims are known to carry the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerException:
    """One rule that one issuer's tokens need not keep, for a while.

    Attributes:
        rule: which.
        value: what is accepted besides; None for `several_audiences`.
        until: seconds since the epoch; from then on the rule holds again.
    """

    rule: ExceptionRule
    value: str | None
    until: int

    def mistake(self) -> str | None:
        """What is wrong with its value; None where nothing is."""
        if self.rule is ExceptionRule.SEVERAL_AUDIENCES:
            return None if self.value is None else "takes no value"
        if self.value is None or _TEXT.fullmatch(self.value) is None:
            return "needs a value of printable characters"
        known = OTHER_CLAIMS.get(self.rule, (self.value,))
        return None if self.value in known else f"can only be one of {', '.join(known)}"


class Excepted:
    """The exceptions of one issuer that hold at one moment."""

    __slots__ = ("_values", "until")

    def __init__(self, exceptions: Iterable[IssuerException], now: int) -> None:
        """Take those that are not over.

        Args:
            exceptions: at most one for each rule.
            now: seconds since the epoch.
        """
        active = [each for each in exceptions if now < each.until]
        self._values = {each.rule: each.value for each in active}
        self.until: float = min((each.until for each in active), default=float("inf"))
        """When this is no longer so."""

    def value(self, rule: ExceptionRule) -> str | None:
        """What is accepted besides; None where the rule holds."""
        return self._values.get(rule)

    def holds(self, rule: ExceptionRule) -> bool:
        """Whether this rule is excepted."""
        return rule in self._values


def refuse_id_token(claims: Mapping[str, object]) -> None:
    """Refuse what only an ID token has (OpenID Connect Core §2), where the type does not tell.

    Raises:
        Refused: `token.type`.
    """
    for name in ("nonce", "at_hash"):
        if name in claims:
            raise Refused(
                Reason.TOKEN_TYPE, f"the token has `{name}`, as ID tokens do, and is not typed `at+jwt`"
            )
