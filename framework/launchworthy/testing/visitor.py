"""How does a person answer on the page? With a browser that runs no script: links, forms, cookies, redirects.

It signs in at the simulated issuer's own page, as whom the test says, and walks every step that a browser
walks; each step is a method too, for whoever wants to leave one out.
"""

import re
import ssl
from html import unescape
from types import TracebackType
from typing import Final, Self

import httpx2

PERSON: Final = "simulated-person"
"""Who signs in, unless a test says who."""
APPROVER: Final = "simulated-approver"
"""Of whom the simulated issuer says what makes an approver."""
_BY: Final = re.compile(r'<main data-by="(caller|approvers)"')
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"')
_SITE: Final = {"sec-fetch-site": "same-origin", "origin": "null"}


class Visitor:
    """One browser. Close it, or use it as a context manager."""

    def __init__(self, *, tls: ssl.SSLContext | None) -> None:
        """Carry no cookies yet; connect over `tls` where it is given."""
        self._http = httpx2.Client(
            timeout=30.0, trust_env=False, follow_redirects=False, verify=True if tls is None else tls
        )
        self._issuers = httpx2.Client(timeout=30.0, trust_env=False, follow_redirects=False)

    def __enter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._issuers.close()

    @property
    def cookies(self) -> httpx2.Cookies:
        """What it carries for the server."""
        return self._http.cookies

    def answer(self, url: str, *, yes: bool, caller: str) -> httpx2.Response:
        """Answer a question: sign in as who may, read it, and press a button.

        Args:
            url: of the question.
            yes: which button.
            caller: who signs in where the caller answers; elsewhere an approver does.

        Returns:
            The last page that was shown.
        """
        by = _BY.search(self.open(url).text)
        if by is None:
            return self.open(url)
        seen = self.sign_in(url, caller if by[1] == "caller" else APPROVER)
        return self.decide(url, yes=yes) if seen.status_code == httpx2.codes.OK else seen

    def open(self, url: str) -> httpx2.Response:
        """Open the address."""
        return self._http.get(url)

    def sign_in(self, url: str, person: str) -> httpx2.Response:
        """Sign in for a question; returns the page that one comes back to."""
        return self.come_back(self.authenticate(self.begin(url), person))

    def begin(self, url: str) -> str:
        """Leave for the authorization server; returns where one is sent."""
        return self._http.get(f"{url}/sign-in").headers["location"]

    def authenticate(self, address: str, person: str) -> str:
        """Sign in there; returns where one is sent back to."""
        page = self._issuers.get(address)
        [(_, handle)] = _HIDDEN.findall(page.text)
        origin = address.partition("/authorize")[0]
        answered = self._issuers.post(f"{origin}/authorize", data={"request": handle, "person": person})
        return answered.headers["location"]

    def come_back(self, address: str) -> httpx2.Response:
        """Follow the way back to the page."""
        seen = self._http.get(address)
        if seen.status_code == httpx2.codes.SEE_OTHER:
            return self._http.get(str(httpx2.URL(address).join(seen.headers["location"])))
        return seen

    def decide(self, url: str, *, yes: bool, **changes: str) -> httpx2.Response:
        """Press a button of the page; `changes` replaces fields of the form."""
        return self.post(url, {**self.form(url), "answer": "approve" if yes else "decline", **changes})

    def form(self, url: str) -> dict[str, str]:
        """What the form of the page holds besides its buttons; nothing, where there is none."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.open(url).text)}

    def post(self, url: str, form: dict[str, str]) -> httpx2.Response:
        """Send a form, as a page sends it that gives no referrer."""
        return self._http.post(url, data=form, headers=_SITE)
