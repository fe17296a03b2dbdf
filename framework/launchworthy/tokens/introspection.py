"""What does its issuer say of an opaque token? RFC 7662.

1. the token goes to the one issuer that introspects, and nowhere else; what looks like a JWT never does
2. the question is authenticated by this workload's own assertion, whose audience is the issuer
3. one question for each token is in flight, and sixteen at most; more callers get 503 and a time
4. the answer is read under the limits of key sets; `active` must be `true` itself, `token_type` Bearer
5. no answer, or none that can be read, is 503: nothing was said about the token
6. a refusal is remembered for ten seconds; what is good is remembered by the verifier, for half a minute

What the answer says of the caller is judged as claims are, by the same code.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

from launchworthy.tokens.discovery import MetadataError
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import Fetcher, FetchError
from launchworthy.tokens.issuer_policy import IntrospectionPolicy, IssuerPolicy
from launchworthy.tokens.key_events import KeyEvent, KeyEventKind
from launchworthy.tokens.shown import shown
from launchworthy.tokens.whereabouts import Whereabouts
from launchworthy.vocabulary import BearerToken, Reason, Refused, Secret, TokenDigest

MAX_IN_FLIGHT: Final = 16
GOOD_SECONDS: Final = 30
REFUSED_SECONDS: Final = 10
RETRY_SECONDS: Final = 2
MAX_REMEMBERED: Final = 4096

JWT_SPIFFE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
"""draft-ietf-oauth-spiffe-client-auth: a JWT-SVID."""
JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 §2.2: the platform's token."""


_TO_URL: Final = str.maketrans("+/", "-_", "=~")
"""To the alphabet of JWTs; what it has not is left out, so that a strange spelling is still recognised."""


_ACCESS: Final = ("access_token", "access")


class WorkloadAssertions(Protocol):
    """How does this workload prove itself to an issuer? `server` fills it from the workload's identity."""

    async def assertion(self, audience: str) -> Secret:
        """A proof for exactly this audience.

        Raises:
            Refused: `identity.*`, with the seconds after which to try again.
        """


class _Remembered(NamedTuple):
    refused: Refused
    since: int
    until: int


