"""What is used of the SDK without a promise of its own: a release that changes it fails here first."""

import inspect
from typing import Any

import anyio
import mcp_types
import pytest
from mcp.server import lowlevel, request_state, runner
from mcp.server.auth.middleware import auth_context
from mcp.server.connection import Connection
from mcp.server.mcpserver import resolve, resources
from mcp.server.mcpserver.utilities import context_injection, func_metadata
from mcp.shared import inbound, jsonrpc_dispatcher
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from launchworthy.enforcement.request import NAMED_BY, REQUESTS, Revision
from launchworthy.enforcement.sdk_runner import Runners


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (runner.serve_one, ["server", "dctx", "method", "params", "connection", "lifespan_state"]),
        (runner.ServerRunner.__init__, ["self", "server", "connection", "lifespan_state", "init_options"]),
        (runner.modern_error_data, ["exc"]),
        (Connection.__init__, ["self", "outbound", "protocol_version", "session_id", "client_params"]),
        (inbound.validate_mcp_param_headers, ["input_schema", "arguments", "headers"]),
        (inbound.find_invalid_x_mcp_header, ["input_schema"]),
        (inbound.x_mcp_header_map, ["input_schema"]),
        (jsonrpc_dispatcher.progress_token_from_params, ["params"]),
        (func_metadata.func_metadata, ["func", "skip_names", "structured_output"]),
        (func_metadata.FuncMetadata.convert_result, ["self", "result"]),
        (func_metadata.ArgModelBase.model_dump_one_level, ["self"]),
        (resolve.find_resolved_parameters, ["fn"]),
        (context_injection.find_context_parameter, ["fn"]),
        (mcp_types.methods.validate_client_request, ["method", "version", "params", "surface"]),
        (lowlevel.Server.add_request_handler, ["self", "method", "params_type", "handler"]),
        (resources.DEFAULT_RESOURCE_SECURITY.validate, ["params"]),
    ],
)
def test_what_is_called_takes_what_it_took(function, expected):
    assert parameters(function) == expected


def test_an_exchange_is_one_call_that_raises_what_it_raises():
    assert inspect.iscoroutinefunction(runner.serve_one)
    source = inspect.getsource(runner.serve_one)
    assert "runner.on_request(dctx, method, params)" in source


def test_a_runner_does_all_that_an_exchange_does_but_for_the_end_of_its_connection():
    body = inspect.getsource(runner.serve_one).rpartition('"""')[2]
    assert [line.strip() for line in body.strip().splitlines()] == [
        "runner = ServerRunner(server, connection, lifespan_state)",
        "try:",
        "return await runner.on_request(dctx, method, params)",
        "finally:",
        "await aclose_shielded(connection)",
    ]
    assert "connection.exit_stack.aclose()" in inspect.getsource(runner.aclose_shielded)


def test_only_initialize_writes_to_a_connection():
    source = inspect.getsource(runner.ServerRunner._on_request)
    written = [
        line.strip() for line in source.splitlines() if "self.connection." in line and " = self._" in line
    ]
    assert written == [
        "self.connection.client_params, self.connection.protocol_version = self._negotiate_initialize(params)"
    ]
    assert source.index('if method == "initialize":\n            # Commit') < source.index(written[0])


def test_a_shared_connection_keeps_nothing_for_anybody():
    kept = Runners(lowlevel.Server("x"))._kept
    assert set(kept) == set(Revision)
    for run in kept.values():
        connection = run.__self__.connection
        with pytest.raises(TypeError):
            connection.state["x"] = 1
        with pytest.raises(RuntimeError, match="share"):
            connection.exit_stack.push_async_callback(None)
        assert connection.initialize_accepted


def test_what_the_exchange_hands_over_has_the_fields_that_the_runner_reads():
    source = inspect.getsource(runner.ServerRunner)
    for used in ("dctx.message_metadata", "dctx.request_id"):
        assert used in source
    assert {"request_context"} <= set(inspect.signature(ServerMessageMetadata).parameters)
    assert {"kind", "can_send_request", "headers"} == set(inspect.signature(TransportContext).parameters)


def test_a_connection_is_born_ready_once_it_is_said_to_be():
    async def made() -> bool:
        connection = Connection(None, protocol_version="2026-07-28")  # type: ignore[arg-type]
        assert connection.initialize_accepted is False
        connection.initialized.set()
        return connection.initialize_accepted

    assert anyio.run(made) is True


def test_a_servers_lifespan_holds_nothing_unless_it_is_given_one():
    async def entered() -> Any:
        server: lowlevel.Server[Any] = lowlevel.Server("x")
        async with server.lifespan(server) as state:
            return state

    assert anyio.run(entered) == {}


def test_a_fresh_server_has_one_middleware_and_serves_ping_and_discover_only():
    server: lowlevel.Server[Any] = lowlevel.Server("x")
    assert [type(one).__name__ for one in server.middleware] == ["OpenTelemetryMiddleware"]
    served = {name for names in REQUESTS.values() for name in names}
    served |= {"completion/complete", "subscriptions/listen"}
    found = {name for name in served if server.get_request_handler(name) is not None}
    assert found == {"ping", "server/discover"}
    assert server.server_info_stamp["name"] == "x"


def test_the_boundary_of_the_request_state_is_a_middleware():
    boundary = request_state.RequestStateBoundary(
        request_state.RequestStateSecurity.ephemeral(), default_audience="x"
    )
    assert inspect.iscoroutinefunction(type(boundary).__call__)
    assert auth_context.auth_context_var.get() is None


def test_the_table_of_statuses_says_what_the_gates_own_says():
    codes = inbound.ERROR_CODE_HTTP_STATUS
    assert {code: codes[code] for code in (-32700, -32600, -32602, -32020, -32022, -32601)} == {
        -32700: 400, -32600: 400, -32602: 400, -32020: 400, -32022: 400, -32601: 404,
    }  # fmt: skip


def test_the_revisions_are_those_of_the_sdk():
    assert (Revision.MODERN.value,) == MODERN_PROTOCOL_VERSIONS
    assert HANDSHAKE_PROTOCOL_VERSIONS[-1] == Revision.LEGACY.value
    assert dict(inbound.NAME_BEARING_METHODS) == dict(NAMED_BY)


def test_every_method_that_the_sdk_knows_has_a_row_or_is_refused_on_purpose():
    refused = {
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    }
    for revision, served in REQUESTS.items():
        known = {method for method, version in mcp_types.methods.CLIENT_REQUESTS if version == revision.value}
        assert known - set(served) <= refused
        assert set(served) <= known
