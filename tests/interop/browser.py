"""A person with a browser, at the simulated issuer's one page: opens it, clicks yes, and is sent back."""

import re

import httpx2


def sign_in(url: str) -> None:
    """Go all the way, to the address at which the client listens."""
    with httpx2.Client(trust_env=False, timeout=10) as browser:
        page = browser.get(url)
        found = re.search(r'name="request" value="([^"]+)"', page.text)
        assert found is not None, page.text
        back = browser.post(str(page.url.join("/authorize")), data={"request": found[1], "answer": "yes"})
        assert browser.get(back.headers["location"]).status_code == 200