class Introspection:
    """Asks one issuer about opaque tokens; lives in one event loop."""

    generation = 0
    """An answer is not bound to the issuer's keys."""
    settled = True

    def __init__(
        self,
        policy: IssuerPolicy,
        how: IntrospectionPolicy,
        fetcher: Fetcher,
        assertions: WorkloadAssertions,
        *,
        clock: Callable[[], float],
        events: Callable[[KeyEvent], None],
    ) -> None:
        """Ask nobody yet.

        Args:
            policy: of the issuer.
            how: its introspection.
            fetcher: reads this issuer's answers.
            assertions: this workload's proofs.
            clock: seconds that never go back.
            events: told when questions begin to fail; it must not raise.
        """
        self._name = policy.name
        self._issuer = policy.issuer
        self._events = events
        self._how = how
        self._fetcher = fetcher
        self._assertions = assertions
        self._clock = clock
        self._place = Whereabouts(policy, fetcher, "introspection_endpoint", how.endpoint)
        self._flights: dict[TokenDigest, asyncio.Task[Mapping[str, object]]] = {}
        self._refusals: dict[TokenDigest, _Remembered] = {}
        self.last_error: Exception | None = None
        """What the latest question failed with; None while it did not."""

    async def find(self) -> None:
        """Look where to ask, so that a wrong configuration is known before the first token.

        Raises:
            MetadataError: the issuer's metadata do not name an endpoint that may be asked.
            EndpointError: the issuer's name leads where we do not connect.
            FetchError: that cannot be known now.
        """
        async with asyncio.timeout(self._fetcher.seconds):
            self._place.confirmed = await self._place.find(self._clock(), doubtful=False)

    async def claims_of(self, token: BearerToken, now: int) -> Mapping[str, object]:
        """What the issuer says of a token, all of it unjudged but that it is active.

        Raises:
            Refused: `token.inactive`, `token.bound`, or `keys.unavailable` and `identity.*` with the seconds
                after which to try again; and whatever was remembered of this token.
        """
        digest = token.digest
        known = self._refusals.get(digest)
        if known is not None and known.since <= now < known.until:
            raise Refused(known.refused.reason, known.refused.detail)
        try:
            return _active(await self._answer(token, digest))
        except Refused as refused:
            self.remember(digest, refused, now)
            raise

    def remember(self, digest: TokenDigest, refused: Refused, now: int) -> None:
        """Remember what was said against a token; that nothing could be said is not remembered."""
        if refused.reason.family != "token":
            return
        if len(self._refusals) >= MAX_REMEMBERED:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[digest] = _Remembered(refused, now, now + REFUSED_SECONDS)

    async def aclose(self) -> None:
        """Give up what is in flight."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        if flights:
            await asyncio.wait(flights)

    async def _answer(self, token: BearerToken, digest: TokenDigest) -> Mapping[str, object]:
        flight = self._flights.get(digest)
        if flight is None:
            if len(self._flights) >= MAX_IN_FLIGHT:
                raise Refused(
                    Reason.KEYS_UNAVAILABLE,
                    f"{MAX_IN_FLIGHT} questions to {shown(self._issuer)} are in flight",
                    retry_after=RETRY_SECONDS,
                )
            flight = self._flights[digest] = asyncio.create_task(self._ask(token))
            flight.add_done_callback(lambda done: self._landed(digest, done))
        await asyncio.wait({flight})  # a caller that leaves does not take the question with it
        return flight.result()

    def _landed(self, digest: TokenDigest, flight: "asyncio.Task[Mapping[str, object]]") -> None:
        del self._flights[digest]
        if not flight.cancelled():
            flight.exception()  # the callers may all have left

    async def _ask(self, token: BearerToken) -> Mapping[str, object]:
        try:
            async with asyncio.timeout(self._fetcher.seconds):
                uri = await self._place.find(self._clock(), doubtful=self.last_error is not None)
                answer = await self._fetcher.post(self._place.endpoint(uri), await self._form(token))
        except Refused:
            raise
        except TimeoutError:
            error: Exception = FetchError(f"no whole answer within {self._fetcher.seconds:g} s")
        except (FetchError, EndpointError, MetadataError) as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001 - nothing was said about the token, so it is not blamed
            error = FetchError(f"the question failed with {type(failure).__name__}")
        else:
            self._place.confirmed, self.last_error = uri, None
            return answer
        if self.last_error is None:
            self._events(self._failure(error))
        self.last_error = error
        raise Refused(
            Reason.KEYS_UNAVAILABLE,
            f"{shown(self._issuer)} could not be asked about the token: {error}",
            retry_after=RETRY_SECONDS,
        )

    def _failure(self, error: Exception) -> KeyEvent:
        return KeyEvent(
            kind=KeyEventKind.REFRESH_FAILED,
            name=self._name,
            issuer=self._issuer,
            jwks_uri="",
            added=(),
            removed=(),
            ignored=(),
            detail=f"opaque tokens cannot be asked about: {error}",
        )

    async def _form(self, token: BearerToken) -> bytes:
        """RFC 7662 §2.1 with RFC 7521 §4.2."""
        proof = await self._assertions.assertion(self._issuer)
        return urlencode(
            {
                "token": token.reveal(),
                "token_type_hint": "access_token",
                "client_id": self._how.client,
                "client_assertion_type": self._how.assertion_type,
                "client_assertion": proof.reveal(),
            }
        ).encode("ascii")


def looks_like_jwt(token: BearerToken) -> bool:
    """Whether the first of several parts is a JSON object in base64url, however it is spelled.

    Such a token is verified here or refused; it says for whom it is, and may be another issuer's.
    """
    head, dot, _ = token.reveal().partition(".")
    if not dot:
        return False
    plain = head.translate(_TO_URL)
    decoded = base64.urlsafe_b64decode(plain[: len(plain) // 4 * 4])
    return decoded.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _active(answer: Mapping[str, object]) -> Mapping[str, object]:
    """RFC 7662 §2.2; and no token that needs a proof beside it is taken as a bearer token.

    Issuers answer for refresh tokens too, and some say only in `token_use` that it is one.
    """
    if answer.get("active") is not True:
        raise Refused(Reason.TOKEN_INACTIVE, "its issuer says that the token is not active")
    kind = answer.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise Refused(Reason.TOKEN_BOUND, f"`token_type` is {shown(kind)}, not Bearer")
    if "token_use" in answer and answer["token_use"] not in _ACCESS:
        raise Refused(Reason.TOKEN_TYPE, f"`token_use` is {shown(answer['token_use'])}, no access token's")
    return answer
