"""May work come in now? One answer for calls and for `/readyz`, so that they never disagree.

Ready ⇔ the identity is usable ∧ some issuer's keys are usable ∧ the control list is fresh ∧ the audit can be
written ∧ not draining.
What is stale but usable is said as well (`degraded`), and is still ready.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from launchworthy.identity import IdentityStatus, IdentityUnavailable, Phase
from launchworthy.server.parts import Parts
from launchworthy.server.record_dates import is_ending
from launchworthy.vocabulary import Reason, Refused

RETRY_AFTER_SECONDS = 5
"""What a 503 suggests; identities and key sets recover within a few seconds or not at all."""

_BY_PHASE = {
    Phase.STARTING: Reason.IDENTITY_MISSING,
    Phase.EXPIRED: Reason.IDENTITY_EXPIRED,
    Phase.REVOKED: Reason.IDENTITY_REVOKED,
    Phase.FORKED: Reason.IDENTITY_SOURCE,
    Phase.CLOSED: Reason.IDENTITY_SOURCE,
}


class Readiness:
    """The state of what every call depends on; costs no I/O."""

    def __init__(self, parts: Parts) -> None:
        """Look at these parts whenever asked."""
        self._parts = parts

    def require(self) -> None:
        """Return if calls may go through.

        Raises:
            Refused: `identity.*`, `control.stale` or `audit.unwritable`, with the seconds after which to
                try again.
        """
        try:
            self._parts.identity.require()
        except IdentityUnavailable as unavailable:
            raise refused_for(unavailable.status) from None
        self._parts.control.require()
        if not self._parts.audit.writable:
            raise Refused(
                Reason.AUDIT_UNWRITABLE, "the audit cannot be written", retry_after=RETRY_AFTER_SECONDS
            )

    def codes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Reason codes: why it is not ready, and what is stale though usable."""
        unready: list[str] = []
        degraded: list[str] = list(self._about_the_record())
        try:
            self.require()
        except Refused as refused:
            unready.append(refused.reason.value)
        identity = self._parts.identity.status()
        if identity.doubted:
            unready.append(Reason.IDENTITY_REVOKED.value)
        if identity.phase is Phase.STALE:
            degraded.append("identity.stale")
        issuers = self._parts.verifier.status()
        if not any(issuer.usable for issuer in issuers):
            unready.append(Reason.KEYS_UNAVAILABLE.value)
        elif not all(issuer.fresh for issuer in issuers):
            degraded.append("keys.stale")
        if self._parts.draining:
            unready.append("draining")
        return tuple(unready), tuple(degraded)

    def _about_the_record(self) -> Iterator[str]:
        if is_ending(self._parts):
            yield "record.ending"
        if self._parts.trust_unreadable:
            yield "record.trust-unreadable"


def refused_for(status: IdentityStatus) -> Refused:
    """The refusal that an identity in this state is for a caller."""
    reason = _BY_PHASE.get(status.phase, Reason.IDENTITY_MISSING)
    return Refused(reason, status.detail, retry_after=RETRY_AFTER_SECONDS)


_Message = MutableMapping[str, Any]


class HealthApp:
    """`/livez` and `/readyz` on a listener of their own: reason codes, and nothing about anybody."""

    def __init__(self, readiness: Readiness) -> None:
        """Answer from this."""
        self._readiness = readiness

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],  # noqa: ARG002 - ASGI's signature
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer one request (ASGI)."""
        status, body = self._answer(scope["method"], scope["path"])
        content = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    def _answer(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        if method not in {"GET", "HEAD"}:
            return 405, {"status": "method not allowed"}
        if path == "/livez":
            return 200, {"status": "alive"}
        if path != "/readyz":
            return 404, {"status": "not found"}
        unready, degraded = self._readiness.codes()
        if unready:
            return 503, {"status": "unready", "reasons": [*unready, *degraded]}
        if degraded:
            return 200, {"status": "degraded", "reasons": list(degraded)}
        return 200, {"status": "ready", "reasons": []}
