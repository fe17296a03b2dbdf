"""What does a browser carry that nobody else can bring? Two sealed cookies, each for one question.

`__Host-` (Secure, no Domain, Path=/), HttpOnly, SameSite=Lax: not Strict, because the browser comes back from
the authorization server by a link of another site. On http, which is loopback in the simulated world only,
browsers take no Secure cookie from every address of this machine, so there the prefix and the mark are left
out. Each question and each sign-in has a cookie of its own, so two tabs do not disturb each other.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from launchworthy.approval.asked_call import canonical
from launchworthy.approval.question import TTL_SECONDS
from launchworthy.approval.refusals import NotAnswered
from launchworthy.approval.seal import StateSeal

_NAME_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that was begun in this browser.

    Attributes:
        handle: of the question.
        state: what the authorization server gives back.
        nonce: what the ID token must hold.
        verifier: of PKCE.
        at: when, in seconds since the epoch.
    """

    handle: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who has signed in for a question, and may answer it.

    Attributes:
        handle: of the question.
        issuer: who vouches for them.
        subject: who they are there.
        known_as: how people know them; shown to themselves only.
        signed_in_at: in seconds since the epoch.
        token: what the form must bring: a page of another site does not know it.
    """

    handle: str
    issuer: str
    subject: str
    known_as: str
    signed_in_at: int
    token: str = field(repr=False)


class Cookies:
    """Makes and opens the cookies of one server."""

    def __init__(self, sign_in: StateSeal, visit: StateSeal, *, secure: bool) -> None:
        """Hold what seals them.

        Args:
            sign_in: of sign-ins that were begun.
            visit: of people who have signed in.
            secure: whether this server is reached by https.
        """
        self._sign_in = sign_in
        self._visit = visit
        self._secure = secure

    def begin(self, begun: Begun) -> bytes:
        """`Set-Cookie` of a sign-in that begins."""
        return self._set(self._name("sign-in", begun.state), self._sign_in, asdict(begun))

    def begun(self, cookies: Mapping[str, str], state: str) -> Begun:
        """The sign-in of this browser that an answer is to.

        Raises:
            NotAnswered: this browser has begun none that this is an answer to.
        """
        return Begun(**self._opened(cookies, self._name("sign-in", state), self._sign_in))

    def end(self, state: str) -> bytes:
        """`Set-Cookie` of a sign-in that is over."""
        return self._forget(self._name("sign-in", state))

    def visit(self, visit: Visit) -> bytes:
        """`Set-Cookie` of somebody who has signed in."""
        return self._set(self._name("visit", visit.handle), self._visit, asdict(visit))

    def visitor(self, cookies: Mapping[str, str], handle: str) -> Visit:
        """Who has signed in, in this browser, for this question.

        Raises:
            NotAnswered: nobody has.
        """
        visit = Visit(**self._opened(cookies, self._name("visit", handle), self._visit))
        if visit.handle != handle:
            raise NotAnswered("they have signed in for another question")
        return visit

    def leave(self, handle: str) -> bytes:
        """`Set-Cookie` of somebody who has answered."""
        return self._forget(self._name("visit", handle))

    def _name(self, kind: str, about: str) -> str:
        """Of one question, and telling nothing of it."""
        digest = hashlib.sha256(about.encode()).hexdigest()[:_NAME_CHARACTERS]
        return f"{'__Host-' if self._secure else ''}approval-{kind}-{digest}"

    def _set(self, name: str, seal: StateSeal, content: Mapping[str, object]) -> bytes:
        return self._cookie(name, seal.seal(canonical(content).encode("ascii")), TTL_SECONDS)

    def _forget(self, name: str) -> bytes:
        return self._cookie(name, "", 0)

    def _cookie(self, name: str, value: str, seconds: int) -> bytes:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}{secure}; HttpOnly; SameSite=Lax".encode("ascii")

    @staticmethod
    def _opened(cookies: Mapping[str, str], name: str, seal: StateSeal) -> dict[str, Any]:
        value = cookies.get(name)
        if value is None:
            raise NotAnswered("this browser has not begun it")
        content: dict[str, Any] = json.loads(seal.open(value))
        return content
