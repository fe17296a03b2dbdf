"""How does the one parse of a request reach the SDK, in either revision?

Our own exchange over `mcp.server.runner`: no second parse, no session manager, no memory streams.
"""

from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, Final, NamedTuple

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.lowlevel import Server as SdkServer
from mcp.server.runner import modern_error_data
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp_types.jsonrpc import MISSING_REQUIRED_CLIENT_CAPABILITY
from mcp_types.methods import validate_client_request
from pydantic import ValidationError
from pydantic_core import to_json

from launchworthy.credentials.tellers import Tellers
from launchworthy.enforcement.answers import INTERNAL_ERROR
from launchworthy.enforcement.authorized import Authorized, Passage, passing
from launchworthy.enforcement.bodies import Body, Surroundings
from launchworthy.enforcement.changes import Changes
from launchworthy.enforcement.dispatch import BodyKey, sdk_server, showing
from launchworthy.enforcement.rehearsing import Rehearsing
from launchworthy.enforcement.request import RequestId, Settled
from launchworthy.enforcement.resources import Resources
from launchworthy.enforcement.running_call import OperationsLog
from launchworthy.enforcement.sdk_context import RequestContext, without_answer, without_trace_context
from launchworthy.enforcement.sdk_runner import Runners
from launchworthy.enforcement.served_function import ServedFunction, check_app, serve_functions
from launchworthy.enforcement.verified_request import VerifiedRequest
from launchworthy.enforcement.workers import Workers
from launchworthy.manifest import Manifests, Served, Server, TargetKey
from launchworthy.vocabulary import Environment, Reason, wire_word

_OK: Final = 200
_LISTS_KEPT: Final = 64


class Finished(NamedTuple):
    """What the SDK answered.

    Attributes:
        status: the HTTP status, if the answer is not streamed.
        body: the JSON-RPC answer.
        result: the bytes of its `result`; empty for an error.
        is_error: an error, or a tool's result with `isError`.
    """

    status: int
    body: bytes
    result: bytes
    is_error: bool


class Exchange:
    """The SDK's server and the one way to it.

    Attributes:
        functions: what is served.
        resources: what URIs name.
        changes: what bodies say has changed.
    """

    def __init__(
        self,
        server: SdkServer[dict[str, Any]],
        functions: Iterable[ServedFunction],
        resources: Resources,
        changes: Changes,
    ) -> None:
        """Hold what is served."""
        self.functions: Mapping[TargetKey, ServedFunction] = {one.key: one for one in functions}
        self.resources = resources
        self.changes = changes
        self._server = server
        self._runners = Runners(server)
        self._lists: dict[tuple[str, str, frozenset[TargetKey]], bytes] = {}

    def function_of(self, authorized: Authorized) -> ServedFunction:
        """What was authorised to run: the target's function, or that of an argument's completion."""
        function = self.functions[authorized.target.key]
        return function if authorized.completing is None else function.completers[authorized.completing]

    async def call(self, request: VerifiedRequest, passage: Passage) -> Finished:
        """Run what was authorised; `passage` says afterwards what became of it."""
        dispatch = RequestContext(request)
        with passing(passage, dispatch.progress):
            return await self._serve(dispatch, answered=passage.authorized.approval is not None)

    async def plain(self, request: VerifiedRequest) -> Finished:
        """Answer what runs no body: discover, initialize, ping."""
        return await self._serve(RequestContext(request))

    async def list(self, request: VerifiedRequest, visible: frozenset[TargetKey]) -> Finished:
        """Answer a list with what is visible; its bytes are kept, for callers with the same scopes."""
        settled = request.settled
        key = (settled.message.method, settled.revision.value, visible)
        kept = self._lists.get(key)
        if kept is not None:
            error = _params_error(settled)
            return _finished(settled.message.id, kept) if error is None else _failed(request, error)
        with showing(visible):
            finished = await self._serve(RequestContext(request))
        if not finished.is_error:
            if len(self._lists) >= _LISTS_KEPT:
                self._lists.clear()
            self._lists[key] = finished.result
        return finished

    async def _serve(self, dispatch: RequestContext, *, answered: bool = False) -> Finished:
        settled = dispatch.request.settled
        message = settled.message
        token = auth_context_var.set(dispatch.user)
        params = without_trace_context(message.params)
        if answered:
            params = without_answer(params)
        try:
            result = await self._runners.run(settled.revision, dispatch, message.method, params)
        except (MCPError, ValidationError) as error:
            return _failed(dispatch.request, error)
        finally:
            auth_context_var.reset(token)
        return _finished(
            message.id, to_json(result, inf_nan_mode="null"), is_error=result.get("isError") is True
        )


def build_exchange(  # noqa: PLR0913, PLR0917 - the composition root names each part
    server: Server[Any, Any],
    manifests: Manifests,
    served: Iterable[Served],
    environment: Environment,
    app_context: Any,
    rehearsing: Rehearsing,
    log: OperationsLog,
    tellers: Tellers,
) -> Exchange:
    """Put the SDK's server together from what is declared and marked.

    Args:
        server: the team's server; its package gives the version.
        manifests: its manifests.
        served: what `match` made of both.
        environment: where it runs.
        app_context: what calls see as `call.app`; what `Server(app=…)` yielded, or None.
        rehearsing: what a harness sees and does at the door of a body.
        log: the operations log.
        tellers: who lends credentials.

    Raises:
        ProblemError: a function that cannot be served; all of them.
    """
    functions = serve_functions(tuple(served))
    check_app(functions, app_context)
    resources = Resources(functions)
    changes = Changes(resources.canonical)
    around = Surroundings(
        environment=environment,
        app=app_context,
        rehearsing=rehearsing,
        log=log,
        workers=Workers(),
        changed=changes.tell,
        tellers=tellers,
    )
    bodies: dict[BodyKey, Body] = {}
    for one in functions:
        bodies[one.key, None] = Body(one, around)
        for argument, completer in one.completers.items():
            bodies[one.key, argument] = Body(completer, around)
    sdk = sdk_server(manifests.server, _version_of(server.package), bodies)
    return Exchange(sdk, functions, resources, changes)


def _version_of(package: str) -> str:
    """The version that the server tells: that of the distribution of its package's name, or none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "0"


def _params_error(settled: Settled) -> ValidationError | None:
    try:
        validate_client_request(settled.message.method, settled.revision, settled.message.params)
    except ValidationError as error:
        return error
    return None


def _finished(request_id: RequestId | None, result: bytes, *, is_error: bool = False) -> Finished:
    body = b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (to_json(request_id), result)
    return Finished(status=_OK, body=body, result=result, is_error=is_error)


def _failed(request: VerifiedRequest, error: MCPError | ValidationError) -> Finished:
    """What the SDK refused, or a body that is no tool's failed with; as the SDK writes it, with our data."""
    told = modern_error_data(error)
    reason = Reason.INTERNAL if told.code == INTERNAL_ERROR else Reason.PROTOCOL_INVALID
    data: dict[str, object] = {"reason": wire_word(reason).value, "call": request.trace.call}
    if told.code == MISSING_REQUIRED_CLIENT_CAPABILITY and isinstance(told.data, dict):
        data["requiredCapabilities"] = told.data.get("requiredCapabilities")  # what the client is to declare
    shown = {"code": told.code, "message": told.message, "data": data}
    message = {"jsonrpc": "2.0", "id": request.settled.message.id, "error": shown}
    body = to_json(message, inf_nan_mode="null")
    return Finished(status=ERROR_CODE_HTTP_STATUS.get(told.code, _OK), body=body, result=b"", is_error=True)
