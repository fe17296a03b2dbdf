"""How is one issuer asked for tokens? authlib's client, wrapped so that none of its traps can be reached.

A client lives for one request and holds no token afterwards, so nothing is refreshed, shared, formatted or
sent along; the answer is read by `token_answer` before authlib looks at it (it takes a 400 for a token, and
a token without an end for one that never ends); there is one `resource`, or none is sent at all; the proof
of who we are is made afresh by us, for the issuer as its only audience; discovery is that of `tokens`, which
compares
`issuer` byte for byte; and the transport reaches the token endpoint's host and nothing else.
"""

import asyncio
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from launchworthy.credentials.client_proof import ClientProof
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.one_host import HostTransport, OneHost
from launchworthy.credentials.token_answer import (
    MAX_ANSWER_BYTES,
    Expected,
    IssuedToken,
    read_answer,
    read_revocation,
)
from launchworthy.tokens.discovery import MetadataError, TokenEndpoints, discover_token_endpoints
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, Network
from launchworthy.tokens.kept_metadata import KeptMetadata
from launchworthy.vocabulary import Secret, render_scopes

with warnings.catch_warnings():  # importing authlib.deprecate resets the filters of the whole process
    from authlib.common.urls import add_params_to_qs
    from authlib.integrations.httpx_client import AsyncOAuth2Client

