"""How does a checkpoint get to a URL? One POST, and any answer but a success means that it was not taken."""

import ssl
from collections.abc import Callable

import httpx2

SECONDS = 5.0


def poster(url: str, *, tls: ssl.SSLContext) -> Callable[[str], None]:
    """A function that posts a line of JSON to a URL, and raises `OSError` where it was not taken.

    A connection for each: one comes every few seconds, and what keeps them may have been restarted.
    """

    def post(line: str) -> None:
        content, headers = line.encode() + b"\n", {"content-type": "application/json"}
        try:
            with httpx2.Client(
                verify=tls, timeout=SECONDS, follow_redirects=False, trust_env=False
            ) as client:
                answer = client.post(url, content=content, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise OSError(type(error).__name__) from None
        if not answer.is_success:
            raise OSError(f"status {answer.status_code}")

    return post
