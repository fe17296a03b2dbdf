"""Which server is asked, and which of its tools may be called? What a person typed, read once."""

import json
from urllib.parse import urlsplit

from launchworthy.probe.probed import Target
from launchworthy.probe.remote_issuer import is_loopback
from launchworthy.vocabulary import Problem, ProblemError

_MOST = 2048


def read_url(text: str) -> str:
    """The URL of an MCP endpoint, as it was typed: it is also the resource that tokens are for.

    Raises:
        ProblemError: `probe-url`.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _no_url(text, "is no URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise _no_url(text, "is no http(s) URL")
    if parts.username is not None or parts.password is not None:
        raise _no_url(f"{parts.scheme}://…@{parts.hostname}", "has a name or a password in it")
    if parts.fragment or parts.query or not text.isascii() or not text.isprintable() or len(text) > _MOST:
        raise _no_url(text, "has a query, a fragment, or a character that no such URL has")
    return text


def require_private(url: str) -> None:
    """See that nobody on the way can read the tokens that are sent there.

    Raises:
        ProblemError: `probe-plain-http`.
    """
    if urlsplit(url).scheme != "https" and not is_loopback(url):
        what = f"tokens would be sent to `{url}` without encryption"
        raise ProblemError(Problem(reason="probe-plain-http", what=what, fix=("ask the https URL",)))


def read_tool(text: str) -> Target:
    """A tool that may be called: `NAME`, or `NAME={"argument": "value"}`.

    Raises:
        ProblemError: `probe-tool`.
    """
    name, equals, written = text.partition("=")
    try:
        arguments = json.loads(written) if equals else {}
    except (ValueError, RecursionError):
        arguments = None
    if not name or not isinstance(arguments, dict) or not name.isascii() or not name.isprintable():
        what = f"`{text[:80]}` is neither NAME nor NAME={{…}} with a JSON object"
        fix = ('--tool find_orders, or --tool \'find_orders={"customer": "c-17"}\'',)
        raise ProblemError(Problem(reason="probe-tool", what=what, fix=fix))
    params = {"name": name, "arguments": arguments}
    return Target(name=name, method="tools/call", params=params, scopes=())


def _no_url(text: str, what: str) -> ProblemError:
    fix = ("give the URL of the MCP endpoint, such as https://orders.acme.example/mcp",)
    return ProblemError(Problem(reason="probe-url", what=f"`{text[:200]}` {what}", fix=fix))
