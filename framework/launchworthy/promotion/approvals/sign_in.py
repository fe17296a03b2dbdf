"""How does a person prove who approves? They sign in at their issuer, for exactly this matter.

The flow of `tokens.code_flow`, with a nonce that names the matter (OpenID Connect Core §3.1).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn
from urllib.parse import urlencode

from launchworthy.tokens.code_flow import WAIT_SECONDS, CodeFlow, CodeFlowError, Redirect
from launchworthy.tokens.discovery import MetadataError, discover
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, system_network
from launchworthy.vocabulary import Problem, ProblemError

_SCOPE: Final = "openid email groups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a person signs in.

    Attributes:
        issuer: who vouches for them.
        client: the public client that is registered for approvals.
        simulated: whether the issuer is one of this machine.
    """

    issuer: str
    client: str
    simulated: bool


def sign_in(place: Place, nonce: str, *, show: Callable[[str], None], wait: float = WAIT_SECONDS) -> str:
    """Have a person sign in; returns the ID token, unverified.

    Args:
        place: where.
        nonce: what the ID token must hold.
        show: told the address to open.
        wait: seconds for the person.

    Raises:
        ProblemError: `sign-in-failed`.
    """
    try:
        authorize, token = asyncio.run(_endpoints(place))
    except (FetchError, MetadataError, EndpointError, TimeoutError) as error:
        _fail(place, f"its metadata cannot be had: {error}")
    with Redirect() as redirect:
        flow = CodeFlow(issuer=place.issuer, client=place.client, redirect_uri=redirect.uri)
        show(flow.address(authorize, {"scope": _SCOPE, "nonce": nonce, "prompt": "login"}))
        answer = redirect.answer(wait)
        if answer is None:
            _fail(place, f"nobody came back within {wait:.0f} s")
        try:
            form = {"grant_type": "authorization_code", **flow.form(flow.code_of(answer))}
        except CodeFlowError as error:
            _fail(place, str(error))
    return _redeem(place, token, form)


def _fetcher(place: Place) -> Fetcher:
    own = read_endpoint(place.issuer, allow_loopback_http=place.simulated, query=False)
    return Fetcher(own, system_network(), loopback=place.simulated)


async def _endpoints(place: Place) -> tuple[str, str]:
    """The authorization and token endpoints of the issuer, by metadata that are its own."""
    fetcher = _fetcher(place)
    found = partial(discover, fetcher, issuer=place.issuer, allow_loopback_http=place.simulated)
    async with asyncio.timeout(2 * fetcher.seconds):
        return await found("authorization_endpoint"), await found("token_endpoint")


def _redeem(place: Place, token: str, form: Mapping[str, str]) -> str:
    try:
        answer = asyncio.run(_posted(place, token, form))
    except (FetchError, EndpointError) as error:
        _fail(place, f"the code was not taken: {error}")
    except TimeoutError:
        _fail(place, "the code was not taken in time")
    given = answer.get("id_token")
    if not isinstance(given, str):
        _fail(place, "it gave no ID token")
    return given


async def _posted(place: Place, token: str, form: Mapping[str, str]) -> dict[str, object]:
    """The answer of the token endpoint, read within the bounds of any answer of an issuer."""
    fetcher = _fetcher(place)
    endpoint = read_endpoint(token, allow_loopback_http=place.simulated, query=True)
    async with asyncio.timeout(fetcher.seconds):
        return await fetcher.post(endpoint, urlencode(form).encode("ascii"))


def _fail(place: Place, why: str) -> NoReturn:
    what = f"the sign-in at {place.issuer} failed: {why}"
    fix = (f"look at the client `{place.client}` there: public, PKCE, redirects to http://127.0.0.1",)
    raise ProblemError(Problem(reason="sign-in-failed", what=what, fix=fix))