REQUEST_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One request for one token.

    Attributes:
        grant: `grant_type`.
        resource: the one resource (RFC 8707), or None where the grant names its audience otherwise.
        scopes: at least one.
        parameters: what the grant needs besides.
        secrets: the same for what must not be shown.
        expected: what the answer must be.
    """

    grant: str
    resource: str | None
    scopes: tuple[str, ...]
    parameters: Mapping[str, str]
    secrets: Mapping[str, Secret]
    expected: Expected


class TokenServer:
    """One issuer, asked for tokens."""

    def __init__(
        self,
        issuer: str,
        *,
        endpoint: str | None,
        proof: ClientProof | None,
        network: Network,
        simulated: bool,
        monotonic: Callable[[], float],
    ) -> None:
        """Judge the addresses; nothing is asked yet.

        Args:
            issuer: from the settings, byte for byte.
            endpoint: the token endpoint, where the settings name it; else by the issuer's metadata.
            proof: how we prove who we are; None where the grant itself is the proof.
            network: the way there.
            simulated: whether this world ends at this machine.
            monotonic: seconds that never go back.

        Raises:
            EndpointError: we do not connect there.
        """
        self.issuer = issuer
        self._configured = endpoint
        self._proof = proof
        self._network = network
        self._simulated = simulated
        own = read_endpoint(issuer, allow_loopback_http=simulated, query=False)
        self._fetcher = Fetcher(own, network, loopback=simulated)
        self._hosts: dict[str, OneHost] = {}
        self._found = KeptMetadata(self._discovered, monotonic=monotonic)
        if endpoint is not None:
            self._host(endpoint)

    async def ask(self, request: TokenRequest) -> IssuedToken:
        """Ask for one token.

        Raises:
            BrokerError: none is to be had.
            IdentityUnavailable: we cannot prove who we are now.
        """
        if not request.scopes:
            raise BrokerError("no scopes were asked for, and none means whatever the issuer likes")
        url = self._configured or (await self.endpoints()).token
        proof = await self._proof.parameters(self.issuer) if self._proof is not None else ()
        answer = _Answer(request.expected)
        async with self._client(url) as client:
            client.register_client_auth_method(_Proven(proof))
            client.register_compliance_hook("access_token_response", answer.read)
            parameters: dict[str, Any] = dict(request.parameters)
            parameters |= {name: secret.reveal() for name, secret in request.secrets.items()}
            if request.resource is not None:
                parameters["resource"] = request.resource
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    await client.fetch_token(
                        url, grant_type=request.grant, scope=render_scopes(request.scopes), **parameters
                    )
            except httpx2.HTTPError as error:
                raise BrokerError(f"the issuer broke off ({type(error).__name__})") from None
            except TimeoutError:
                raise BrokerError(f"the issuer did not answer within {REQUEST_SECONDS:g} s") from None
        return answer.token()

    async def revoke(self, token: Secret) -> None:
        """Take a token back (RFC 7009).

        Raises:
            RevocationUnsupported: this issuer does not do that.
            BrokerError: it is not known to be gone.
            IdentityUnavailable: we cannot prove who we are now.
        """
        url = (await self.endpoints()).revocation
        if url is None:
            raise BrokerError("the issuer names no place to take tokens back")
        proof = await self._proof.parameters(self.issuer) if self._proof is not None else ()
        answer = await self.post(
            url, [("token", token.reveal()), ("token_type_hint", "access_token"), *proof]
        )
        read_revocation(answer.status_code, media_type(answer), answer.content)

    async def post(self, url: str, form: list[tuple[str, str]]) -> httpx2.Response:
        """Post a form to an endpoint of this issuer.

        Raises:
            BrokerError: there was no answer.
        """
        async with httpx2.AsyncClient(transport=HostTransport(self._host(url)), trust_env=False) as client:
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    return await client.post(url, data=dict(form), headers={"Accept": "application/json"})
            except (httpx2.HTTPError, TimeoutError) as error:
                raise BrokerError(f"the issuer broke off ({type(error).__name__})") from None

    async def endpoints(self) -> TokenEndpoints:
        """Where it is asked, by its own metadata; read again each hour.

        Raises:
            BrokerError: they cannot be had, or are not this issuer's.
        """
        return await self._found.get()

    async def _discovered(self) -> TokenEndpoints:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await discover_token_endpoints(
                    self._fetcher, self.issuer, allow_loopback_http=self._simulated
                )
        except (FetchError, EndpointError, MetadataError) as error:
            raise BrokerError(f"the issuer's metadata cannot be used: {error}") from None
        except TimeoutError:
            raise BrokerError("the issuer's metadata did not come in time") from None

    async def aclose(self) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            await host.aclose()

    def _host(self, url: str) -> OneHost:
        if url not in self._hosts:
            self._hosts[url] = OneHost(
                url,
                self._network,
                simulated=self._simulated,
                max_bytes=MAX_ANSWER_BYTES,
                keep_alive=False,
            )
        return self._hosts[url]

    def _client(self, url: str) -> Any:
        """A client for one request: it knows no secret, no token, no proxy and no other host."""
        return AsyncOAuth2Client(
            token_endpoint_auth_method=_Proven.name,
            transport=HostTransport(self._host(url)),
            trust_env=False,
            follow_redirects=False,
            timeout=REQUEST_SECONDS,
        )


class _Proven:
    """An authlib client authentication method: parameters that were made before, for this request only."""

    name = "launchworthy"

    def __init__(self, parameters: tuple[tuple[str, str], ...]) -> None:
        self._parameters = parameters

    def __call__(
        self, auth: object, method: str, uri: str, headers: Any, body: bytes
    ) -> tuple[str, Any, str]:
        """Add them to the form."""
        del auth, method
        return uri, headers, add_params_to_qs(body.decode("ascii"), list(self._parameters))


class _Answer:
    """Reads the answer in authlib's place."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._token: IssuedToken | None = None

    def read(self, response: httpx2.Response) -> httpx2.Response:
        self._token = read_answer(
            response.status_code, media_type(response), response.content, self._expected
        )
        return httpx2.Response(200, json={"access_token": "", "token_type": "Bearer"})  # all that it is told

    def token(self) -> IssuedToken:
        if self._token is None:
            raise BrokerError("the issuer was not heard")
        return self._token


def media_type(response: httpx2.Response) -> str:
    """The media type of an answer, without its parameters."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()
