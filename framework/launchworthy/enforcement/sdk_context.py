"""What does the SDK see of a request?

No header (no Authorization, no Cookie, nothing of a proxy), no token but its digest, nothing of the client's
trace context, and no way back to the client but the answer itself.
"""

from collections.abc import Mapping
from typing import Any, Final

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.transport_context import TransportContext
from pydantic_core import to_json

from launchworthy.enforcement.request import RequestId
from launchworthy.enforcement.verified_request import VerifiedRequest

_TRACE_CONTEXT = frozenset({"traceparent", "tracestate", "baggage"})
_ANSWER = frozenset({"requestState", "inputResponses"})


class RequestContext:
    """The SDK's `DispatchContext` of one request: there is no way back to the client but its own answer."""

    __slots__ = ("request", "user")

    can_send_request = False
    message_metadata = None
    transport = TransportContext(kind="streamable-http", can_send_request=False)

    def __init__(self, request: VerifiedRequest) -> None:
        """Show of the request what the SDK may know."""
        self.request = request
        self.user = DigestUser(request)

    @property
    def request_id(self) -> RequestId | None:
        """The id of the request."""
        return self.request.settled.message.id

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set: a client cancels by leaving, which ends the task."""
        return anyio.Event()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Refuse: a request to the client would never be answered."""
        del params, opts
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        """Send a notification of this request."""
        del opts
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = dict(params)
        await self.request.reply.event(to_json(message, inf_nan_mode="null"))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Send a progress notification, if the client gave a token for it."""
        token = progress_token_from_params(self.request.settled.message.params)
        if token is None:
            return
        params: dict[str, Any] = {"progressToken": token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify("notifications/progress", params)


class DigestUser(AuthenticatedUser):
    """The caller, for whatever in the SDK asks for the access token; made only then, since little does."""

    def __init__(self, request: VerifiedRequest) -> None:
        """Hold the request; the token in it is a digest."""
        self._request = request
        self.username = request.principal.client
        self.scopes = list(request.principal.scopes)

    @property
    def access_token(self) -> AccessToken:  # type: ignore[override]  # an attribute there, made late here
        """What a verified token says, under the token's digest."""
        request, principal = self._request, self._request.principal
        return AccessToken(
            token=request.token,
            client_id=principal.client,
            scopes=sorted(principal.scopes),
            expires_at=principal.expires_at,
            resource=request.resource,
            subject=principal.subject,
            claims={"iss": principal.issuer},
        )


class _NoWayBack:
    """The connection of a request that is all there is of a client: nothing can be sent on it."""

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        del params, opts
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        del method, params, opts


NO_WAY_BACK: Final = _NoWayBack()


def without_trace_context(params: dict[str, object]) -> dict[str, object]:
    """The same parameters; the client's trace context is a link in the audit, and parent of nothing here."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or _TRACE_CONTEXT.isdisjoint(meta):
        return params
    return {**params, "_meta": {name: value for name, value in meta.items() if name not in _TRACE_CONTEXT}}


def without_answer(params: dict[str, object]) -> dict[str, object]:
    """The same parameters, without the answer to a question that was ours: it has been used up."""
    return {name: value for name, value in params.items() if name not in _ANSWER}
