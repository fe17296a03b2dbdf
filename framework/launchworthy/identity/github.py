"""How does a job of GitHub Actions get tokens about itself? By address and secret of its runner.

Both are variables that exist in a job with `permissions: id-token: write` and nowhere else. The secret is
good for this one job; it is sent to that address by https, to nowhere it redirects to, and shown to nobody.
"""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.minting import Mint
from launchworthy.vocabulary import Secret

URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
ENDPOINT = "github://actions"
"""What `identity.endpoint` says: the runner knows where."""
MAX_BYTES = 32 * 1024
_REFUSED = frozenset({401, 403, 404})


def github_mint(environ: Mapping[str, str], *, timeout: float, allow_loopback_http: bool) -> Mint:
    """A function that asks the runner of this job.

    Args:
        environ: the variables of this process.
        timeout: seconds for an answer.
        allow_loopback_http: for the simulated world.

    Raises:
        SourceError: this is no job that may ask, or the address is none to send a secret to.
    """
    url, token = environ.get(URL, ""), environ.get(TOKEN, "")
    if url == "" or token == "":
        missing = URL if url == "" else TOKEN
        raise SourceError(
            Cause.NO_RUNNER, f"`{missing}` is not set: this is no job with `permissions: id-token: write`"
        )
    parts = urlsplit(url)
    loopback = allow_loopback_http and parts.hostname == "127.0.0.1"
    if parts.hostname is None or "@" in parts.netloc or not (parts.scheme == "https" or loopback):
        raise SourceError(Cause.NO_RUNNER, f"`{URL}` names no https address")
    secret = Secret(token)

    def mint(audience: str) -> bytes:
        return _ask(httpx2.URL(url).copy_merge_params({"audience": audience}), secret, timeout)

    return mint


def _ask(url: httpx2.URL, secret: Secret, timeout: float) -> bytes:
    headers = {"authorization": f"Bearer {secret.reveal()}", "accept": "application/json"}
    try:
        with (
            httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False) as http,
            http.stream("GET", url, headers=headers) as response,
        ):
            status = response.status_code
            content = _bounded(response)
    except httpx2.TimeoutException:
        raise SourceError(Cause.NO_ANSWER, f"the runner gave no answer within {timeout:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceError(
            Cause.UNAVAILABLE, f"the runner's service cannot be reached ({type(error).__name__})"
        ) from None
    if status in _REFUSED:
        raise SourceError(Cause.NO_ENTRY, f"the runner's service gives this job no token (HTTP {status})")
    if status != httpx2.codes.OK:
        raise SourceError(Cause.UNAVAILABLE, f"the runner's service cannot serve (HTTP {status})")
    return _token(content)


def _bounded(response: httpx2.Response) -> bytes:
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise SourceError(Cause.NOT_A_TOKEN, "the runner's answer is too large")
    return content


def _token(content: bytes) -> bytes:
    try:
        return str.encode(json.loads(content)["value"], "ascii")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(Cause.NOT_A_TOKEN, "the runner's answer holds no token") from None
