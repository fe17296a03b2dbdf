"""What does the gate hand to the page, and get back? The one seam; the page is loaded by need."""

from dataclasses import dataclass, field
from typing import Final, Protocol

MAX_FORM: Final = 4096
"""Bytes of a form that is sent to the page."""
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """One request for the page.

    Attributes:
        method: as in the routes.
        path: raw, without the query.
        query: raw.
        cookies: each `Cookie` field as it came.
        origin: `Origin`, or None.
        site: `Sec-Fetch-Site`, or None.
        form: the body of a POST.
        call: names this request in records.
        now: seconds since the epoch.
    """

    method: str
    path: bytes
    query: bytes = field(repr=False)
    cookies: tuple[bytes, ...] = field(repr=False)
    origin: bytes | None
    site: bytes | None
    form: bytes = field(repr=False)
    call: str
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """What a browser is answered; `headers` besides those that every answer has."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class PersonsPage(Protocol):
    """The page where people approve calls."""

    async def answer(self, request: PageRequest) -> PageAnswer:
        """Answer one request that the routes let through.

        Raises:
            Refused: `limit.store`, nobody can be asked; what the page itself refuses is an answer.
        """
