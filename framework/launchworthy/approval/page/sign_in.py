"""How does a person prove who they are? They sign in anew for each question, in the browser that opened it.

The authorization code flow with PKCE of a client that proves itself (RFC 6749 §4.1, RFC 7636, OpenID Connect
Core §3.1): `state` and `nonce` of 128 random bits, kept sealed in a cookie of that browser; `max_age` back to
the question, so that a sign-in of this morning does not count; the exact redirect; the issuer's own name in
the answer (RFC 9207); the nonce claimed once. The ID token says who they are, and is good for nothing else.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Final

from launchworthy.approval.page.authorization_server import AuthorizationServer, RedeemsCodes
from launchworthy.approval.page.cookies import Begun
from launchworthy.approval.question import REMEMBERED_SECONDS, TTL_SECONDS
from launchworthy.approval.refusals import NotAnswered
from launchworthy.approval.waiting import Waiting
from launchworthy.state import Claims, KeyPurpose, state_key
from launchworthy.tokens.id_tokens import IdTokens, SignedIn, SignInTerms
from launchworthy.tokens.shown import shown
from launchworthy.vocabulary import Reason, Refused, Secret, sign_in_redirect

_BITS: Final = 128
_VERIFIER_BITS: Final = 256
_AT_ONCE: Final = 8
_LONGEST_CODE: Final = 2048


class SignIns:
    """Begins sign-ins, and finishes them."""

    def __init__(
        self,
        server: AuthorizationServer,
        codes: RedeemsCodes,
        id_tokens: IdTokens,
        claims: Claims,
        random_bits: Callable[[int], int],
        *,
        resource: str,
    ) -> None:
        """Hold what it takes.

        Args:
            server: where people sign in.
            codes: who redeems codes.
            id_tokens: what verifies them.
            claims: what happens at most once.
            random_bits: as many random bits as asked for.
            resource: this server.
        """
        self.server = server
        self._codes = codes
        self._id_tokens = id_tokens
        self._claims = claims
        self._random_bits = random_bits
        self._redirect = sign_in_redirect(resource)
        self._flights = asyncio.Semaphore(_AT_ONCE)

    async def begin(self, waiting: Waiting, now: int) -> tuple[Begun, str]:
        """Begin one; returns what the browser keeps, and where it is sent.

        Raises:
            NotAnswered: the issuer cannot be asked.
        """
        verifier = self._random_bits(_VERIFIER_BITS).to_bytes(_VERIFIER_BITS // 8, "big")
        begun = Begun(
            handle=waiting.handle,
            state=f"{self._random_bits(_BITS):032x}",
            nonce=f"{self._random_bits(_BITS):032x}",
            verifier=base64.urlsafe_b64encode(verifier).rstrip(b"=").decode("ascii"),
            at=now,
        )
        asked = {"nonce": begun.nonce, "max_age": str(max(1, min(waiting.rule.max_age, now - waiting.at)))}
        if waiting.rule.acr:
            asked["acr_values"] = " ".join(waiting.rule.acr)
        address = await self.server.address(
            redirect_uri=self._redirect, state=begun.state, verifier=begun.verifier, asked=asked
        )
        return begun, address

    async def finish(self, answer: Mapping[str, str], begun: Begun, waiting: Waiting, now: int) -> SignedIn:
        """Find out who has signed in.

        Args:
            answer: the query with which the browser came back.
            begun: what this browser keeps.
            waiting: the question that it is about.
            now: seconds since the epoch.

        Raises:
            NotAnswered: nobody has, or not for this question, in this browser, in time.
            Refused: the ID token cannot be believed, or nobody can be asked.
        """
        if not compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise NotAnswered("the answer is to another sign-in")
        if not begun.at <= now < begun.at + TTL_SECONDS:
            raise NotAnswered("the sign-in took too long")
        await self.server.check_answered(answer.get("iss"))
        code = answer.get("code", "")
        if "error" in answer or not 1 <= len(code) <= _LONGEST_CODE:
            raise NotAnswered(f"the issuer answered {shown(answer.get('error'))}")
        await self._claim(begun)
        if self._flights.locked():
            raise NotAnswered("too many people sign in at this moment")
        async with self._flights:
            token = await self._codes.redeem(code, Secret(begun.verifier), self._redirect)
        rule = waiting.rule
        terms = SignInTerms(
            client=self.server.client,
            nonce=begun.nonce,
            not_before=max(waiting.at, now - rule.max_age),
            acr=rule.acr,
        )
        return await self._id_tokens.verify(token, terms, now)

    async def _claim(self, begun: Begun) -> None:
        """Let the nonce count once, before anything is asked with it."""
        key = state_key(KeyPurpose.CLAIM, "approval-sign-in", begun.nonce)
        try:
            await self._claims.claim(key, REMEMBERED_SECONDS)
        except Refused as refused:
            if refused.reason is Reason.LIMIT_CLAIM:
                raise NotAnswered("this sign-in was used before") from None
            raise
