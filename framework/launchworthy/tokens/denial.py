"""Whose tokens are refused although they are good? Asked of a list that others keep, for every request.

A token may be verified once and used for minutes. What an operator denies in between counts from the next
request on: the list is asked after the signature, and again whenever a remembered verification is used.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol

from launchworthy.vocabulary import Principal


class DenyKind(StrEnum):
    """What an entry of the list names."""

    TOKEN = "token"  # noqa: S105 - a kind of name: `jti`
    SUBJECT = "subject"
    CLIENT = "client"


class DeniableName(NamedTuple):
    """One name under which a caller can be denied; compared exactly.

    Attributes:
        kind: what `value` is.
        issuer: whose name it is; the same name at another issuer is somebody else.
        value: the `jti`, the subject or the client.
    """

    kind: DenyKind
    issuer: str
    value: str


class DenyEntries(Protocol):
    """Who is denied now? `server` fills it with the control list."""

    @property
    def generation(self) -> int:
        """Changes with every change of the list: what was remembered under another one is dropped."""

    def refuse(self, principal: Principal) -> None:
        """Return if this caller is not denied; must neither wait nor do I/O.

        Raises:
            Refused: `token.denied`, or `control.stale` where that cannot be known now.
        """


class NobodyDenied:
    """The list of a server whose settings name none: it is empty, and says so by its name."""

    generation = 0

    def refuse(self, principal: Principal) -> None:
        """Let every caller pass."""


def deniable_names(principal: Principal) -> tuple[DeniableName, ...]:
    """Every name under which a caller can be denied: its token, itself, its client, and all who act for it.

    An actor (RFC 8693 §4.1) may be a person or a client, so its name counts as both.
    """
    issuer = principal.issuer
    return (
        DeniableName(DenyKind.TOKEN, issuer, principal.token_id),
        DeniableName(DenyKind.SUBJECT, issuer, principal.subject),
        DeniableName(DenyKind.CLIENT, issuer, principal.client),
        *(
            DeniableName(kind, issuer, actor)
            for actor in principal.actors
            for kind in (DenyKind.SUBJECT, DenyKind.CLIENT)
        ),
    )
